"""The table: what a person takes along, one line a field, for any spreadsheet (EXP-15). No cell can be read
as a formula (EXP-19, R-124): not by its first character, nor by what stands behind a separator where a
spreadsheet of another country splits it, nor by a line end inside it."""

import csv
import io
from typing import Final

from crm_compliance.answer_package.content.view import Shown
from crm_compliance.reports.parts.cells import formula_safe

COLUMNS: Final = ("item", "context", "type", "title", "date", "field", "value")


def data_csv(shown: Shown) -> bytes:
    """Make the table: UTF-8 with a header, every cell in quotes, days in ISO 8601."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in shown.items:
        for field in item.fields:
            row = (item.number, item.context, item.kind, item.title, item.at, field.name, field.value)
            writer.writerow([cell(value) for value in row])
    return out.getvalue().encode("utf-8", "replace")


def cell(value: object) -> str:
    """Write a value so that a spreadsheet takes it for text; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return formula_safe(str(value))
