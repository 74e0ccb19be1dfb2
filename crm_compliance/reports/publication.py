"""The published statistics as a file: CSV, a spreadsheet or JSON, chosen by its suffix. Numbers are numbers
and everything else is text, so that nothing in a cell is ever a formula (R-124)."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from crm_compliance.reports.parts.cells import write_csv_rows
from crm_compliance.reports.parts.spreadsheet import workbook
from rules.anonymisation.publication import LEGEND, SUPPRESSED, Cell, PublishedTable, Shown

Tables = Sequence[PublishedTable]
COLUMNS = ("table", "year", "category", "value", "count")
WIDTHS = (10, 34, 24, 10)


def write_publication(suffix: str, tables: Tables, out: BinaryIO) -> None:
    """Write the tables to a binary file; nothing is closed here."""
    WRITERS[suffix](tables, out)


def _csv(tables: Tables, out: BinaryIO) -> None:
    """Write all tables one below the other, distinguished by the first column; comma-separated, UTF-8."""
    rows = ((table.name, *row) for table in tables for row in _rows(table))
    write_csv_rows(COLUMNS, rows, out)


def _json(tables: Tables, out: BinaryIO) -> None:
    document = {
        "legend": dict(LEGEND),
        "tables": [
            {
                "table": table.name,
                "cells": [_object(cell) for cell in table.cells],
                "totals": [_object(cell) for cell in table.totals],
                "withheld": [{"year": year, "category": category} for year, category in table.withheld],
            }
            for table in tables
        ],
    }
    out.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _xlsx(tables: Tables, out: BinaryIO) -> None:
    """Write one sheet per table, and one that explains the marks."""
    with workbook(out) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        for table in tables:
            _sheet(book.add_worksheet(table.name), table, bold)
        legend = book.add_worksheet("legend")
        legend.set_column(1, 1, 70)
        for row, (mark, meaning) in enumerate(LEGEND.items()):
            legend.write_string(row, 0, mark)
            legend.write_string(row, 1, meaning)


def _sheet(sheet: Any, table: PublishedTable, bold: Any) -> None:
    sheet.freeze_panes(1, 0)
    for column, (name, width) in enumerate(zip(COLUMNS[1:], WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, bold)
    for row, (year, category, value, count) in enumerate(_rows(table), 1):
        for column, text in enumerate((year, category, value)):
            sheet.write_string(row, column, text)
        if count.isdecimal():
            sheet.write_number(row, 3, int(count))
        else:
            sheet.write_string(row, 3, count)


def _rows(table: PublishedTable) -> Iterator[tuple[str, str, str, str]]:
    """Yield year, category, value and count as text: the cells, the lines that are withheld, the totals."""
    yield from ((cell.year, cell.category, cell.value, cell.text) for cell in table.cells)
    yield from ((year, category, "", SUPPRESSED) for year, category in table.withheld)
    yield from ((cell.year, cell.category, cell.value, cell.text) for cell in table.totals)


def _object(cell: Cell) -> dict[str, object]:
    count = cell.count if cell.shown is Shown.COUNT else None
    return {"year": cell.year, "category": cell.category, "value": cell.value, "shown": cell.shown.value, "count": count}


WRITERS: dict[str, Callable[[Tables, BinaryIO], None]] = {".csv": _csv, ".json": _json, ".xlsx": _xlsx}
