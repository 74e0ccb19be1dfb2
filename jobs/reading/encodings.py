"""Texts in the encoding that they were written in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

_MARKS: Final = (  # the longer mark first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAMPLE: Final = 4096


def decoded(body: bytes) -> str | None:
    """Decode a text in the encoding that it was written in; None where it has characters that no text has."""
    for text in _readings(body):
        return None if _CONTROLS.search(text) else text
    return None


def _readings(body: bytes) -> Iterator[str]:
    """The text by the first encoding that fits: as its mark says, UTF-8, UTF-16 without a mark, Western European."""
    marked = next((encoding for mark, encoding in _MARKS if body.startswith(mark)), None)
    encodings = [marked] if marked is not None else ["utf-8"]
    if marked is None and b"\0" in body[:_SAMPLE]:
        odd, even = body[1:_SAMPLE:2].count(0), body[0:_SAMPLE:2].count(0)
        encodings = ["utf-16-le" if odd > even else "utf-16-be"]
    elif marked is None:
        encodings += ["cp1252", "latin-1"]
    for encoding in encodings:
        try:
            yield body.decode(encoding)
        except UnicodeDecodeError:
            continue
