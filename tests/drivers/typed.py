"""One command in the process of the tests, with three streams of its own, as a process has them."""

import io
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from crm_compliance.cli.app import run


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error in the last line of stderr, after --json."""
        found: dict[str, str] = json.loads(self.err.splitlines()[-1])["error"]
        assert set(found) == {"code", "message", "hint", "where"}
        return found

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


def typed(*arguments: object, given: str | None = None, settings: Mapping[str, str] | None = None) -> Said:
    """Run one command, with the environment and the folder that there are. `given` is its stdin, which stays
    as it is without one; `settings` are told meanwhile."""
    out, err = _Written(), _Written()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in (settings or {}).items():
            patch.setenv(f"CRM_COMPLIANCE_{name}", value)
        if given is not None:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8"))
        code = run([str(argument) for argument in arguments])
    return Said(code, out.text, err.text)


class _Written(io.TextIOWrapper):
    """A stream as a process has it where its output goes to a file."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="", write_through=True)

    @property
    def text(self) -> str:
        content = self.buffer
        assert isinstance(content, io.BytesIO)
        return content.getvalue().decode("utf-8")
