"""Lines of a plan that somebody has filtered, as a file for a spreadsheet."""

from collections.abc import Callable, Iterator, Mapping
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
WIDTH_OF_WORDS = 44
CODED = ("table", "outcome", "disposition", "reason", "reasons", "flags", "categories", "rule")
InWords = Callable[[PlanLine, str], str]  # what a column of a line says, in words


def write_lines(
    suffix: str,
    view: LinesView,
    query: LineQuery,
    out: BinaryIO,
    *,
    link: Link,
    now: datetime,
    language: Language | None,
    words: InWords | None,
) -> None:
    """Write every line that matches, in the order of the query, whatever its offset and limit; `suffix` is
    `.csv` or `.xlsx`. `link` gives the address of a row in the CRM (ACC-04). Headings are the names of the
    plan file, or words of a language; with `words` each column of codes has one beside it that says them. In
    CSV the address stands in a column of its own."""
    columns = [column for name in LINE_COLUMNS for column in columns_of(name, heading(name, language), language, words)]
    if suffix == ".csv":
        columns.append(Column(heading("link", language), WIDTH))
    rows = (_cells(line, link, suffix, words) for line in view.lines(query))
    writers: Mapping[str, Callable[..., None]] = {
        ".csv": write_csv,
        ".xlsx": partial(write_xlsx, f"Plan {view.plan.id}", sheet_name(language), now),
    }
    writers[suffix](columns, rows, out)


def columns_of(name: str, said: str, language: Language | None, words: InWords | None) -> Iterator[Column]:
    """Yield the columns of one value of a line: the value, and where it is a code that, in words."""
    yield Column(said, WIDTHS.get(name, WIDTH))
    if words is not None and name in CODED:
        yield Column(f"{said}, {heading('in words', language)}", WIDTH_OF_WORDS)


def cells_of(line: PlanLine | None, name: str, words: InWords | None) -> Iterator[Cell]:
    """Yield what stands in the columns of one value; nothing where there is no line."""
    yield cell_of(line, name) if line is not None else None
    if words is not None and name in CODED:
        yield words(line, name) if line is not None else None


def _cells(line: PlanLine, link: Link, suffix: str, words: InWords | None) -> list[Cell]:
    address = safe_link(link(line.table, line.id))
    cells: list[Cell] = []
    for name in LINE_COLUMNS:
        cells += (Linked(line.id, address),) if name == "id" else cells_of(line, name, words)
    return [*cells, address] if suffix == ".csv" else cells


def cell_of(line: PlanLine, name: str) -> Cell:
    """Return a value of a line as a cell; several are joined by spaces."""
    value = getattr(line, name)
    if name == "retention_end" and value is not None:
        return date.fromisoformat(value)
    found: Cell = " ".join(value) if isinstance(value, tuple) else value
    return found
