"""statistics export, as it is typed."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.drivers.night import Night
from tests.drivers.typist import Typist


def some_statistics(org: Night) -> None:
    def rows(number: int, **columns: Any) -> None:
        for _ in range(number):
            org.create("cf_statistics", "cf_statisticid", **({"cf_name": "Statistic", "cf_year": 2020, "cf_count": 1} | columns))

    rows(9, cf_categorykey="sexting", cf_sex="f", cf_province="Antwerp")
    rows(3, cf_categorykey="sexting", cf_sex="m", cf_province="Antwerp")
    rows(6, cf_categorykey="=runaway", cf_sex="f", cf_province="Limburg")
    org.create("cf_statistics", "cf_statisticid", cf_name="Statistic", cf_categorykey="total_disappearance", cf_year=2020, cf_count=2)


def test_the_tables_are_written_masked(typist: Typist, org: Night, tmp_path: Path) -> None:
    """ERA-10: three boys are `< 5`, and the girls beside them are not given either, because 12 is known."""
    some_statistics(org)
    file = tmp_path / "figures.json"
    answer = typist.ask("statistics", "export", "--output", file)
    document = json.loads(file.read_text(encoding="utf-8"))
    tables = {table["table"]: table for table in document["tables"]}
    assert [(cell["value"], cell["shown"], cell["count"]) for cell in tables["sex"]["cells"] if cell["category"] == "sexting"] == [
        ("f", "suppressed", None),
        ("m", "below", None),
    ]
    assert [(cell["category"], cell["count"]) for cell in tables["category"]["cells"]] == [("=runaway", 6), ("sexting", 12)]
    assert [(cell["category"], cell["shown"]) for cell in tables["mission"]["cells"]] == [("disappearance", "below")]
    assert (answer["files"], answer["rows"], answer["masked"], answer["suppressed"], answer["withheld"]) == ([str(file)], 19, 2, 1, 0)
    assert answer["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    (entry,) = [entry.data for entry in org.store.ledger.entries() if entry.kind == "statistics_export"]
    assert entry == {"rows": 19, "tables": 10, "sha256": answer["sha256"]}  # ACC-01: what was given out, without a word of it


def test_a_csv_file_holds_no_formula(typist: Typist, org: Night, tmp_path: Path) -> None:
    """R-124."""
    some_statistics(org)
    file = tmp_path / "figures.csv"
    typist.ask("statistics", "export", "--output", file)
    with file.open(encoding="utf-8", newline="") as opened:
        head, *rows = list(csv.reader(opened))
    assert head == ["table", "year", "category", "value", "count"]
    assert ["category", "2020", "'=runaway", "", "6"] in rows
    assert ["province", "total", "total", "Limburg", "6"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert not [row for row in rows if row[-1].isdecimal() and int(row[-1]) < 5]


def test_a_spreadsheet_holds_numbers_and_text(typist: Typist, org: Night, tmp_path: Path) -> None:
    some_statistics(org)
    file = tmp_path / "figures.xlsx"
    typist.ask("statistics", "export", "--output", file)
    book = openpyxl.load_workbook(file)
    assert book.sheetnames[:2] == ["category", "province"]
    assert book.sheetnames[-1] == "legend"
    rows = list(book["category"].iter_rows(values_only=True))
    assert rows[:3] == [("year", "category", "value", "count"), ("2020", "=runaway", "", 6), ("2020", "sexting", "", 12)]
    assert [cell.data_type for cell in book["category"][2]][1] == "s"
    assert [row[3] for row in book["sex"].iter_rows(values_only=True)][1:4] == [6, "x", "< 5"]
    book.close()


def test_a_person_is_told_how_much_is_hidden(typist: Typist, org: Night, tmp_path: Path) -> None:
    some_statistics(org)
    file = tmp_path / "figures.csv"
    said = typist.type("statistics", "export", "--output", file)
    assert said.code == 0
    assert "19 rows of statistics in 10 tables: 2 counts below 5 masked" in said.out.replace("\n", " ")
    assert said.last == f"written: {file}"


@pytest.mark.parametrize("name", ["figures.html", "figures", "nowhere/figures.csv"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(typist: Typist, org: Night, tmp_path: Path, name: str) -> None:
    before = org.emulator.stats()["requests"]
    assert typist.refused("statistics", "export", "--output", tmp_path / name, code=2)["message"]
    assert org.emulator.stats()["requests"] == before
