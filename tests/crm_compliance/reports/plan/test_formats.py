"""The files of a plan: the columns of the contract, no formula, no more memory for more lines."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable

import openpyxl
import pytest
from typing_extensions import Buffer

from crm_compliance.reports.plan import workbook
from crm_compliance.reports.plan.formats import FORMATS, Source, write_report
from jobs.model.plan import LINE_COLUMNS, Plan, PlanLine
from rules.dates.calendar import BELGIAN
from rules.model.decisions import Reason
from tests.crm_compliance.reports.golden import compare
from tests.crm_compliance.reports.sample import (
    LABELS,
    NOW,
    a_line,
    document_of,
    generated,
    in_parts,
    link,
    plan_of,
    sample_lines,
    sample_plan,
)


def written(suffix: str, lines: list[PlanLine], plan: Plan | None = None) -> bytes:
    out = io.BytesIO()
    plan = plan or plan_of(lines)
    write_report(suffix, Source(document_of(plan), plan, in_parts(lambda: lines), NOW, LABELS, link, BELGIAN), out)
    assert not out.closed
    return out.getvalue()


def rows_of(sheet: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(row) for row in sheet]


def test_a_plan_file_has_one_object_a_line_with_the_keys_of_the_contract_first() -> None:
    lines = sample_lines()
    found = [json.loads(line) for line in written(".jsonl", lines).splitlines()]
    assert len(found) == len(lines)
    assert all(tuple(line)[: len(LINE_COLUMNS)] == LINE_COLUMNS for line in found)
    assert {tuple(line)[len(LINE_COLUMNS) :] for line in found} == {("anchor", "anchor_on")}
    assert found[0]["etag"] == lines[0].etag


def test_the_json_file_is_the_answer_of_plan_with_its_units() -> None:
    lines = sample_lines()
    found = json.loads(written(".json", lines))
    assert found["unit_count"] == len(found["units"]) == len(lines)
    assert found["units"][3]["id"] == lines[3].id
    assert set(document_of(plan_of(lines))) <= set(found)
    assert json.loads(written(".json", []))["units"] == []


def test_the_json_file_tells_roles_and_times_of_approvals_and_no_folder_of_a_user() -> None:
    word = {"as": "an.peeters", "role": "dpo", "at": "2026-11-25T11:01:00Z", "approves": True, "comment": "Gezien"}
    document = document_of(plan_of([])) | {"approvals": {"needed": ["dpo"], "given": [word]}, "rejected": [word], "proposer": "nora.admin"}
    document["files"] = ["/home/nora/plan.json"]
    out = io.BytesIO()
    write_report(".json", Source(document, plan_of([]), in_parts(list), NOW, LABELS, link, BELGIAN), out)
    found = json.loads(out.getvalue())
    assert found["approvals"] == {"needed": ["dpo"], "given": [{"as": None, "role": "dpo", "at": "2026-11-25T11:01:00Z"}]}
    assert found["rejected"] == found["approvals"]["given"]
    assert found["files"] == ["plan.json"]
    assert not [name for name in (b"nora", b"an.peeters", b"Gezien") if name in out.getvalue()]


def test_the_csv_file_has_the_columns_of_the_contract_and_a_unit_a_line() -> None:
    lines = sample_lines()
    rows = list(csv.DictReader(io.StringIO(written(".csv", lines).decode())))
    assert tuple(rows[0]) == LINE_COLUMNS
    assert len(rows) == len(lines)
    mixed = next(line for line in lines if len(line.categories) == 2)
    assert next(row for row in rows if row["id"] == mixed.id)["categories"] == "civil_party social_card"
    assert {row["disposition"] for row in rows} == {"delete", "anonymise", ""}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *((f"{start}HYPERLINK(1)", f"'{start}HYPERLINK(1)") for start in ("=", "+", "-", "@", "\t", "\r", "＝")),
        ("a;=1+1", "a;'=1+1"),
        (" =1+1", "' =1+1"),
        ("a-b", "a-b"),
    ],
)
def test_no_cell_of_a_csv_file_is_a_formula(text: str, shown: str) -> None:
    """R-124: also full-width, behind a blank, and where a spreadsheet splits at a semicolon."""
    rows = list(csv.reader(io.StringIO(written(".csv", [a_line(1, categories=[text])]).decode(), newline="")))
    assert rows[1][LINE_COLUMNS.index("categories")] == shown


def test_a_spreadsheet_has_the_same_cells_as_strings_and_a_sheet_of_totals() -> None:
    lines = [*sample_lines(), a_line(9000, categories=["=1+1"]), a_line(9001, categories=["100000999"])]
    book = openpyxl.load_workbook(io.BytesIO(written(".xlsx", lines)))
    assert book.sheetnames == ["Units", "Totals"]
    sheet = book["Units"]
    rows = rows_of(sheet.iter_rows(values_only=True))
    text = list(csv.reader(io.StringIO(written(".csv", lines).decode())))
    plain = [[cell or "" for cell in row] for row in rows]
    assert plain[:-2] == text[:-2]
    assert plain[-2][LINE_COLUMNS.index("categories")] == "=1+1"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} <= {"s", "inlineStr"}
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:L{len(lines) + 1}"
    linked = [row[1].hyperlink for row in sheet.iter_rows(min_row=2) if row[2].value == "dispose"]
    assert all(one is not None and one.target == link(str(lines[0].table), lines[0].id) for one in linked[:1])
    totals = {row[0]: row[1] for row in book["Totals"].iter_rows(values_only=True)}
    assert totals["units read"] == len(lines)
    assert totals["to delete"] == 48


def test_a_plan_longer_than_a_sheet_goes_on_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 101)
    lines = list(generated(250))
    book = openpyxl.load_workbook(io.BytesIO(written(".xlsx", lines)))
    assert book.sheetnames == ["Units", "Units 2", "Units 3", "Totals"]
    ids = [row[1] for name in book.sheetnames[:3] for row in book[name].iter_rows(min_row=2, values_only=True)]
    assert ids == [line.id for line in lines]


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_an_empty_plan_can_be_written_in_every_format(suffix: str) -> None:
    found = written(suffix, [])
    assert found or suffix == ".jsonl"


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_no_format_names_the_proposer_an_approver_or_a_comment(suffix: str) -> None:
    found = written(suffix, sample_lines(), sample_plan())
    if suffix == ".xlsx":
        book = openpyxl.load_workbook(io.BytesIO(found))
        found = repr([list(sheet.iter_rows(values_only=True)) for sheet in book]).encode()
    for word in (b"nora.admin", b"an.peeters", b"Lotte", b"Gezien"):
        assert word not in found


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_ten_thousand_lines_are_written_in_little_memory(suffix: str) -> None:
    count, plan = 10_000, sample_plan()
    written(suffix, sample_lines())  # imports, templates and caches are not what is measured
    out = Sink()
    tracemalloc.start()
    try:
        write_report(suffix, Source(document_of(plan), plan, in_parts(lambda: generated(count)), NOW, LABELS, link, BELGIAN), out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert out.bytes > 10_000
    assert peak < 4_000_000, f"{peak} bytes"


class Sink(io.BytesIO):
    """A file that counts and forgets."""

    bytes = 0

    def write(self, data: Buffer) -> int:
        size = memoryview(data).nbytes
        self.bytes += size
        return size


def test_the_csv_of_a_short_plan_looks_as_agreed(pytestconfig: pytest.Config) -> None:
    lines = [*sample_lines()[:12], a_line(500, reasons=[Reason.UNCONFIGURED], categories=["=cmd|' /C calc'!A0"])]
    compare("short-plan.csv", written(".csv", lines).decode().replace("\r\n", "\n"), pytestconfig)
