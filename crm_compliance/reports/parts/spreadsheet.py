"""Rows for a spreadsheet, as CSV or XLSX, written one after the other: a million take no more memory than
ten. Text is text, a day a real day, and an address opens its record in the CRM."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from crm_compliance.host.files import folder_aside
from crm_compliance.reports.parts.cells import write_csv_rows

MAX_ROWS = 1_000_000  # Excel's sheets end at 1,048,576 rows; the library drops what is beyond without a word
# Rows are written one after the other, and text stays text.
OPTIONS = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
MAX_TEXT = 255  # characters of a text inside a formula
FIRST_DAY = date(1900, 3, 1)  # earlier ones are other days in Excel than in the calendar


class Linked(NamedTuple):
    """A text that opens an address; "" where there is none."""

    text: str
    address: str


class Column(NamedTuple):
    heading: str
    width: int


Cell: TypeAlias = str | date | Linked | None


def write_csv(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], out: BinaryIO) -> None:
    """Write comma separated, UTF-8: days in ISO form, a linked text without its address, no formula
    (R-124)."""
    write_csv_rows([column.heading for column in columns], (map(_text, row) for row in rows), out)


@contextmanager
def workbook(out: BinaryIO) -> Iterator[Any]:
    """Yield a workbook, which is in `out` when the block ends well. What the library puts aside on its way is
    gone however the block ends, at the next time where the process is killed: it does not remove that itself
    where it is interrupted."""
    import xlsxwriter

    with folder_aside() as aside:
        book = xlsxwriter.Workbook(out, {**OPTIONS, "tmpdir": str(aside)})
        yield book
        book.close()


def write_xlsx(
    title: str, sheet_name: str, made_at: datetime, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], out: BinaryIO
) -> None:
    """Write one sheet, continued on others where Excel's limit asks for it. A link is a formula: Excel takes
    65,530 of the other kind a sheet."""
    with workbook(out) as book:
        book.set_properties({"title": title, "created": made_at.astimezone(UTC).replace(tzinfo=None)})
        bold = book.add_format({"bold": True, "bottom": 1})
        day, link = book.add_format({"num_format": "yyyy-mm-dd"}), book.get_default_url_format()
        number, sheet, line = 1, _sheet(book, sheet_name, columns, bold), 1
        for row in rows:
            if line > MAX_ROWS:
                _finish(sheet, columns, line)
                number, line = number + 1, 1
                sheet = _sheet(book, f"{sheet_name} {number}", columns, bold)
            for place, cell in enumerate(row):
                if isinstance(cell, Linked):
                    _link(sheet, line, place, cell, link)
                elif isinstance(cell, date) and cell >= FIRST_DAY:
                    sheet.write_datetime(line, place, cell, day)
                elif cell is not None:
                    sheet.write_string(line, place, _text(cell))
            line += 1
        _finish(sheet, columns, line)


def _sheet(book: Any, name: str, columns: Sequence[Column], bold: Any) -> Any:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.heading, bold)
    return sheet


def _finish(sheet: Any, columns: Sequence[Column], lines: int) -> None:
    sheet.autofilter(0, 0, max(lines - 1, 1), len(columns) - 1)


def _link(sheet: Any, line: int, place: int, cell: Linked, style: Any) -> None:
    if cell.address and max(len(cell.address), len(cell.text)) <= MAX_TEXT:
        sheet.write_formula(line, place, f"=HYPERLINK({_quoted(cell.address)},{_quoted(cell.text)})", style, cell.text)
    else:
        sheet.write_string(line, place, cell.text)


def _quoted(text: str) -> str:
    """Return a text inside a formula, where it can be nothing else."""
    return '"' + text.replace('"', '""') + '"'


def _text(cell: Cell) -> str:
    if isinstance(cell, Linked):
        return cell.text
    return cell.isoformat() if isinstance(cell, date) else cell or ""
