"""Cells for formats that a spreadsheet opens: a plan line as text, nothing that would run (R-124)."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import IO

from jobs.model.plan import LINE_COLUMNS, PlanLine

# what begins a formula, also full-width; before it nothing but what a spreadsheet skips. Behind `;`, a
# tab or a line end a new cell begins where a spreadsheet of another country splits a line.
_FORMULA = re.compile("(^|[;\t\r\n|])([ \u00a0\"'\u200b-\u200f\ufeff]*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212])")


def cells(line: PlanLine) -> list[str]:
    """Return a plan line as text, in the order of the columns; an absent value is empty."""
    values = (getattr(line, column) for column in LINE_COLUMNS)
    return [" ".join(value) if isinstance(value, tuple) else "" if value is None else value for value in values]


def formula_safe(cell: str) -> str:
    """Return the cell, with an apostrophe before whatever a spreadsheet would run."""
    if not cell or (cell[0].isalnum() and cell.isprintable() and ";" not in cell and "|" not in cell):
        return cell  # as nearly all are, of millions
    safe = _FORMULA.sub(lambda found: f"{found[1]}'{found[2]}", cell)
    return f"'{safe}" if safe[:1] in ("\t", "\r", "\n") else safe


def write_csv_rows(head: Sequence[str], rows: Iterable[Iterable[str]], out: IO[bytes]) -> None:
    """Write rows comma separated, UTF-8, and nothing that is a formula; the file stays open."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180; with less, Python 3.11 leaves a lone carriage return unquoted
        writer.writerow(head)
        writer.writerows(map(formula_safe, row) for row in rows)
        text.flush()
    finally:
        text.detach()  # the file is the caller's: do not close it with the wrapper
