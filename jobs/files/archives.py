"""What is packed: archives, the documents of text processors and spreadsheets, which are archives, and what
gzip made. Everything unpacked is taken from the budget of `limits.py`."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

from jobs.files.byte_strings import among_bytes
from jobs.files.limits import Budget, CannotRead, Unread

ARCHIVE: Final = (b"PK\x03\x04", b"PK\x05\x06")
GZIP: Final = b"\x1f\x8b"
_NO_PADDING: Final = re.compile(rb"[^\0]")
_EXTRA, _NAME, _REMARK = 4, 8, 16  # flags of a member of gzip
_STEP: Final = 256 * 1024
_LOCAL: Final = 30  # bytes of the head of a part, without its name
_FOLLOWS: Final = 24


def members(content: bytes, budget: Budget, depth: int) -> Iterator[tuple[str, bytes | None, str]]:
    """Return every member of an archive by its name, with its bytes and the notes on it; without bytes where
    it is locked.

    Raises:
        CannotRead: it would cost more than is left; something is in it that does not belong to it.
        Exception: whatever the library raises over damaged bytes."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        yield "", b"", among(archive.comment)
        for part in archive.infolist():
            budget.part(depth)
            noted = among(part.comment) + "\n" + among(part.extra)
            if part.is_dir():
                yield part.filename, b"", noted
            elif part.flag_bits & 1:
                yield part.filename, None, noted
            else:
                with archive.open(part) as opened:
                    yield part.filename, _whole(opened.read, budget), noted
        hidden = [content[begin:end] for begin, end in _between(archive, content)]
    if hidden:  # a part that its list does not name, or something before the first
        yield "", b"", among(b"\n".join(hidden))
        raise CannotRead(Unread.DAMAGED)


def _between(archive: zipfile.ZipFile, content: bytes) -> Iterator[tuple[int, int]]:
    """Return an archive's places without a part, except what may follow one (its sum and sizes)."""
    here = 0
    for part in sorted(archive.infolist(), key=lambda each: each.header_offset):
        begin = part.header_offset
        if begin > here + _FOLLOWS:
            yield here, begin
        lengths = int.from_bytes(content[begin + 26 : begin + 28], "little") + int.from_bytes(content[begin + 28 : begin + 30], "little")
        here = max(here, begin + _LOCAL + lengths + part.compress_size)
    if archive.start_dir > here + _FOLLOWS:
        yield here, archive.start_dir


def unzipped(content: bytes, budget: Budget, depth: int) -> tuple[str, bytes]:
    """Return what gzip packed, in one member or several, with what their heads note. Raises CannotRead: it
    would cost more than is left, or is damaged."""
    out, noted, here = [], [], 0
    while here < len(content):
        if not content.startswith(GZIP, here):
            raise CannotRead(Unread.DAMAGED)
        budget.part(depth)
        noted.append(_head(content, here))
        packed, piece = zlib.decompressobj(31), b""
        while not packed.eof:
            data = packed.unconsumed_tail or content[here : here + _STEP]
            here += 0 if packed.unconsumed_tail else len(data)
            if not data and len(piece) < _STEP:
                raise CannotRead(Unread.DAMAGED)
            try:
                piece = packed.decompress(data, _STEP)
            except zlib.error:
                raise CannotRead(Unread.DAMAGED) from None
            budget.unpack(len(piece))
            out.append(piece)
        following = _NO_PADDING.search(content, here - len(packed.unused_data))
        here = following.start() if following else len(content)
    return among(b"\n".join(noted).strip(b"\n")), b"".join(out)


def _head(content: bytes, begin: int) -> bytes:
    """Return what the head of a member of gzip notes, beyond its ten bytes (RFC 1952, 2.3)."""
    flags, end = content[begin + 3], begin + 10
    if flags & _EXTRA:
        end += 2 + int.from_bytes(content[end : end + 2], "little")
    for flag in (_NAME, _REMARK):
        end = content.find(b"\0", end) + 1 if flags & flag else end
    return content[begin + 10 : end]


def inflated(content: bytes, budget: Budget) -> bytes:
    """Return what can be inflated of bytes that may be a stream of zlib; it need not be whole, and what
    follows it does not count."""
    packed = zlib.decompressobj()
    out: list[bytes] = []
    try:
        piece = packed.decompress(content, _STEP)
        while piece:
            budget.unpack(len(piece))
            out.append(piece)
            piece = packed.decompress(packed.unconsumed_tail, _STEP) if not packed.eof else b""
    except zlib.error:
        pass
    return b"".join(out)


def among(noted: bytes) -> str:
    """Return what somebody noted on a packed file."""
    return "\n".join(among_bytes(noted)) if noted else ""


def _whole(read: Callable[[int], bytes], budget: Budget) -> bytes:
    out = []
    while piece := read(min(_STEP, budget.left + 1)):
        budget.unpack(len(piece))
        out.append(piece)
    return b"".join(out)
