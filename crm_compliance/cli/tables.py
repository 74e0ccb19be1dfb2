"""A list of documents as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table


def table_of(columns: Sequence[str], documents: Sequence[Mapping[str, object]]) -> Table:
    """One row a document, in the order given; a mapping is shown as `key: value` pairs."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "))
    for document in documents:
        table.add_row(*(_cell(document.get(column)) for column in columns))
    return table


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return "" if value is None else str(value)
