"""Lines of a plan that somebody has filtered, as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import BinaryIO

from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.parts.spreadsheet import Cell, Column, Linked, write_csv, write_xlsx
from crm_compliance.reports.plan.headings import heading, sheet_name
from crm_compliance.reports.plan.model import Link
from jobs.model.plan import LINE_COLUMNS, PlanLine
from jobs.plans.lines.query import LineQuery
from jobs.plans.lines.view import LinesView
from rules.model.languages import Language

WIDTHS: Mapping[str, int] = {"id": 38, "reasons": 26, "flags": 30, "categories": 30, "table": 15, "retention_end": 14, "etag": 18}
WIDTH = 18
SUFFIXES = (".csv", ".xlsx")


def write_lines(
    suffix: str, view: LinesView, query: LineQuery, out: BinaryIO, *, link: Link, now: datetime, language: Language | None = None
) -> None:
    """Write every line that matches, in the order of the query, whatever its offset and limit; `suffix` is
    one of SUFFIXES. `link` gives the address of a row in the CRM (ACC-04). Headings are the names of the plan
    file, or words of a language; in CSV the address stands in a column of its own."""
    names = [*LINE_COLUMNS, "link"] if suffix == ".csv" else LINE_COLUMNS
    columns = [Column(heading(name, language), WIDTHS.get(name, WIDTH)) for name in names]
    rows = (_cells(line, link, suffix) for line in view.lines(query))
    writers: Mapping[str, Callable[..., None]] = {
        ".csv": write_csv,
        ".xlsx": partial(write_xlsx, f"Plan {view.plan.id}", sheet_name(language), now),
    }
    writers[suffix](columns, rows, out)


def _cells(line: PlanLine, link: Link, suffix: str) -> list[Cell]:
    address = safe_link(link(line.table, line.id))
    cells = [Linked(line.id, address) if name == "id" else cell_of(line, name) for name in LINE_COLUMNS]
    return [*cells, address] if suffix == ".csv" else cells


def cell_of(line: PlanLine, name: str) -> Cell:
    """Return a value of a line as a cell; several are joined by spaces."""
    value = getattr(line, name)
    if name == "retention_end" and value is not None:
        return date.fromisoformat(value)
    found: Cell = " ".join(value) if isinstance(value, tuple) else value
    return found
