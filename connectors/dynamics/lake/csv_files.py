"""Whether a CSV file of a lake is there to its end: of a text nothing else tells that it is."""

import re
from functools import partial
from pathlib import Path
from typing import Final

_QUOTED: Final = re.compile(r'"[^"]*"')
_BLOCK: Final = 8 << 20  # bytes read at once; the last of them hold several of the CRM's longest texts in one row


def ends_whole(path: Path, fields: int) -> bool:
    """Return whether the last row of a file is there to its end: every quote is closed, and a line break
    follows it, or it has so many fields. A row may have fewer, being older than a column. One that is cut off
    within its last field, where that is not quoted, looks whole. Raises OSError."""
    with open(path, "rb") as file:
        quotes = sum(block.count(b'"') for block in iter(partial(file.read, _BLOCK), b""))
        file.seek(max(0, file.tell() - _BLOCK))
        tail = file.read().decode("utf-8", "replace")
    if quotes % 2 or tail.endswith(("\n", "\r")):
        return quotes % 2 == 0
    begins, inside = len(tail), 0
    while begins > 0:  # a line break with an odd number of quotes behind it is one within a field
        before, begins = begins, tail.rfind("\n", 0, begins)
        inside += tail.count('"', begins + 1, before)
        if inside % 2 == 0:
            break
    return _QUOTED.sub("", tail[begins + 1 :]).count(",") + 1 == fields
