"""The plan as a spreadsheet: every unit on the first sheet, totals on the last. Strings are written as
strings, so that nothing in a cell is ever a formula or a link made up by the spreadsheet (R-124)."""

from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any, BinaryIO

from crm_compliance.reports.parts.cells import cells
from crm_compliance.reports.parts.clock_times import utc_time
from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.parts.spreadsheet import MAX_ROWS, workbook
from crm_compliance.reports.plan.model import DryRunReport
from jobs.model.plan import LINE_COLUMNS, PlanLine

MAX_LINKS = 10_000  # Excel takes 65,530 a sheet, and each is kept in memory until the end
WIDTHS = {
    "table": 15,
    "id": 38,
    "outcome": 10,
    "disposition": 12,
    "retention_end": 14,
    "reason": 18,
    "reasons": 26,
    "flags": 30,
    "categories": 30,
    "rule": 9,
    "policy_version": 15,
    "etag": 18,
}


def write_workbook(report: DryRunReport, lines: Callable[[], Iterable[PlanLine]], out: BinaryIO) -> None:
    """Write the sheets `Units`, continued on `Units 2` and so on where Excel's limit asks for it, and
    `Totals`. The id of a disposal opens its row in the CRM (ACC-04), up to MAX_LINKS."""
    with workbook(out) as book:
        book.set_properties(
            {
                "title": f"Dry run of {report.day}",
                "subject": f"Plan {report.plan.id}",
                "created": report.now.astimezone(UTC).replace(tzinfo=None),
            }
        )
        bold = book.add_format({"bold": True, "bottom": 1})
        links = sheet_number = 0
        sheet: Any = None
        row = MAX_ROWS
        for line in lines():
            if row >= MAX_ROWS:
                _finish(sheet, row)
                sheet_number += 1
                sheet, row = _unit_sheet(book, sheet_number, bold), 1
            for column, cell in enumerate(cells(line)):
                sheet.write_string(row, column, cell)
            if line.is_disposal and links < MAX_LINKS and (address := safe_link(report.link(line.table, line.id))):
                sheet.write_url(row, LINE_COLUMNS.index("id"), address, string=line.id)
                links += 1
            row += 1
        if sheet is None:
            sheet, row = _unit_sheet(book, 1, bold), 1
        _finish(sheet, row)
        _totals(book.add_worksheet("Totals"), report, bold)


def _unit_sheet(book: Any, number: int, bold: Any) -> Any:
    sheet = book.add_worksheet("Units" if number == 1 else f"Units {number}")
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(LINE_COLUMNS):
        sheet.set_column(column, column, WIDTHS[name])
        sheet.write_string(0, column, name, bold)
    return sheet


def _finish(sheet: Any, rows: int) -> None:
    if sheet is not None:
        sheet.autofilter(0, 0, max(rows - 1, 1), len(LINE_COLUMNS) - 1)


def _totals(sheet: Any, report: DryRunReport, bold: Any) -> None:
    """Write totals in the order of the report, one small table below the other."""
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 1, 90 if report.flags else 46)
    sheet.set_column(2, 5, 12)
    plan, city = report.plan, report.calendar.city
    sections: list[tuple[tuple[str, ...], list[tuple[str | int, ...]]]] = [
        (
            ("plan", plan.id),
            [
                (f"day looked at ({city})", report.day.isoformat()),
                ("kind", str(plan.kind)),
                ("schedule", f"{plan.policy_name} {plan.policy_version}"),
                ("state", str(report.state)),
                ("made at (UTC)", utc_time(plan.created_at)),
                (f"valid until ({city})", report.clock(plan.valid_until)),
                ("circuit breaker", "tripped" if plan.breaker.tripped else "not tripped"),
                ("digest", plan.digest),
                ("units read", plan.units),
                ("to delete", report.deleted),
                ("to anonymise", report.anonymised),
                ("kept", report.retained),
                ("past their retention end", report.past_end.units),
                ("recordings kept on the evidence mark", report.evidence_kept),
                ("contacts to trim", plan.to_trim),
            ],
        ),
        (
            ("category", "key", "delete", "anonymise", "keep", "due soon"),
            [(c.label, c.key, c.delete, c.anonymise, c.retain, c.due_soon) for c in report.categories],
        ),
        (
            ("kind of unit", "table", "delete", "anonymise", "keep"),
            [(t.name, t.table, t.delete, t.anonymise, t.retain) for t in report.tables],
        ),
        (("reason to keep", "meaning", "units"), [(r.code, r.sentence, r.units) for r in report.reasons]),
        (("flag", "meaning", "units"), [(f.code, f.sentence, f.units) for f in report.flags]),
        (("due soon, retention end", "", "units"), [(day, "", units) for day, units in plan.due_soon]),
    ]
    row = 0
    for head, body in sections:
        for column, title in enumerate(head):
            sheet.write_string(row, column, title, bold)
        for values in body:
            row += 1
            for column, value in enumerate(values):
                if isinstance(value, int):
                    sheet.write_number(row, column, value)
                else:
                    sheet.write_string(row, column, value)
        row += 2
