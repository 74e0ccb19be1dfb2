"""Texts in the encoding that they were written in."""

import codecs
import re
from typing import Final

_MARKS: Final = (  # the longer mark first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# What two bytes of ASCII give where they are taken for one of UTF-16: whole words of it are words of ASCII.
_TWO_OF_ASCII: Final = re.compile("[" + "".join(f"{chr(high << 8 | 0x20)}-{chr(high << 8 | 0x7E)}" for high in range(0x20, 0x7F)) + "]{2}")
_SEVERAL_BYTES: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")  # of UTF-8


def decoded(body: bytes) -> str | None:
    """Decode a text in the encoding that it was written in. None where it has characters that no text has,
    and where it is not plainly of one encoding: in the wrong one a name would be hidden."""
    marked = next((encoding for mark, encoding in _MARKS if body.startswith(mark)), None)
    if marked is not None:
        text = _in(marked, body)
    elif b"\0" in body:
        text = _in_pairs(body)
    else:
        text = _in("utf-8", body)
        if text is None and not _SEVERAL_BYTES.search(body):
            text = _in("cp1252", body) or _in("latin-1", body)
    return None if text is None or _CONTROLS.search(text) else text


def _in_pairs(body: bytes) -> str | None:
    """Return a text in UTF-16 without a mark, where that is evident: the same byte of most pairs is zero, and
    never the other one."""
    nothing = body[0::2].count(0), body[1::2].count(0)
    if min(nothing) or max(nothing) * 4 <= len(body):
        return None
    text = _in("utf-16-be" if nothing[0] else "utf-16-le", body)
    return None if text is None or _TWO_OF_ASCII.search(text) else text


def _in(encoding: str, body: bytes) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return None
