"""The register of erasures outside the database: one JSON line each, flushed to the disk before the database
is written.

Lines are only appended. Each line carries the digest of the one before it and its own, so that damage differs
from a last line that a power cut has torn: that line was never acknowledged, and the next append replaces it.
It also carries a seal by a register key, which it names: a line that somebody without the keys has written
could cause a living row to be deleted from the CRM, and is not believed."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from crm_compliance.host.files import disk_errors, lock_alone, private_folder, sync_folder
from crm_compliance.store.sql.seals import ERASURES, Seals, is_sealed, seal
from jobs.ledger.entries import StoreAltered
from jobs.model.run import Erasure
from jobs.model.sentence import Sentence
from rules.decoders import decoder_of
from rules.hints import hint_to

FIRST = "0" * 64  # the digest before the first line
TAIL = 1 << 16  # bytes; far more than a line has
NAMED = 5  # damaged lines that are named one by one

_encode = msgspec.json.Encoder().encode


class Line(Erasure, frozen=True, forbid_unknown_fields=True):
    """One line of the file."""

    prev: str
    hash: str
    key: str = ""
    seal: str = ""


_decode = decoder_of(Line).decode


class ErasureFile:
    """The journal in one file, mode 0600. One process appends at a time: the runner. Without `seals` nothing
    is sealed, and every whole line is believed: for who looks at a copy, or only at where it ends. `known`
    says where the file ended by the signed head of the ledger, and nothing is added to one that has less."""

    def __init__(self, path: Path, seals: Seals | None = None, known: Callable[[], str] = lambda: "") -> None:
        self.path, self._seals, self._known = path, seals, known

    def append(self, entries: Sequence[Erasure], *, restoring: bool = False) -> None:
        """Add entries for good: they are on the disk when this returns. Raises DiskProblem: the disk is full
        or read-only; what was there is still whole; StoreAltered: what was there is not any more. No new file
        is begun then: where the disk of the old one is only away, the two would each have a part. With
        `restoring` it is, with all that the database has."""
        if not entries:
            return
        if not restoring:
            self.refuse_lost(self._known())
        is_new = not self.path.exists()
        with disk_errors(self.path):
            private_folder(self.path.parent)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with open(handle, "r+b") as file:
                lock_alone(file, self.path)  # one that was given up for dead would cut off what the next runner added
                end, raw = _tail(file)
                last = _digest_of(_whole(raw), raw) if raw else FIRST
                file.truncate(end)
                file.seek(end)
                file.write(b"".join(self._chained(entries, last)))
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self.path.parent)

    def read(self) -> Iterator[Erasure]:
        """Yield every whole entry sealed by one of our keys, oldest first; nothing without a file."""
        yield from (_entry(line) for _, line, _ in self._lines() if line is not None and self._is_ours(line))

    def last(self) -> Erasure | None:
        """Return the last entry that is whole and ours, read from the end of the file."""
        if not self.path.exists():
            return None
        with disk_errors(self.path), self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().splitlines(keepends=True)
        for raw in reversed(lines):
            if (line := _whole(raw)) is not None and self._is_ours(line):
                return _entry(line)
        return None

    def last_key(self) -> str:
        """Return the id of the register key that the last whole line names, empty if there is none."""
        line = _whole(self._tail()[1])
        return line.key if line is not None else ""

    def _tail(self) -> tuple[int, bytes]:
        if not self.path.exists():
            return 0, b""
        with disk_errors(self.path), self.path.open("rb") as file:
            return _tail(file)

    def keys(self) -> set[str]:
        """Return the ids of all register keys that whole lines name."""
        return {line.key for _, line, _ in self._lines() if line is not None and line.key}

    def end(self) -> str:
        """Return how many bytes the whole lines have, and the last one's digest; empty without a line."""
        end, raw = self._tail()
        return f"{end}:{_digest_of(_whole(raw), raw)}" if raw else ""

    def has(self, end: str) -> bool:
        """Return whether a line ends where one ended, and is the same."""
        if not end:
            return True
        if not self.path.exists():
            return False
        length, _, digest = end.partition(":")
        with disk_errors(self.path), self.path.open("rb") as file:
            start = max(0, int(length) - TAIL)
            file.seek(start)
            text = file.read(int(length) - start)
        raw = text[text.rfind(b"\n", 0, max(len(text) - 1, 0)) + 1 :]
        return start + len(text) == int(length) and raw.endswith(b"\n") and _digest_of(_whole(raw), raw) == digest

    def refuse_lost(self, end: str) -> None:
        """Raise StoreAltered unless the file still has all that it had when it ended there."""
        if not self.has(end):
            told = "is not as it was: lines are missing or changed" if self.path.exists() else "is not there"
            raise StoreAltered(
                f"the register of erasures beside the database {told}", hint=hint_to("restore_register"), where=str(self.path)
            )

    def damage(self) -> list[Sentence]:
        """Return what is wrong with the file, in sentences."""
        found: list[Sentence] = []
        number = 0
        for number, line, follows in self._lines():
            if line is None or (not self._is_ours(line) and self._has_key(line)):
                found.append(Sentence.of("erasure_altered", line=number, file=self.path.name))
            elif not follows:
                found.append(Sentence.of("erasure_broken", line=number, file=self.path.name))
        if len(found) > NAMED:
            found[NAMED:] = [Sentence.of("erasures_more", lines=len(found) - NAMED, file=self.path.name)]
        return found

    def _is_ours(self, line: Line) -> bool:
        return self._seals is None or is_sealed(self._seals, ERASURES, _encode(_entry(line)), f"{line.key}:{line.seal}")

    def _has_key(self, line: Line) -> bool:
        """Return whether the seal can be checked. The seal of a destroyed key cannot, and what is registered
        by that key can no longer be resolved."""
        return not line.key or (self._seals is not None and self._seals.digest(line.key, ERASURES, b"") is not None)

    def _chained(self, entries: Sequence[Erasure], last: str) -> Iterator[bytes]:
        for entry in entries:
            key, _, sealed = seal(self._seals, ERASURES, _encode(entry)).rpartition(":") if self._seals is not None else ("", "", "")
            line = _line(entry, last, key, sealed)
            last = line.hash
            yield _encode(line) + b"\n"

    def _lines(self) -> Iterator[tuple[int, Line | None, bool]]:
        """Yield number, content (None: damaged) and whether it follows from the line before, for each line
        but a torn last one."""
        if not self.path.exists():
            return
        last = FIRST
        with disk_errors(self.path), self.path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    return
                line = _whole(raw)
                yield number, line, line is not None and line.prev == last
                last = _digest_of(line, raw)


