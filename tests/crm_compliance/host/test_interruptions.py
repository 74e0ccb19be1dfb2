"""Who interrupts a command, by Ctrl-C, SIGTERM or a closed terminal, ends it in order, and at once by a
second time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_compliance.cli.app import GO_ON, run
from crm_compliance.host import interruptions
from crm_compliance.host.files import write_whole
from crm_compliance.host.interruptions import STILL_HERE, exit_code, heed_interruptions

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def usual_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The signals as a program finds them, and put back afterwards."""
    monkeypatch.setattr(interruptions, "_by", signal.SIGINT)
    monkeypatch.setattr(interruptions, "STILL_HERE_S", 1_000)  # what threads of earlier tests say is heard by none
    before = [signal.signal(number, signal.SIG_DFL) for number in NUMBERS]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[int]]:
    """With which codes this process would have ended at once."""
    ended, codes = threading.Event(), list[int]()

    def leave(code: int) -> None:
        codes.append(code)
        ended.set()

    monkeypatch.setattr(os, "_exit", leave)
    return ended, codes


@pytest.mark.parametrize("number", NUMBERS)
def test_who_interrupts_twice_does_not_wait(
    number: signal.Signals, left: tuple[threading.Event, list[int]], capfd: pytest.CaptureFixture[str]
) -> None:
    """The first ends what has begun, and waits for answers that a CRM may owe for minutes."""
    ended, codes = left
    heed_interruptions()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert codes == []
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert ended.wait(20)
    assert (codes, capfd.readouterr().err) == ([128 + number], "interrupted\n")


@pytest.mark.parametrize("number", NUMBERS)
def test_who_interrupts_is_told_why_the_command_is_still_there(
    number: signal.Signals, left: tuple[threading.Event, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()
    monkeypatch.setattr(interruptions, "STILL_HERE_S", 0)
    monkeypatch.setattr(os, "write", lambda to, text: told.set() if (to, text) == (2, STILL_HERE) else None)
    heed_interruptions()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert told.wait(20)
    assert left[1] == []


def test_who_cannot_interrupt_still_cannot(left: tuple[threading.Event, list[int]]) -> None:
    """Behind `&` in a script, or under nohup."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    heed_interruptions()
    for number in (*NUMBERS, *NUMBERS):
        signal.raise_signal(number)
    assert left[1] == []


def test_a_signal_that_a_command_takes_for_itself_is_not_counted() -> None:
    """Whoever stops the service may say so twice: it ends after the group that it is at."""
    heed_interruptions()
    signal.signal(signal.SIGTERM, lambda *_: None)
    heard, tell = os.pipe()
    os.write(tell, bytes([signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT]))
    assert [interruptions._next(heard), interruptions._next(heard)] == [signal.SIGHUP, signal.SIGINT]
    os.close(heard)
    os.close(tell)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_told_to_end_leaves_nothing_half_written(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(*_: object) -> None:
        with write_whole(tmp_path / "plan.html"):
            signal.raise_signal(number)

    monkeypatch.setattr("crm_compliance.cli.app._commands", ended)
    heed_interruptions()
    assert run(["plans", "list"]) == 128 + number == exit_code()
    assert (list(tmp_path.iterdir()), capsys.readouterr().err) == ([], f"{GO_ON}\n")
