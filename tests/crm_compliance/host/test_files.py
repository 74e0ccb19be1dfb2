"""A file is there whole or not at all."""

from __future__ import annotations

import csv
import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from crm_compliance.host.files import (
    DiskProblem,
    disk_errors,
    disk_problem,
    folder_aside,
    private_folder,
    refuse_unwritable,
    remove_left_aside,
    write_whole,
)
from tests.drivers.typist import Typist


@contextmanager
def files_no_longer_than(length: int) -> Iterator[None]:
    """The operating system itself refuses to write on, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_takes_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_text("old")
    with write_whole(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.jsonl"]


def test_only_the_owner_may_read_it_also_where_the_old_one_was_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    path.touch(0o666)
    with write_whole(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_text_is_utf_8_and_keeps_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    with write_whole(path, text=True) as file:
        csv.writer(file).writerow(["é", "ü"])
        file.write("\n")
    assert path.read_bytes() == "é,ü\r\n\n".encode()


@pytest.mark.parametrize("old", [None, "old"])
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, old: str | None) -> None:
    path = tmp_path / "plan.jsonl"
    if old:
        path.write_text(old)

    def interrupted() -> None:
        with write_whole(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == ([("plan.jsonl", old)] if old else [])


def test_what_a_killed_process_left_goes_when_the_file_is_written_again(tmp_path: Path) -> None:
    """An answer half written would lie there unseen. What is another's, another file's or still being written
    stays."""
    path = tmp_path / "answer.zip"
    if (child := os.fork()) == 0:
        with write_whole(path) as out:
            out.write(b"half")
            out.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == b"half"
    with write_whole(path) as out:
        assert left.exists(), "it may have been made by a process that has not locked it yet"
        (at_work,) = set(tmp_path.iterdir()) - {left}
        others = [tmp_path / ".answer.zip.mine.part", tmp_path / ".other.zip.abcd1234.part", tmp_path / ".answer.zip.abcd1234"]
        for each in (left, at_work, *others):
            each.touch()
            os.utime(each, (0, 0))
        path.write_bytes(b"")
        with write_whole(path):
            assert not left.exists()
            assert at_work.exists()
        out.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert {*tmp_path.iterdir()} == {path, *others}


@pytest.mark.parametrize("length", [4_000, 4_000_000])  # found at the last flush, and in the middle of the writing
def test_a_full_disk_is_a_usage_error_and_leaves_the_old_file(tmp_path: Path, length: int) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_text("old")
    with pytest.raises(DiskProblem) as caught, files_no_longer_than(100), write_whole(path) as file:
        file.write(bytes(length))
    assert (caught.value.exit_code, caught.value.code, caught.value.where) == (2, "disk", str(path))
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("plan.jsonl", "old")]


def test_a_missing_folder_is_a_usage_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match="no folder"), write_whole(tmp_path / "missing" / "plan.jsonl"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", "/dev/null"])
def test_a_folder_or_a_device_is_never_replaced(tmp_path: Path, path: str) -> None:
    with pytest.raises(DiskProblem), write_whole(Path(path) if path else tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "what"), [(errno.EACCES, "used"), (errno.ENOSPC, "written"), (errno.EROFS, "written")])
def test_a_disk_is_told_in_words_that_fit_reading_too(number: int, what: str) -> None:
    with pytest.raises(DiskProblem, match=f"s.key cannot be {what}"), disk_errors(Path("s.key")):
        raise OSError(number, "as the system has it")


def test_a_pipe_is_not_written() -> None:
    """As `/dev/stdout` is, before another program: what it resolves to is in no folder."""
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing), pytest.raises(DiskProblem, match="is not a file"), write_whole(Path(f"/dev/fd/{writing}")):
        pass


def test_a_link_stays_a_link_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with write_whole(tmp_path / "link.txt") as file:
        file.write(b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_working_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(DiskProblem, match="is gone"), write_whole(Path("plan.jsonl")):
        pass


def test_an_error_of_the_network_inside_the_block_is_not_called_a_disk_problem(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), write_whole(tmp_path / "plan.jsonl"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        *((number, "make room") for number in (errno.ENOSPC, errno.EDQUOT)),
        *((number, "owner and mode") for number in (errno.EROFS, errno.EACCES, errno.ESTALE, errno.EBUSY, errno.EXDEV, errno.ENOLCK)),
    ],
)
def test_what_a_disk_says_is_said_in_words(number: int, hint: str) -> None:
    with pytest.raises(DiskProblem, match=os.strerror(number)) as refused, disk_errors(Path("plan.jsonl")):
        raise OSError(number, os.strerror(number))
    assert hint in str(refused.value.hint)


@pytest.mark.parametrize(("number", "told"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_share_that_cannot_flush_folders_takes_whole_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: bool
) -> None:
    """As shares of Windows say it; a disk that fails is told."""

    def flush(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(DiskProblem) if told else nullcontext(), write_whole(tmp_path / "plan.jsonl") as file:
        file.write(b"whole")
    assert (tmp_path / "plan.jsonl").read_text() == "whole"


def test_a_private_folder_is_made_once_and_a_wider_mode_of_the_owners_choice_is_left(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "parent" / "data")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o750)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o750


def test_what_a_disk_says_of_a_file_is_told_and_what_a_network_says_is_not() -> None:
    """A folder that may not be entered is met wherever a path is looked at first."""
    problem = disk_problem(PermissionError(errno.EACCES, "Permission denied", "/root/keys"))
    assert problem is not None
    assert (str(problem), problem.where, problem.exit_code) == ("/root/keys cannot be used: Permission denied", "/root/keys", 2)
    for other in (OSError(errno.EACCES, "Permission denied"), ConnectionResetError(errno.ECONNRESET, "reset"), ValueError("a row")):
        assert disk_problem(other) is None


def test_a_file_that_cannot_be_written_is_refused_before_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, folder = tmp_path / "a.jsonl", tmp_path / "folder"
    folder.mkdir()
    refuse_unwritable(file, folder / "none" / "b.jsonl")
    with pytest.raises(DiskProblem, match="is a folder"):
        refuse_unwritable(folder)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(DiskProblem, match="may not be written"):
        refuse_unwritable(file)
    file.touch()
    refuse_unwritable(file)


KILLED_ASIDE = """
import os, signal
from crm_compliance.host.files import folder_aside
with folder_aside() as folder:
    (folder / "sheet1.xml").write_text("somebody")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_process_that_was_killed_put_aside_goes_with_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", KILLED_ASIDE], env=os.environ | {"TMPDIR": str(tmp_path)}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    remove_left_aside()
    assert left.exists(), "just made: its process may not have come to lock it"
    os.utime(left, (0, 0))
    with folder_aside() as folder:
        assert list(tmp_path.iterdir()) == [folder]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list(tmp_path.iterdir())


def test_what_is_aside_stays_while_it_is_at_work_or_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "a.txt").write_text("a")
    os.utime(kept, (0, 0))
    with folder_aside() as folder:
        os.utime(folder, (0, 0))
        (tmp_path / f"{folder.name[:-8]}abcdefgh").symlink_to(kept)
        remove_left_aside()
        assert folder.exists()
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    other = tmp_path / f"{folder.name[:-8]}12345678"
    other.mkdir()
    os.utime(other, (0, 0))
    remove_left_aside()
    assert other.exists()
    assert (kept / "a.txt").exists()


def test_a_service_that_starts_removes_what_a_killed_one_put_aside(typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "crm-compliance-aside-12345678"
    left.mkdir()
    os.utime(left, (0, 0))
    typist.refused("serve", "--host", "203.0.113.1", "--port", "0", code=2)
    assert not left.exists()
