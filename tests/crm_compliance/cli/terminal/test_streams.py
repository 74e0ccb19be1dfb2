"""Streams that are closed, full or no longer read, and what is typed in bytes that are no text."""

from __future__ import annotations

import io
import json
import logging
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from crm_compliance import __main__ as program
from crm_compliance.cli.app import run
from crm_compliance.cli.terminal.output import Output
from crm_compliance.cli.terminal.tables import facts_of, table_of
from rules.errors import UsageError
from tests.drivers.typist import Typist

ENTRY = {"seq": 1, "at": "2026-01-01T00:00:00Z", "kind": "run", "run": None, "data": {}, "prev_hash": "0" * 64, "hash": "1" * 64}
NO_TEXT = os.fsdecode(b"/nowhere/\xff")


@pytest.fixture
def unread() -> Iterator[io.TextIOWrapper]:
    """A pipe whose reader has left, as `| head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = open(writer, "w", encoding="utf-8")  # noqa: SIM115
    yield stream
    with suppress(BrokenPipeError):
        stream.close()


class Full(io.StringIO):
    """A stream to a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "json"])
@pytest.mark.parametrize(("line", "code"), [("ledger verify", 7), ("mapping check --offline", 3)])
def test_a_failure_is_no_success_because_nobody_reads_on(
    typist: Typist, tmp_path: Path, unread: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch, line: str, code: int, form: list[str]
) -> None:
    """`ledger verify | head` and `mapping check | head` end with 7 and 3."""
    file = tmp_path / "given"
    file.write_text(json.dumps(ENTRY) if code == 7 else "nothing: of use", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", unread)
    assert run([*line.split(), str(file), *form]) == code


def test_a_message_that_cannot_be_told_changes_no_exit_code(
    typist: Typist, unread: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (Full(), unread):
        monkeypatch.setattr(sys, "stderr", stream)
        assert run(["plans", "show", "plan-none"]) == 2


def test_a_stream_that_is_closed_leads_nowhere(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """`>&-` and `<&-`; what is opened next does not get its number."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    program.open_streams()
    opened = (sys.stdin, sys.stdout, sys.stderr)
    try:
        assert run(["plans", "list"]) == 0
        assert run(["requests", "open", "-"]) == 2
        assert all(os.get_inheritable(stream.fileno()) for stream in opened)
    finally:
        for stream in opened:
            stream.close()


def _interrupted_at_once(monkeypatch: pytest.MonkeyPatch) -> object:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "refuse_strangers", interrupted)
    monkeypatch.setattr(program, "heed_interruptions", lambda: None)  # of the process of the tests
    monkeypatch.setattr(program, "gc", SimpleNamespace(set_threshold=lambda _: None, callbacks=[], freeze=lambda: None))
    with pytest.raises(SystemExit) as left:
        program.main()
    return left.value.code


def test_who_interrupts_while_modules_are_loaded_sees_no_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert (_interrupted_at_once(monkeypatch), capsys.readouterr().err) == (130, "interrupted\n")


def test_a_crash_lays_down_nothing_of_what_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core file has the keys, and who was read of. What the process begins inherits its limit."""
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    _interrupted_at_once(monkeypatch)
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, most)


def test_a_terminal_obeys_no_text_of_the_crm_or_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A sequence that moves the cursor, one that names the window, a sign that turns a line round, a style in
    brackets: what a person decides on would be hidden."""
    hostile, shown = "belde[/x]\x1b[2A\x9b2K\x1b]0;x\x07 om \u202e9\u2066 uur\u2028\r\x00", "belde[/x][2A2K]0;x om 9 uur"
    said = Output()
    said.answer({}, lambda console: console.print(table_of(("Item", "Proposal"), [("item-1", hostile)], wraps=1)))
    said.answer({}, lambda console: console.print(facts_of({"name": hostile})))
    said.answer({}, lambda console: console.print(hostile))
    said.fail(UsageError(hostile))
    out, err = capsys.readouterr()
    assert (out.count(shown), err) == (3, f"error: {shown}\n")
    assert all(sign.isprintable() or sign == "\n" for sign in out)
    said.json = True
    said.answer({"proposal": hostile}, lambda _: None)
    line = capsys.readouterr().out
    assert (json.loads(line)["proposal"], line.rstrip("\n").isprintable()) == (hostile, True)


def test_bytes_that_are_no_text_are_refused_wherever_they_stand(typist: Typist) -> None:
    for line in (["plans", "show", NO_TEXT], ["plan", "--output", f"{NO_TEXT}.json"], ["plans", "list", "--config", NO_TEXT]):
        assert "UTF-8" in typist.refused(*line, code=2)["message"]
    typist.set(DATA_DIR=NO_TEXT)
    error = typist.refused("plans", "list", code=2)
    assert (error["where"], "UTF-8" in error["message"]) == ("CRM_COMPLIANCE_DATA_DIR", True)


def test_a_day_that_is_empty_is_not_today(typist: Typist) -> None:
    """`--as-of "$DAY"` without a DAY: a look at another day must not become a plan that can be applied."""
    for line in (["plan", "--as-of", ""], ["policy", "simulate", "nowhere.yaml", "--as-of", ""], ["emulator", "serve", "--as-of", ""]):
        assert "--as-of" in typist.refused(*line, code=2)["message"]


def test_a_day_before_all_others_is_refused(typist: Typist) -> None:
    for line in ("plan --as-of 0001-01-01", "emulator serve --as-of 0001-01-01", "emulator serve --as-of 9999-12-31"):
        assert "--as-of" in typist.refused(*line.split(), code=2)["message"]
    typist.set(CLOCK="0001-01-01T00:00:00Z")
    assert "CLOCK" in typist.refused("plans", "list", code=2)["message"]


def test_what_a_library_says_is_on_no_screen(typist: Typist, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a log it would stand there whole: an address with a query, or an answer with a token in it."""
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert run(["holds", "list", "--json"]) == 0
    logging.getLogger("a_library").error("no JSON: %s", "geheim")
    assert "geheim" not in "".join(capsys.readouterr())
