"""The fictitious organisation keeps the contract of the environment, and nobody in it exists."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.emulator.seeding.mixture import generate
from connectors.emulator.serving.server import running

AS_OF = date(2026, 11, 25)
Row = dict[str, Any]
SYSTEM_COLUMNS = {"createdon", "statecode", "statuscode"}
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
WIRE = {
    "datetime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "choices": re.compile(r"1000000\d\d(,1000000\d\d)*"),
}


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, Row]]:
    return list(generate(dossiers=200, seed=1, as_of=AS_OF))


@pytest.fixture(scope="module")
def environment() -> dict[str, Any]:
    file = Path(__file__).parents[4] / "connectors" / "emulator" / "schema" / "environment.yaml"
    document: dict[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return document


def of(rows: list[tuple[str, Row]], table: str) -> Iterator[Row]:
    return (row for name, row in rows if name == table)


def test_the_same_seed_gives_the_same_rows(rows: list[tuple[str, Row]]) -> None:
    assert list(generate(dossiers=200, seed=1, as_of=AS_OF)) == rows


def test_another_seed_gives_other_people(rows: list[tuple[str, Row]]) -> None:
    others = {row["contactid"] for row in of(list(generate(dossiers=50, seed=2, as_of=AS_OF)), "contact")}
    assert others.isdisjoint(row["contactid"] for row in of(rows, "contact"))


def test_rows_come_one_dossier_at_a_time() -> None:
    assert len(list(islice(generate(dossiers=10**9, seed=1, as_of=AS_OF), 500))) == 500


def test_no_dossiers_still_gives_an_organisation() -> None:
    assert {table for table, _ in generate(dossiers=0, seed=1, as_of=AS_OF)} <= {"contact", "account"}


@pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2025, 8, 31), date(2026, 3, 29), date(2026, 12, 31), date(2028, 2, 29)])
def test_any_day_will_do(as_of: date) -> None:
    for seed in range(3):
        assert sum(table == "cf_dossier" for table, _ in generate(dossiers=200, seed=seed, as_of=as_of)) == 200


def test_a_dossier_brings_about_fifteen_rows(rows: list[tuple[str, Row]]) -> None:
    counts = Counter(table for table, _ in rows)
    assert counts["cf_dossier"] == 200
    assert 200 * 12 <= len(rows) <= 200 * 16
    assert 40 <= sum("cf_dossierid" not in fiche for fiche in of(rows, "cf_fiche")) <= 80


def test_every_row_keeps_the_types_and_lengths_of_the_environment(rows: list[tuple[str, Row]], environment: dict[str, Any]) -> None:
    columns_of = {table: definition["columns"] for table, definition in environment["tables"].items()}
    for table, row in rows:
        assert row.keys() >= SYSTEM_COLUMNS
        assert WIRE["datetime"].fullmatch(row["createdon"])
        for name in row.keys() - SYSTEM_COLUMNS:
            check_value(row[name], str(columns_of[table][name]["type"]), environment["choices"])
        required = {name for name, column in columns_of[table].items() if column.get("required") or column.get("key")}
        assert row.keys() >= required


def check_value(value: Any, column_type: str, choices: dict[str, Any]) -> None:
    kind, _, rest = column_type.replace("(", " ").replace(")", "").partition(" ")
    if kind in ("string", "memo"):
        assert isinstance(value, str)
        assert 0 < len(value) <= int(rest)
    elif kind == "choice":
        assert value in choices[rest]
    elif kind == "choices":
        assert WIRE["choices"].fullmatch(value)
        assert {int(part) for part in value.split(",")} <= choices[rest].keys()
    elif kind == "lookup":
        assert isinstance(value, tuple) is ("|" in rest)
        assert isinstance(value, str) or value[0] in rest.split("|")
    elif kind == "guid":
        assert GUID.fullmatch(value)
    elif kind in ("date", "datetime"):
        assert WIRE[kind].fullmatch(value)
    else:
        assert isinstance(value, {"int": int, "bool": bool, "money": float}[kind])


def test_a_lookup_points_at_a_row_that_came_before(rows: list[tuple[str, Row]], environment: dict[str, Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for table, row in rows:
        columns = environment["tables"][table]["columns"]
        for name in row.keys() - SYSTEM_COLUMNS:
            if str(columns[name]["type"]).startswith("lookup"):
                target = row[name] if isinstance(row[name], tuple) else (str(columns[name]["type"]).split()[1], row[name])
                assert target in seen
        key = next(name for name, column in columns.items() if column.get("key"))
        assert (table, row[key]) not in seen
        seen.add((table, row[key]))


def test_nothing_was_entered_after_the_day_itself(rows: list[tuple[str, Row]]) -> None:
    assert max(row["createdon"] for _, row in rows) < "2026-11-26"


def test_every_contact_says_that_it_is_fictitious(rows: list[tuple[str, Row]]) -> None:
    for contact in of(rows, "contact"):
        assert contact["lastname"].endswith("(fictief)")
        assert contact["fullname"] == f"{contact['firstname']} {contact['lastname']}"
    for account in of(rows, "account"):
        assert account["name"].endswith("(fictief)")


def test_every_e_mail_address_is_at_an_example_domain(rows: list[tuple[str, Row]]) -> None:
    addresses = [
        found for _, row in rows for value in row.values() if isinstance(value, str) for found in re.findall(r"[\w.+-]+@[\w.-]+", value)
    ]
    assert len(addresses) > 200
    assert all(address.endswith(("@example.org", "@example.com")) for address in addresses)


def test_every_telephone_number_has_the_fictitious_pattern(rows: list[tuple[str, Row]]) -> None:
    columns = ("telephone1", "mobilephone", "cf_callernumber", "phonenumber")
    numbers = [str(row[column]) for _, row in rows for column in columns if column in row]
    shown = [number for number in numbers if number not in ("anoniem", "privé", "anonymous")]
    assert len(numbers) > len(shown) > 200
    for number in shown:
        assert re.fullmatch(r"(32|0)?0?(400\d{6}|2000\d{4}|20{3}\d{4})", re.sub(r"\D", "", number).removeprefix("0032").removeprefix("32"))


def independent_check(digits: str) -> str | None:
    """ "19" or "20": the century whose check fits, by adding 2·10⁹ to the remainder instead of writing a 2 in
    front."""
    body, check = int(digits[:9]), int(digits[9:])
    if (body + check) % 97 == 0:
        return "19"
    return "20" if (body + 2 * 10**9 + check) % 97 == 0 else None


def test_register_numbers_are_valid_but_for_a_few_and_never_issued(rows: list[tuple[str, Row]]) -> None:
    numbers = [re.sub(r"\D", "", contact["cf_nationalnumber"]) for contact in of(rows, "contact") if "cf_nationalnumber" in contact]
    assert all(len(number) == 11 and number[6:9] in ("997", "998") for number in numbers)
    months = {int(number[2:4]) for number in numbers if independent_check(number)}
    assert sum(independent_check(number) is None for number in numbers) == 1  # the one with a wrong check number
    assert sum(int(number[2:4]) == 13 for number in numbers) == 1
    assert months & set(range(41, 53)), "a BIS number, sex known"
    assert months & set(range(21, 33)), "a BIS number, sex unknown"
    assert 0 in months
    assert {independent_check(number) for number in numbers} == {"19", "20", None}


def test_register_numbers_are_stored_once_as_written() -> None:
    written = [
        contact["cf_nationalnumber"] for table, contact in generate(dossiers=2000, seed=3, as_of=AS_OF) if "cf_nationalnumber" in contact
    ]
    assert len(written) == len(set(written)) > 300


def test_the_texts_name_invented_people_so_that_a_leak_shows(rows: list[tuple[str, Row]]) -> None:
    summaries = [fiche["cf_summary"] for fiche in of(rows, "cf_fiche")]
    assert all("(fictief)" in summary for summary in summaries)
    assert any("Verzonnen" in summary for summary in summaries)
    assert any("inventé" in summary for summary in summaries)


def test_an_organisation_begins_without_the_rows_of_the_one_before() -> None:
    parts = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    with running() as first:
        first.emulator.tables.load([("contact", {"lastname": "Peeters (fictief)"})])
        made = first.emulator.tables.connection.execute(parts).fetchall()
        with running() as second:
            tables = second.emulator.tables
            assert tables.connection.execute(parts).fetchall() == made
            assert tables.is_empty()
            for table in tables.environment.tables.values():
                if table.platform and not table.view:
                    assert tables.count(table) == first.emulator.tables.count(table), table.name
