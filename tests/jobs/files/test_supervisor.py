"""The border behind which files are read: nothing in a file gets past it, neither an error nor a crash, a
loop or a hunger for memory."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from isal import isal_zlib

from jobs.files import supervisor as border
from jobs.files.limits import MEBI, Limits, Unread
from jobs.files.result import Told
from jobs.files.supervisor import Reader, ReaderMissing
from tests.jobs.files.made import a_picture, packed, zipped

WORDS = "Jan Peeters (fictief)"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


_MADE: list[Reader] = []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """No process outlives its test."""
    yield
    while _MADE:
        _MADE.pop().close()


def limited(*, watched: bool = False, **limits: Any) -> Reader:
    _MADE.append(Reader(Limits(**limits), watched=watched))
    return _MADE[-1]


def pid(reader: Reader) -> int:
    assert reader._process is not None
    return reader._process.pid


def test_one_process_serves_many_files(reader: Reader) -> None:
    assert reader.read(WORDS.encode()).texts == (WORDS,)
    first = pid(reader)
    for _ in range(3):
        assert reader.read(packed(WORDS.encode())).texts == ("part-0", WORDS)
        assert reader.read(packed(*[WORDS.encode()] * 3)).texts == ("part-0", WORDS, "part-1", "part-2")  # each text once
    assert pid(reader) == first


def test_a_process_that_was_killed_is_made_anew(reader: Reader) -> None:
    reader.read(b"a")
    gone = pid(reader)
    os.kill(gone, signal.SIGKILL)
    assert {reader.read(WORDS.encode()).why, reader.read(WORDS.encode()).why} <= {"", Unread.STOPPED}
    assert reader.read(WORDS.encode()).texts == (WORDS,)
    assert pid(reader) != gone


SLOW = b"<" + b"a" * 5_000_000 + b"\xff\x00" * 5_000_000


def test_what_takes_too_long_cannot_be_read() -> None:
    """Seconds of the processor: how busy the machine is does not change what becomes of a file."""
    slow = limited(seconds=0.05)
    assert slow.read(SLOW).why == Unread.SLOW
    assert slow.read(WORDS.encode()).texts == (WORDS,)


def test_what_never_comes_back_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of the clock: a process that waits for something uses no processor."""
    monkeypatch.setattr(border, "_START", border._START.replace("serve(sys", "import jobs.files.worker as s; import time; s.read = s.bytes_only = lambda *_: time.sleep(60); serve(sys"))  # fmt: skip # noqa: E501
    waiting = limited(wall=0.2)
    assert waiting.read(WORDS.encode()).why == Unread.SLOW


@pytest.mark.parametrize(
    ("crash", "why"),
    [
        ("os.abort()", Unread.STOPPED),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Unread.STOPPED),
        ("os._exit(0)", Unread.STOPPED),
        ("[].append(bytearray(10**10))", Unread.MEMORY),
        ("(lambda f: f(f))(lambda f: f(f))", Unread.DAMAGED),
        ("(_ for _ in ()).throw(SystemExit)", Unread.STOPPED),
    ],
)
def test_a_crash_of_a_library_is_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, crash: str, why: str) -> None:
    patch = f"import os, signal, jobs.files.contents as t; t.is_pdf = lambda content: {crash}; serve(sys"
    monkeypatch.setattr(border, "_START", border._START.replace("serve(sys", patch))
    crashing = limited()
    found = crashing.read(WORDS.encode())
    assert (found.why, found.texts) == (why, (WORDS,))
    assert crashing.read(WORDS.encode()).why == why
    assert crashing.told(WORDS.encode(), "text/plain", "a.txt") == Told(WORDS)


