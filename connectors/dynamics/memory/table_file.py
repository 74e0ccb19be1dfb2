"""One file with the rows of a table as frames, sealed. A file is a random name of its own and a run of sealed
pieces, each bound to this file and its place in it: chunks of rows, and at the end what they are worth. So a
table is written and read piece by piece, however large it is, and what another process has put in its place
meanwhile is never taken for the rest of it."""

from __future__ import annotations

import io
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.dynamics.memory.fingerprints import untouched
from rules.decoders import msgpack_decoder_of

if TYPE_CHECKING:
    import polars as pl

FORMAT: Final = 6
NONCE: Final = 12
NAME_BYTES: Final = 16
CHUNK_ROWS: Final = 50_000  # fewer cost more a row, and more are in memory at once
PART: Final = ".part."
_LENGTH: Final = 4  # bytes before each piece that tell its length


class Damaged(Exception):
    """A file is not what was written: it counts as none."""


class Cipher:
    """Seals pieces, each for what it is bound to, with their length before them."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, bound_to: bytes, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, plain, bound_to)
        return len(sealed).to_bytes(_LENGTH, "big") + sealed

    def open(self, bound_to: bytes, sealed: bytes) -> bytes:
        """Return what was sealed. Raises Damaged: it was sealed with another key, or for something else."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], bound_to)
        except (InvalidTag, ValueError):
            raise Damaged from None

    def open_alone(self, bound_to: bytes, content: bytes) -> bytes:
        """Return what a file of one piece holds. Raises Damaged."""
        return self.open(bound_to, content[_LENGTH:])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a table, as they are stored."""

    content: bytes = field(repr=False)

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Chunk:
        out = io.BytesIO()
        rows.write_parquet(out, compression="lz4", statistics=False)  # zstd takes a quarter longer, for a twelfth less
        return cls(out.getvalue())

    def rows(self, columns: list[str] | None = None) -> pl.DataFrame:
        """Return the rows, or some columns of them. Raises Damaged: it is of another version of polars."""
        import polars as pl

        try:
            return pl.read_parquet(io.BytesIO(self.content), columns=columns)
        except pl.exceptions.PolarsError:
            raise Damaged from None


class Worth(msgspec.Struct, frozen=True):
    """What the chunks of a file are worth: `link` gives the changes since, `full_at` is when the table was
    last read from first row to last, and `forgotten` has the hashes of the ids that were taken out since,
    because they were erased or emptied."""

    link: str
    full_at: datetime
    chunks: int
    rows: int
    forgotten: tuple[int, ...] = ()
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Remembered:
    """A table as it was when its link was given out; its chunks are read when they are asked for, and may
    turn out to be Damaged."""

    worth: Worth
    chunks: Callable[[], Iterator[Chunk]]


def load(place: Path, cipher: Cipher) -> Remembered | None:
    """Return what a file holds, or None."""
    try:
        name, last = _last(place, cipher)
        worth = msgpack_decoder_of(Worth).decode(last)
    except (OSError, Damaged, msgspec.DecodeError):
        return None
    return Remembered(worth, lambda: _chunks(place, name, worth, cipher)) if worth.format == FORMAT else None


def _last(place: Path, cipher: Cipher) -> tuple[bytes, bytes]:
    """Return the name of the file that is there now, and its last piece."""
    last, number = b"", -1
    with open(place, "rb") as file:
        name = file.read(NAME_BYTES)
        for sealed in _pieces(file):
            last, number = sealed, number + 1
    return name, cipher.open(_bound_to(place, name, number), last)


def _chunks(place: Path, name: bytes, worth: Worth, cipher: Cipher) -> Iterator[Chunk]:
    number = -1
    try:
        with open(place, "rb") as file:
            if file.read(NAME_BYTES) != name:
                raise Damaged  # another process has written the table again
            for number, sealed in enumerate(_pieces(file)):
                if number < worth.chunks:
                    yield Chunk(cipher.open(_bound_to(place, name, number), sealed))
    except OSError:
        raise Damaged from None
    if number < worth.chunks:
        raise Damaged  # it was cut off behind a piece since its end was read


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while head := file.read(_LENGTH):
        length = int.from_bytes(head, "big")
        sealed = file.read(length)
        if len(head) < _LENGTH or len(sealed) < length:
            raise Damaged
        yield sealed


def _bound_to(place: Path, name: bytes, number: int) -> bytes:
    """Return what a piece is sealed for: a table with what its columns mean, one writing, and the place in
    the file."""
    return b"/".join([place.name.encode(), name, str(number).encode()])


class Draft:
    """A file that is being written. Where the disk fails, writing continues silently and yields nothing."""

    def __init__(self, folder: Path, place: Path, cipher: Cipher) -> None:
        self._place, self._cipher = place, cipher
        self._own_name = secrets.token_bytes(NAME_BYTES)
        self._number = self._rows = 0
        self._waiting: list[pl.DataFrame] = []
        self._alone: Chunk | None = None  # the one chunk of another file that all waiting rows are
        self._finished = False
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, self._name = tempfile.mkstemp(prefix=PART, dir=folder)  # mode 0600
            self._file = open(handle, "wb")  # noqa: SIM115  # closed by `put_in_place`
        self._put(self._own_name)

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; few are put together with what is added next."""
        if not rows.height:
            return
        self._alone = None
        self._waiting.append(rows)
        if sum(each.height for each in self._waiting) >= CHUNK_ROWS:
            self._flush()

    def add_again(self, chunk: Chunk, rows: pl.DataFrame) -> None:
        """Add a chunk of another file as it is, whose rows these are; one of few rows like other rows, if
        there are any to put it together with, so that a year of nights does not leave a thousand
        fragments."""
        if rows.height < CHUNK_ROWS:
            self.add(rows)
            if rows.height and len(self._waiting) == 1:
                self._alone = chunk
        else:
            self._write(chunk.content, rows.height)

    def finish(self, link: str, full_at: datetime, forgotten: Iterable[int] = ()) -> None:
        self._flush()
        self._write(msgspec.msgpack.encode(Worth(link, full_at, self._number, self._rows, tuple(forgotten))), 0)
        self._finished = True

    def put_in_place(self) -> bool:
        """Put a finished file in its place, remove any other; whether that succeeded."""
        if self._file is None:
            return False
        try:
            self._file.close()
            if self._finished:
                os.replace(self._name, self._place)
                return True
        except OSError:
            pass
        remove(Path(self._name))
        return False

    def _flush(self) -> None:
        from connectors.interface.id_numbers import together

        rows, alone = self._waiting, self._alone
        self._waiting, self._alone = [], None
        if rows and self._file is not None:
            every = together(rows)
            self._write((alone or Chunk.of(every)).content, every.height)

    def _write(self, plain: bytes, rows: int) -> None:
        self._put(self._cipher.seal(_bound_to(self._place, self._own_name, self._number), plain))
        self._number += 1
        self._rows += rows

    def _put(self, content: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(content)
        except OSError:
            with suppress(OSError):
                self._file.close()
            remove(Path(self._name))
            self._file = None


def remove(file: Path) -> None:
    """Remove a file, if it is there and can be."""
    with suppress(OSError):
        file.unlink()


def heights(chunks: Iterable[Chunk], touched: pl.Series) -> int:
    """Return how many rows of chunks have none of these ids. Raises Damaged."""
    return sum(untouched(chunk.rows(["id"]), touched).height for chunk in chunks)
