"""Tables on a terminal of 80 columns: an id, a number or a digest is never cut, words wrap."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0, wraps: int | None = None) -> Table:
    """Return a table with one line per row. The last `numbers` columns are right-aligned; only the column
    `wraps` is ever broken into lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, column in enumerate(columns):
        number = at >= len(columns) - numbers
        table.add_column(column, justify="right" if number else "left", no_wrap=at != wraps, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def facts_of(document: Mapping[str, object]) -> Table:
    """Return one fact per line: its name and its value."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in document.items():
        table.add_row(Text(name.replace("_", " ")), Text("" if value is None else str(value)))
    return table
