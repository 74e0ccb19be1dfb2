"""Whether a CSV file of a lake is there to its end: of a text nothing else tells that it is."""

import csv
import io
from pathlib import Path
from typing import Final

_TAIL: Final = 1 << 20  # bytes at the end that are looked at; the CRM's longest text is as long
_TRIED: Final = 1_000  # lines from which the last row may begin: a field may have line breaks


def ends_whole(path: Path, fields: int) -> bool:
    """Return whether the last row of a file has so many fields, each with its closing quote. A row that is
    cut off within its last field, where that is not quoted, looks whole. Raises OSError."""
    with open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read().decode("utf-8", "replace")
    text = tail.rstrip("\r\n")
    begins = len(text)
    for _ in range(_TRIED):
        begins = text.rfind("\n", 0, begins)
        if _is_one_row(text[begins + 1 :], fields):
            return True
        if begins < 0:
            return False
    return False


def _is_one_row(text: str, fields: int) -> bool:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return False
    return len(rows) == 1 and len(rows[0]) == fields
