"""The steps of VERIFY.md, as an auditor carries them out."""

import contextlib
import io
import re
from importlib.resources import files
from pathlib import Path

import pytest


def step(pack: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Carry out a step in a folder; return what it says, or in what it finds the archive wrong."""
    page = (files("crm_compliance.reports") / "templates" / "VERIFY.md").read_text(encoding="utf-8")
    return carried_out(page.split(f"\n## {number}. ")[1], pack, monkeypatch)


def certificate_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Do the same with what the auditor's page says of a file of certificates."""
    page = (Path(__file__).parents[2] / "docs" / "auditor.md").read_text(encoding="utf-8")
    return carried_out(page.split("\n## A certificate\n")[1], folder, monkeypatch)


def carried_out(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Carry out the one program of a section, which may be followed by others."""
    monkeypatch.chdir(folder)
    (program,) = re.findall(r"<<'END'\n(.*?)^END$", page.split("\n## ")[0], re.DOTALL | re.MULTILINE)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(program, {})
    except AssertionError as wrong:
        return f"wrong: {wrong}"
    return out.getvalue()
