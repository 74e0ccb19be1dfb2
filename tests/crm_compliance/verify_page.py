"""The steps of VERIFY.md, as an auditor carries them out."""

import contextlib
import io
import re
from importlib.resources import files
from pathlib import Path

import pytest


def step(pack: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Carry out a step in a folder; return what it says, or in what it finds the archive wrong."""
    monkeypatch.chdir(pack)
    page = (files("crm_compliance.reports") / "templates" / "VERIFY.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"<<'END'\n(.*?)^END$", page.split(f"\n## {number}. ")[1].split("\n## ")[0], re.DOTALL | re.MULTILINE)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(program, {})
    except AssertionError as wrong:
        return f"wrong: {wrong}"
    return out.getvalue()
