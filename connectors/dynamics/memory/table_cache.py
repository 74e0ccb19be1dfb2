"""What was read of a table, kept until the next time: encrypted, one file a table, in a folder that only we
may read.

Only the columns that decisions need are kept, as they came over the wire. Losing a file costs one full read
and nothing else, so anything wrong with one (another key, another version of this program, a torn write) is
treated as if there were none. A file is a random name of its own and a run of frames, each sealed for this
file and its place in it: the chunks of rows, and at the end what they are worth. So a table is written and
read piece by piece, however large it is, and what another process has put in its place meanwhile is never
taken for the rest of it."""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from isal import isal_zlib

from connectors.dynamics.reading.lanes import Stopped

FORMAT = 3
NONCE = 12
ID_BYTES = 16
NAME_BYTES = 16
SMALL = 500  # rows
PART = ".part."
CUT_DAYS = 60.0
PART_DAYS = 1.0  # nobody writes for longer; what is older a killed process has left
_LENGTH = 4  # bytes before each frame that tell its length
_COMPRESSION = 1
GUID_LENGTH = 36
_GUIDS = re.compile("(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})*+")


class Damaged(Exception):
    """A file is not what was written: it counts as none."""


class Chunk(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Some rows of a table: their ids in order, 16 bytes each, and their JSON array, compressed."""

    ids: bytes
    rows: bytes

    def __repr__(self) -> str:
        return f"Chunk({len(self)} rows)"

    def __len__(self) -> int:
        return len(self.ids) // ID_BYTES

    def each_id(self) -> list[bytes]:
        return [self.ids[at : at + ID_BYTES] for at in range(0, len(self.ids), ID_BYTES)]

    def json(self) -> bytes:
        return isal_zlib.decompress(self.rows)

    def each_row(self) -> list[bytes]:
        return list(map(bytes, msgspec.json.decode(self.json(), type=list[msgspec.Raw])))


class Worth(msgspec.Struct, frozen=True):
    """What the chunks of a file are worth: `link` gives the changes since, `full_at` is when the table was
    last read from first row to last."""

    link: str
    full_at: datetime
    chunks: int
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Remembered:
    """A table as it was when its link was given out."""

    worth: Worth
    chunks: Callable[[], Iterator[Chunk]]


def id_bytes(row_id: str) -> bytes:
    """Return a GUID in 16 bytes, so that a million of them fit. Raises ValueError: it is not a GUID."""
    return UUID(row_id).bytes


def chunk_of(ids: Iterable[bytes], rows: Iterable[bytes | msgspec.Raw]) -> Chunk:
    """Return a chunk from the 16 bytes of each id and the JSON of each row."""
    return Chunk(b"".join(ids), isal_zlib.compress(b"[" + b",".join(map(bytes, rows)) + b"]", _COMPRESSION))


def chunk_as_it_came(ids: Sequence[str], rows: bytes) -> Chunk:
    """Return a chunk from ids and the JSON array of their rows, in one go. Raises ValueError: an id is no
    GUID."""
    text = "".join(ids)
    is_usual = set(map(len, ids)) == {GUID_LENGTH} and _GUIDS.fullmatch(text)
    packed = bytes.fromhex(text.replace("-", "")) if is_usual else b"".join(map(id_bytes, ids))
    return Chunk(packed, isal_zlib.compress(rows, _COMPRESSION))


def without(chunk: Chunk, gone: set[bytes]) -> Chunk:
    """Return the chunk without some of its rows."""
    if gone.isdisjoint(chunk.each_id()):
        return chunk
    kept = [(row_id, row) for row_id, row in zip(chunk.each_id(), chunk.each_row(), strict=True) if row_id not in gone]
    return chunk_of([row_id for row_id, _ in kept], [row for _, row in kept])


def tidied(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks without empty ones and with small neighbours merged, so that a year of nights does not
    leave a thousand fragments."""
    before: Chunk | None = None
    for chunk in chunks:
        if before is None:
            before = chunk
        elif len(chunk) < SMALL and len(before) < SMALL:
            before = chunk_of([*before.each_id(), *chunk.each_id()], [*before.each_row(), *chunk.each_row()])
        else:
            if len(before):
                yield before
            before = chunk
    if before is not None and len(before):
        yield before


class Memory:
    """The files of one CRM. `now` tells when a full read is due: at most `full_every_days` after the last.
    Without `keeps_rows` nothing of a row is kept, only where tables are cut."""

    def __init__(self, folder: Path, key: bytes, *, now: Callable[[], datetime], full_every_days: int = 7, keeps_rows: bool = True) -> None:
        self.folder, self.now, self.full_every_days, self.keeps_rows = folder, now, full_every_days, keeps_rows
        self._cipher = AESGCM(key)

    def place(self, table: str, columns: Iterable[str]) -> Path:
        """Return where these columns of a table are kept; other columns are another memory."""
        digest = hashlib.sha256(",".join(sorted(columns)).encode()).hexdigest()
        return self.folder / f"{table}-{digest[:16]}.rows"

    def load(self, place: Path) -> Remembered | None:
        """Return what is remembered there, or None. Its chunks are read when they are requested, and may turn
        out to be Damaged."""
        try:
            name, last = self._last(place)
            worth = msgspec.msgpack.decode(last, type=Worth)
        except (OSError, Damaged, msgspec.DecodeError):
            return None
        return Remembered(worth, lambda: self._chunks(place, name, worth)) if worth.format == FORMAT else None

    @contextmanager
    def writing(self, place: Path) -> "Iterator[Draft]":
        """Rewrite what is kept there: whole once the draft is finished, else nothing. A disk that fails costs
        no more than that. A read that nobody takes to its end leaves what was there."""
        draft = Draft(self.folder, place, self._seal)
        is_given_up = False
        try:
            yield draft
        except (GeneratorExit, Stopped):
            is_given_up = True
            raise
        finally:
            if not draft.settle() and not is_given_up:
                self.drop(place)

    def drop(self, place: Path) -> None:
        """Forget all of it."""
        _remove(place)

    def seal(self, place: Path, plain: bytes) -> None:
        """Keep something small there. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=PART, dir=self.folder)
        with open(handle, "wb") as file:
            file.write(self._seal(place.name.encode(), plain))
        os.replace(name, place)

    def opened(self, place: Path) -> bytes:
        """Return what `seal` kept there. Raises OSError; Damaged."""
        return self._open(place.name.encode(), place.read_bytes()[_LENGTH:])

    def drop_table(self, table: str) -> None:
        """Forget a table, whichever columns of it are kept."""
        for place in self._places(table):
            self.drop(place)

    def forget(self, table: str, versions: Mapping[str, str]) -> None:
        """Remove rows of a table wherever they are kept: what was erased or emptied in the CRM must not live
        on here. `versions` are ids and the version that was written over. A newer one stays: it came after
        the write, and no delta link would bring it again."""
        written = {id_bytes(row_id): version for row_id, version in versions.items()}
        for place in self._places(table):
            found = self.load(place)
            try:
                if found is None:
                    self.drop(place)
                elif gone := {row_id for chunk in found.chunks() for row_id in _old(chunk, written)}:
                    with self.writing(place) as draft:
                        for chunk in tidied(without(chunk, gone) for chunk in found.chunks()):
                            draft.add(chunk)
                        draft.finish(found.worth.link, found.worth.full_at)
            except Damaged:
                self.drop(place)

    def _places(self, table: str) -> list[Path]:
        return sorted(self.folder.glob(f"{table}-*.rows"))

    # -- frames ----------------------------------------------------------------------------------------------

    def _seal(self, bound_to: bytes, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, plain, bound_to)
        return len(sealed).to_bytes(_LENGTH, "big") + sealed

    def _open(self, bound_to: bytes, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], bound_to)
        except (InvalidTag, ValueError):
            raise Damaged from None

    def _last(self, place: Path) -> tuple[bytes, bytes]:
        """Return the name of the file that is there now, and its last frame."""
        last, number = b"", -1
        with open(place, "rb") as file:
            name = file.read(NAME_BYTES)
            for sealed in _frames(file):
                last, number = sealed, number + 1
        return name, self._open(_bound_to(place, name, number), last)

    def _chunks(self, place: Path, name: bytes, worth: Worth) -> Iterator[Chunk]:
        try:
            with open(place, "rb") as file:
                if file.read(NAME_BYTES) != name:
                    raise Damaged  # another process has written the table anew
                for number, sealed in enumerate(_frames(file)):
                    if number < worth.chunks:
                        yield msgspec.msgpack.decode(self._open(_bound_to(place, name, number), sealed), type=Chunk)
        except (OSError, msgspec.DecodeError):
            raise Damaged from None


def tidy(folder: Path, now: datetime, *, older_than_days: float, also_cuts: bool = True) -> None:
    """Remove unused files from the memories of all CRMs below a folder. These are files not written for so
    many days (each read writes them again; another CRM, user or mapping leaves them behind), and what killed
    processes have left half-written. 0 removes everything; without `also_cuts` but for where tables are cut,
    which only a full read writes again."""
    kinds = {"*.rows": older_than_days, f"{PART}*": min(PART_DAYS, older_than_days)}
    if also_cuts:
        kinds["*.cut"] = CUT_DAYS if older_than_days > 0 else 0
    for file, days in [(file, days) for kind, days in kinds.items() for file in folder.glob(f"*/{kind}")]:
        with suppress(OSError):
            if days <= 0 or now.timestamp() - file.stat().st_mtime >= days * 86_400:
                file.unlink()
    for memory in folder.glob("*/"):
        with suppress(OSError):
            memory.rmdir()  # only where nothing is in it


class Draft:
    """A file that is being written. Where the disk fails, writing continues silently and yields nothing."""

    def __init__(self, folder: Path, place: Path, seal: Callable[[bytes, bytes], bytes]) -> None:
        self._place, self._seal = place, seal
        self._own_name = secrets.token_bytes(NAME_BYTES)
        self._number = 0
        self._finished = False
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, self._name = tempfile.mkstemp(prefix=PART, dir=folder)  # mode 0600
            self._file = open(handle, "wb")  # noqa: SIM115  # closed by `settle`
        self._put(self._own_name)

    def add(self, chunk: Chunk) -> None:
        self._write(msgspec.msgpack.encode(chunk))

    def finish(self, link: str, full_at: datetime) -> None:
        self._write(msgspec.msgpack.encode(Worth(link, full_at, self._number)))
        self._finished = True

    def settle(self) -> bool:
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
        _remove(Path(self._name))
        return False

    def _write(self, plain: bytes) -> None:
        self._put(self._seal(_bound_to(self._place, self._own_name, self._number), plain))
        self._number += 1

    def _put(self, content: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(content)
        except OSError:
            with suppress(OSError):
                self._file.close()
            _remove(Path(self._name))
            self._file = None


def _bound_to(place: Path, name: bytes, number: int) -> bytes:
    """Return what a frame is sealed for: a table with its columns, one writing, and the place in the file."""
    return b"/".join([place.name.encode(), name, str(number).encode()])


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _frames(file: IO[bytes]) -> Iterator[bytes]:
    while head := file.read(_LENGTH):
        length = int.from_bytes(head, "big")
        sealed = file.read(length)
        if len(head) < _LENGTH or len(sealed) < length:
            raise Damaged
        yield sealed


class _Version(msgspec.Struct):
    etag: str = msgspec.field(name="@odata.etag")


def _old(chunk: Chunk, written: Mapping[bytes, str]) -> list[bytes]:
    """Return the ids of rows that are kept in the version that was overwritten."""
    ids = chunk.each_id()
    if written.keys().isdisjoint(ids):
        return []
    versions = msgspec.json.decode(chunk.json(), type=list[_Version])
    return [row_id for row_id, row in zip(ids, versions, strict=True) if written.get(row_id) == row.etag]