def _tail(file: BinaryIO) -> tuple[int, bytes]:
    """Return where the last whole line ends, and that line. A torn piece that a power cut has left behind it
    does not count."""
    start = max(0, file.seek(0, os.SEEK_END) - TAIL)
    file.seek(start)
    text = file.read()
    end = text.rfind(b"\n") + 1
    return start + end, text[text.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end]


def _line(entry: Erasure, prev: str, key: str, sealed: str) -> Line:
    digest = hashlib.sha256(f"{prev}{key}{sealed}".encode() + _encode(entry)).hexdigest()
    return Line(entry.ref, entry.operation, entry.row_table, entry.run, entry.at, entry.reason, prev, digest, key, sealed)


def _whole(raw: bytes) -> Line | None:
    """Return the content of a line that is byte for byte what `_line` gives."""
    try:
        line = _decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return line if _encode(_line(_entry(line), line.prev, line.key, line.seal)) + b"\n" == raw else None


def _entry(line: Line) -> Erasure:
    return Erasure(line.ref, line.operation, line.row_table, line.run, line.at, line.reason)


def _digest_of(line: Line | None, raw: bytes) -> str:
    """Return the digest of a line, or of its bytes if it is damaged. Work continues after a damaged line, and
    the damage is reported once."""
    return line.hash if line is not None else hashlib.sha256(raw).hexdigest()
