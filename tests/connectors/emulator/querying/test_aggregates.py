"""`$apply`: aggregates and groups (row 44)."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED

pytestmark = pytest.mark.row(44)


def applied(crm: Client, table_set: str, apply: str, more: str = "", headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return crm.rows(f"{table_set}?$apply={apply}{more}", headers)


def test_no_rows_give_a_count_and_nothing_else(crm: Client) -> None:
    assert applied(crm, "cf_donations", "aggregate(cf_amount with sum as total,$count as n)") == [{"n": 0}]


def test_groups_have_labels_for_who_asks(crm: Client) -> None:
    crm.dossier(cf_outcome=100000002, cf_legalhold=True)
    rows = applied(crm, "cf_dossiers", "groupby((cf_outcome,cf_legalhold))", headers=ANNOTATED)
    label = "@OData.Community.Display.V1.FormattedValue"
    assert rows == [{"cf_outcome" + label: "Teruggekeerd", "cf_outcome": 100000002, "cf_legalhold" + label: "Ja", "cf_legalhold": True}]


def test_text_is_grouped_without_regard_to_case(crm: Client) -> None:
    for reference in ("x", "X"):
        crm.dossier(cf_courtreference=reference)
    assert [row["n"] for row in applied(crm, "cf_dossiers", "groupby((cf_courtreference),aggregate($count as n))")] == [2]


def test_groups_can_be_ordered_by_their_column_and_cut_off(crm: Client) -> None:
    for outcome in (100000000, 100000001, 100000002):
        crm.dossier(cf_outcome=outcome)
    rows = applied(crm, "cf_dossiers", "groupby((cf_outcome))", "&$orderby=cf_outcome desc&$top=2")
    assert [row["cf_outcome"] for row in rows] == [100000002, 100000001]


def test_dates_have_a_first_and_a_last(crm: Client) -> None:
    for moment in ("2020-01-02T03:04:05Z", "2021-01-01T00:00:00Z"):
        crm.dossier(cf_openedon=moment)
    rows = applied(crm, "cf_dossiers", "aggregate(cf_openedon with min as first,cf_openedon with max as last)")
    assert rows == [{"first": "2020-01-02T03:04:05Z", "last": "2021-01-01T00:00:00Z"}]


def test_other_options_do_not_go_with_it(crm: Client) -> None:
    assert crm.get("cf_dossiers?$apply=aggregate($count as n)&$select=cf_name").status_code == 400
