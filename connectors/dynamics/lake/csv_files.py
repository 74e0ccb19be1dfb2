"""Whether a CSV file of a lake is there to its end: of a text nothing else tells that it is."""

import io
import re
from pathlib import Path
from typing import Final

_QUOTED: Final = re.compile(r'"[^"]*"')
_TAIL: Final = 8 << 20  # bytes at the end that are looked at: several of the CRM's longest texts in one row


def ends_whole(path: Path, fields: int) -> bool:
    """Return whether the last row of a file has so many fields, each with its closing quote. A row that is
    cut off within its last field, where that is not quoted, looks whole. Raises OSError."""
    with open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read().decode("utf-8", "replace")
    text = tail.rstrip("\r\n")
    begins, quotes = len(text), 0
    while True:  # a line break with an odd number of quotes behind it is one within a field
        before = begins
        begins = text.rfind("\n", 0, before)
        quotes += text.count('"', begins + 1, before)
        if begins < 0 or quotes % 2 == 0:
            return _is_one_row(text[begins + 1 :], fields)


def _is_one_row(text: str, fields: int) -> bool:
    outside = _QUOTED.sub("", text)  # what stands between quotes may be longer than the csv module takes
    return '"' not in outside and "\n" not in outside and outside.count(",") + 1 == fields