@pytest.mark.parametrize("watched", [False, True])
def test_memory_is_bounded_where_the_system_keeps_a_limit_and_where_it_does_not(monkeypatch: pytest.MonkeyPatch, watched: bool) -> None:
    """macOS keeps none: the process looks at its own."""
    with monkeypatch.context() as patch:
        greedy = f"import jobs.files.contents as t; t.is_pdf = lambda content: content == {WORDS.encode()!r} and [b'x' * 10**6 for _ in iter(int, 1)]; serve(sys"  # noqa: E501
        patch.setattr(border, "_START", border._START.replace("serve(sys", greedy))
        small = limited(memory=64 * MEBI, watched=watched)
        found = small.read(WORDS.encode())
    assert (found.why, found.texts) == (Unread.MEMORY, (WORDS,))
    assert small.read(b"a").texts == ("a",)


def test_what_a_process_says_when_memory_runs_out_is_its_last_word() -> None:
    small = limited(memory=24 * MEBI)
    small.read(b"a")
    before = pid(small)
    assert small.read(zipped(b"a b" * 10_000_000)).why == Unread.MEMORY
    small.read(b"a")
    assert pid(small) != before


def nested(content: bytes, depth: int) -> bytes:
    for _ in range(depth):
        content = packed(content)
    return content


@pytest.mark.parametrize(
    ("limits", "content", "why"),
    [
        ({"content": 20}, b"a" * 21, Unread.LARGE),
        ({"unpacked": 1000}, packed(b"a" * 600, b"b" * 600), Unread.LARGE),
        ({"unpacked": 1000}, packed(packed(b"a" * 600), packed(b"b" * 600)), Unread.LARGE),
        ({"unpacked": 1000}, zipped(b"a" * 1001), Unread.LARGE),
        ({"text": 100}, b"a b" * 40, Unread.LARGE),
        ({"parts": 3}, packed(*[b"a"] * 4), Unread.LARGE),
        ({"depth": 2}, nested(b"a", 3), Unread.DEEP),
        ({"pixels": 47}, a_picture(size=(8, 6)), Unread.LARGE),
        ({"depth": 3}, nested(b"a", 3), ""),
        ({"pixels": 48}, a_picture(size=(8, 6)), ""),
    ],
)  # fmt: skip
def test_one_budget_is_for_a_file_with_everything_in_it(limits: dict[str, Any], content: bytes, why: str) -> None:
    with_limits = limited(**limits)
    assert with_limits.read(content).why == why


def test_a_gigabyte_that_is_packed_three_times_is_too_large() -> None:
    packing, megabyte = isal_zlib.compressobj(wbits=31), bytes(10**6)  # as gzip packs it, and never there as a whole
    gigabyte = b"".join([*(packing.compress(megabyte) for _ in range(1_000)), packing.flush()])
    assert limited().read(zipped(zipped(gigabyte))).why == Unread.LARGE


def test_of_a_sound_that_is_too_long_to_be_looked_through_the_ends_are() -> None:
    """A recording of hours is not a file that cannot be read: nobody but a person can tell what is said in
    it."""
    small = limited(content=100)
    found = small.read(b"\xff\xfb" * 60 + b"TAG" + WORDS.encode(), "audio/mpeg")
    assert (found.kind, found.why) == ("sound", "")
    assert WORDS in "".join(found.texts)


def test_nothing_of_ours_is_where_files_are_read(reader: Reader, tmp_path: object) -> None:
    """No variable of the environment, such as a secret; and nothing can be written there, such as a core dump
    with names in it."""
    reader.read(b"a")
    shown = f"/proc/{pid(reader)}"
    if not os.path.exists(shown):  # another system than Linux shows it elsewhere
        return
    with open(f"{shown}/environ", "rb") as file:
        assert file.read() == b""
    with open(f"{shown}/limits", encoding="ascii") as file:
        found = {line[:26].strip(): line[26:].split()[:2] for line in file}
    assert found["Max file size"] == found["Max core file size"] == ["0", "0"]


def test_an_installation_that_cannot_read_files_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(border, "_START", "import sys; sys.exit(1)")
    with pytest.raises(ReaderMissing):
        Reader().read(b"a")

    def refused(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(ReaderMissing, match="temporarily"):
        Reader().read(b"a")
