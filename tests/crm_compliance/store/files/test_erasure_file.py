"""The register of erasures outside the database: whole, private, and honest about damage (ERA-13)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_compliance.host.files import DiskProblem
from crm_compliance.store.files.erasure_file import ErasureFile
from jobs.model.run import Erasure


def an_erasure(number: int, **more: str) -> Erasure:
    values = {"operation": "delete", "row_table": "cf_fiche", "run": "run-1", "at": "2026-11-25T11:00:00Z", "reason": "EXPIRED"}
    return Erasure(ref=f"{number:064x}", **(values | more))


class SleepyList(list[Erasure]):
    """Entries that take their time."""

    def __init__(self, entries: list[Erasure], asleep: Callable[[], Iterator[Erasure]]) -> None:
        super().__init__(entries)
        self.asleep = asleep

    def __iter__(self) -> Iterator[Erasure]:
        return self.asleep()


@pytest.fixture
def journal(tmp_path: Path) -> ErasureFile:
    return ErasureFile(tmp_path / "data" / "erasures.jsonl")


def test_what_was_appended_is_read_in_order(journal: ErasureFile) -> None:
    assert (list(journal.read()), journal.last(), journal.damage()) == ([], None, [])
    wanted = [an_erasure(number) for number in range(5)]
    journal.append(wanted[:2])
    journal.append([])
    ErasureFile(journal.path).append(wanted[2:])
    assert list(journal.read()) == wanted
    assert (journal.last(), journal.damage()) == (wanted[-1], [])


def test_a_runner_that_was_given_up_for_dead_cuts_off_nothing_that_the_next_one_adds(
    journal: ErasureFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fell asleep between looking where the file ends and writing there."""
    monkeypatch.setattr("crm_compliance.host.files.LOCK_TRIES", 2)
    journal.append([an_erasure(1)])

    def asleep() -> Iterator[Erasure]:
        with pytest.raises(DiskProblem, match="another program is writing"):
            ErasureFile(journal.path).append([an_erasure(3)])
        yield an_erasure(2)

    journal.append(SleepyList([an_erasure(2)], asleep))
    ErasureFile(journal.path).append([an_erasure(3)])
    assert (list(journal.read()), journal.damage()) == ([an_erasure(number) for number in (1, 2, 3)], [])


def test_nobody_else_may_read_it(journal: ErasureFile) -> None:
    before = os.umask(0)
    try:
        journal.append([an_erasure(1)])
    finally:
        os.umask(before)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_it_is_on_the_disk_before_the_database_hears_of_it(journal: ErasureFile, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    before = os.fsync

    def sync(handle: int) -> None:
        synced.append(os.fstat(handle).st_size)
        before(handle)

    monkeypatch.setattr(os, "fsync", sync)
    journal.append([an_erasure(1)])
    assert journal.path.stat().st_size in synced


@given(cut=st.integers(min_value=1, max_value=200), appended=st.integers(min_value=0, max_value=3))
def test_a_torn_last_line_is_ignored_and_overwritten(tmp_path_factory: pytest.TempPathFactory, cut: int, appended: int) -> None:
    journal = ErasureFile(tmp_path_factory.mktemp("torn") / "erasures.jsonl")
    journal.append([an_erasure(1), an_erasure(2)])
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    assert (list(journal.read()), journal.last(), journal.damage()) == ([an_erasure(1)], an_erasure(1), [])
    more = [an_erasure(10 + number) for number in range(appended)]
    journal.append(more)
    assert (list(journal.read()), journal.damage()) == ([an_erasure(1), *more], [])


def test_a_file_that_is_only_a_torn_line_begins_anew(journal: ErasureFile) -> None:
    journal.append([an_erasure(1)])
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    assert (list(journal.read()), journal.last()) == ([], None)
    journal.append([an_erasure(2)])
    assert (list(journal.read()), journal.damage()) == ([an_erasure(2)], [])


@given(at=st.integers(min_value=0), byte=st.integers(min_value=0, max_value=255))
def test_an_altered_byte_comes_to_light(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    journal = ErasureFile(tmp_path_factory.mktemp("altered") / "erasures.jsonl")
    wanted = [an_erasure(1), an_erasure(2), an_erasure(3)]
    journal.append(wanted)
    text = bytearray(journal.path.read_bytes())
    at %= len(text) - 1  # without the last line's end the last line is a torn one
    if text[at] == byte:
        byte = (byte + 1) % 256
    text[at] = byte
    journal.path.write_bytes(bytes(text))
    assert journal.damage()
    assert set(journal.read()) < set(wanted)


def test_a_damaged_line_is_named_and_the_others_are_read(journal: ErasureFile) -> None:
    wanted = [an_erasure(number) for number in range(4)]
    journal.append(wanted)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"cf_fiche", b"contact!")
    journal.path.write_bytes(b"".join(lines))
    assert list(journal.read()) == [wanted[0], *wanted[2:]]
    assert str(journal.damage()[0]) == "line 2 of erasures.jsonl is not as it was written"


def test_a_line_that_was_taken_out_is_told(journal: ErasureFile) -> None:
    journal.append([an_erasure(number) for number in range(4)])
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert [str(told).split(" does not")[0] for told in journal.damage()] == ["line 2 of erasures.jsonl"]
    assert len(list(journal.read())) == 3


def test_much_damage_is_told_in_few_words(journal: ErasureFile) -> None:
    journal.append([an_erasure(number) for number in range(20)])
    journal.path.write_bytes(journal.path.read_bytes().replace(b"EXPIRED", b"expired"))
    assert len(journal.damage()) == 6
    assert str(journal.damage()[-1]) == "15 more lines of erasures.jsonl are damaged"


def test_work_goes_on_behind_a_damaged_last_line(journal: ErasureFile) -> None:
    """A run that has deleted rows has to note them, whatever happened to the file before."""
    journal.append([an_erasure(1), an_erasure(2)])
    journal.path.write_bytes(journal.path.read_bytes()[:-3] + b"?}\n")
    assert journal.last() == an_erasure(1)  # damage at the end hides nothing
    journal.append([an_erasure(3)])
    assert list(journal.read()) == [an_erasure(1), an_erasure(3)]
    assert len(journal.damage()) == 1


def test_a_line_longer_than_what_is_read_from_the_end_does_not_happen(journal: ErasureFile) -> None:
    """A reference is 64 digits and a run's id is short; many lines are read from the end all the same."""
    journal.append([an_erasure(number) for number in range(2_000)])
    journal.append([an_erasure(9_999)])
    assert journal.last() == an_erasure(9_999)
    assert journal.damage() == []


def test_a_full_disk_is_told_as_such(journal: ErasureFile, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append([an_erasure(1)])

    def full(handle: int) -> Any:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskProblem):
        journal.append([an_erasure(2)])
