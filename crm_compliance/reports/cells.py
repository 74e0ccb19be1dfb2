"""A plan line as the cells of a table, for the formats that a spreadsheet opens."""

from __future__ import annotations

from jobs.plan import LINE_COLUMNS, PlanLine

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet runs a cell that starts so


def cells(line: PlanLine) -> list[str]:
    """A plan line as text, in the order of the columns; an absent value is empty."""
    values = (getattr(line, column) for column in LINE_COLUMNS)
    return [" ".join(value) if isinstance(value, tuple) else "" if value is None else value for value in values]


def formula_safe(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would run it."""
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell
