"""Files that were written into a text in base64: a picture in a card of somebody, in JSON, in a page.

Nobody who reads such a text sees what it shows, and whoever gets the letters has the file. Source: EXP-06,
EXP-07."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from jobs.files.archives import ARCHIVE, GZIP
from jobs.files.pdf import is_pdf
from jobs.files.pictures import is_picture

LEFT_OUT: Final = "[…]"
_SHORTEST: Final = 64  # letters; no file that shows or says anything is shorter
# On one line, or over lines that are long or set in; the last may be short where it is padded.
_LETTERS: Final = re.compile(
    r"[A-Za-z0-9+/_-]{16,}+(?:\r?\n[ \t]++[A-Za-z0-9+/_-]++|\r?\n[A-Za-z0-9+/_-]{40,}+)*+(?:\r?\n[A-Za-z0-9+/_-]{1,39}(?==))?={0,2}"
)
_BLANKS: Final = re.compile(r"\s+")
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"
_MAGIC: Final = (*ARCHIVE, GZIP, _COMPOUND, b"RIFF", b"ID3", b"OggS", b"fLaC", b"\xff\xfb", b"7z\xbc\xaf", b"Rar!")


def files_in(text: str) -> Iterator[bytes]:
    """Yield the files in a text, as far as each can be unpacked."""
    for found in _LETTERS.finditer(text):
        if (content := _file(found[0])) is not None:
            yield content


def without_files(text: str) -> str:
    """Return a text with a sign in the place of each file."""
    return _LETTERS.sub(lambda found: LEFT_OUT if _file(found[0]) is not None else found[0], text)


def _file(letters: str) -> bytes | None:
    """Return what letters of base64 stand for, where that begins like a file."""
    if len(letters) < _SHORTEST:
        return None
    if not _is_file(_unpacked(letters[:_SHORTEST])):
        return None
    return _unpacked(_BLANKS.sub("", letters))


def _unpacked(letters: str) -> bytes:
    bare = letters.rstrip("=").translate({0x2D: "+", 0x5F: "/"})
    try:
        return base64.b64decode(bare[: len(bare) // 4 * 4] + ("" if len(bare) % 4 < 2 else bare[len(bare) // 4 * 4 :].ljust(4, "=")))
    except (binascii.Error, ValueError):
        return b""


def _is_file(begin: bytes) -> bool:
    return begin.startswith(_MAGIC) or is_picture(begin) or is_pdf(begin) or begin[4:8] == b"ftyp"
