"""Pages of children, pages ordered by another table, and rows that go between two pages."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.emulator.client import Client

SMALL = {"Prefer": "odata.maxpagesize=2"}


def pages(crm: Client, path: str, headers: dict[str, str]) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    link: str | None = path
    while link:
        document = crm.row(link, headers)
        found.append(document["value"])
        link = document.get("@odata.nextLink")
    return found


def test_children_of_a_row_are_paged_too(crm: Client) -> None:
    dossier, other = crm.dossier(), crm.dossier()
    crm.emulator.load(("cf_fiche", {"cf_name": f"F-{n}", "cf_dossierid": dossier if n < 5 else other}) for n in range(9))
    found = pages(crm, f"cf_dossiers({dossier})/cf_dossier_fiches?$select=cf_name", SMALL)
    assert sorted(row["cf_name"] for page in found for row in page) == [f"F-{n}" for n in range(5)]


def test_rows_are_ordered_by_a_column_of_another_table(crm: Client) -> None:
    dossiers = {name: crm.dossier(cf_name=name) for name in ("b", "A", "c")}
    for name, row in dossiers.items():
        crm.fiche(row, cf_name=name)
    crm.fiche(cf_name="lone")
    found = pages(crm, "cf_fiches?$select=cf_name&$orderby=cf_DossierId/cf_name desc", SMALL)
    assert [row["cf_name"] for page in found for row in page] == ["c", "b", "A", "lone"]


@pytest.mark.row(14)
@pytest.mark.parametrize("order", ["", "&$orderby=cf_outcome", "&$orderby=cf_outcome desc,cf_name", "&$orderby=cf_courtreference desc"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_deleting_between_pages_loses_and_repeats_nothing(crm: Client, order: str, data: st.DataObject) -> None:
    """Every row that stays is read exactly once, and no row twice."""
    crm.control("POST", "reset", {"empty": True})
    # Ids are drawn too: they order the pages, and with them what is drawn next.
    outcomes = data.draw(st.dictionaries(st.uuids().map(str), st.sampled_from([None, 100000000, 100000001]), min_size=1, max_size=14))
    ids = list(outcomes)
    crm.emulator.load(
        (
            "cf_dossier",
            {"cf_dossierid": row, "cf_name": f"D-{n % 3}", "cf_outcome": outcome, "cf_courtreference": None if outcome else f"r{n % 2}"},
        )
        for n, (row, outcome) in enumerate(outcomes.items())
    )
    size = {"Prefer": f"odata.maxpagesize={data.draw(st.integers(1, 4))}"}
    read: list[str] = []
    deleted: set[str] = set()
    link: str | None = f"cf_dossiers?$select=cf_name{order}"
    while link:
        document = crm.row(link, size)
        read += [row["cf_dossierid"] for row in document["value"]]
        link = document.get("@odata.nextLink")
        for row in data.draw(st.lists(st.sampled_from(ids), max_size=3, unique=True)):
            if row not in deleted:
                assert crm.send("DELETE", f"cf_dossiers({row})").status_code == 204
                deleted.add(row)
    assert len(read) == len(set(read))
    assert set(ids) - deleted <= set(read) <= set(ids)


def test_ranges_of_days_cost_what_their_rows_cost(crm: Client) -> None:
    """Whoever reads a table in ranges makes the emulator look at each row once, not once for each range."""
    crm.emulator.load(("cf_fiche", {"cf_name": f"F-{n}", "createdon": f"2026-01-{1 + n // 100:02}T08:00:00Z"}) for n in range(3_000))
    fetched = "cf_fiches?$select=cf_name&$filter=createdon ge 2026-01-{:02}T00:00:00Z and createdon lt 2026-{}T00:00:00Z"
    ranges = [fetched.format(day, f"01-{day + 1:02}") for day in range(1, 31)]
    whole, at_once = steps(crm, [fetched.format(1, "02-01")])
    parts, in_ranges = steps(crm, ranges)
    assert sorted(parts) == sorted(whole)
    assert len(whole) == 3_000
    assert in_ranges < 2 * at_once


def steps(crm: Client, paths: list[str]) -> tuple[list[str], int]:
    """Return the names of rows that the paths give, and how many hundred steps SQLite took for them."""
    connection = crm.emulator.emulator.tables.connection
    taken: list[int] = []
    connection.set_progress_handler(lambda: taken.append(1), 100)
    try:
        return [row["cf_name"] for path in paths for page in pages(crm, path, {}) for row in page], len(taken)
    finally:
        connection.set_progress_handler(None, 100)
