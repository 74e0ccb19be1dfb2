"""Files for a spreadsheet: no cell becomes another formula, and no sheet is fuller than one may be."""

import gc
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from crm_compliance.reports.parts import spreadsheet
from crm_compliance.reports.parts.spreadsheet import Cell, Column, Linked, write_xlsx
from tests.crm_compliance.reports.plan.test_changes import sheet
from tests.crm_compliance.reports.sample import NOW


def test_a_cell_never_becomes_another_formula() -> None:
    """R-124: an id with a quotation mark, or an address that is too long for a formula, stays text."""
    out = io.BytesIO()
    rows: list[list[Cell]] = [[Linked('"&1+1&"', "https://org.example/")], [Linked("far", "https://org.example/" + "a" * 255)], ["=1+1"]]
    write_xlsx("t", "Units", NOW, [Column("id", 10)], rows, out)
    assert [row[0] for row in sheet(out.getvalue())] == ["id", '=HYPERLINK("https://org.example/","""&1+1&""")', "far", "=1+1"]
    book = load_workbook(io.BytesIO(out.getvalue()))["Units"]
    assert [book.cell(line, 1).data_type for line in (2, 3, 4)] == ["f", "s", "s"]


def test_a_sheet_that_is_full_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 2)
    out = io.BytesIO()
    write_xlsx("t", "Units", NOW, [Column("id", 10)], [[str(number)] for number in range(5)], out)
    assert [len(sheet(out.getvalue(), name)) for name in ("Units", "Units 2", "Units 3")] == [3, 3, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library does not close what it has open either
def test_a_sheet_that_is_interrupted_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library puts each sheet aside on its way."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def rows() -> Iterator[list[Cell]]:
        yield ["one"]
        assert list(tmp_path.iterdir()), "something is put aside"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_xlsx("t", "Units", NOW, [Column("id", 10)], rows(), io.BytesIO())
    assert list(tmp_path.iterdir()) == []
    gc.collect()
