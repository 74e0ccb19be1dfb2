"""`$apply`: aggregates and groups (row 44)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.emulator.client import ANNOTATED, Client, error_of

pytestmark = pytest.mark.row(44)


def applied(crm: Client, table_set: str, apply: str, more: str = "", headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return crm.rows(f"{table_set}?$apply={apply}{more}", headers)


@pytest.fixture
def gifts(crm: Client) -> Client:
    """Three gifts of two people, one of them without an amount, and one of nobody."""
    lotte, bram = crm.contact(firstname="Lotte"), crm.contact(firstname="Bram")
    for contact, amount in ((lotte, 10), (lotte, 20.5), (bram, None), (None, 100)):
        bound = {"cf_ContactId@odata.bind": f"/contacts({contact})"} if contact else {}
        crm.create("cf_donations", cf_name="G", cf_amount=amount, **bound)
    return crm


def test_amounts_are_aggregated_with_their_trailing_zeros(gifts: Client) -> None:
    wanted = "cf_amount with sum as total,cf_amount with average as mean,cf_amount with min as low,cf_amount with max as high"
    answer = gifts.get(f"cf_donations?$apply=aggregate({wanted},$count as n)")
    assert '"total":130.500000000,"mean":43.500000000,"low":10.000000000,"high":100.000000000,"n":4' in answer.text
    assert answer.json()["@odata.context"] == f"{gifts.url}$metadata#cf_donations"


def test_no_rows_give_a_count_and_nothing_else(crm: Client) -> None:
    assert applied(crm, "cf_donations", "aggregate(cf_amount with sum as total,$count as n)") == [{"n": 0}]


def test_groups_reached_through_a_lookup_are_named_by_its_table(gifts: Client) -> None:
    rows = applied(gifts, "cf_donations", "groupby((cf_ContactId/fullname),aggregate(cf_amount with sum as total,$count as n))")
    assert rows == [
        {"total": 100, "n": 1},
        {"contact_fullname": "Bram Peeters (fictief)", "n": 1},
        {"contact_fullname": "Lotte Peeters (fictief)", "total": 30.5, "n": 2},
    ]


def test_a_null_group_lacks_its_property(crm: Client) -> None:
    for outcome in (None, 100000001, 100000001):
        crm.dossier(cf_outcome=outcome)
    assert applied(crm, "cf_dossiers", "groupby((cf_outcome),aggregate($count as n))") == [{"n": 1}, {"cf_outcome": 100000001, "n": 2}]


def test_groups_have_labels_for_who_asks(crm: Client) -> None:
    crm.dossier(cf_outcome=100000002, cf_legalhold=True)
    rows = applied(crm, "cf_dossiers", "groupby((cf_outcome,cf_legalhold))", headers=ANNOTATED)
    label = "@OData.Community.Display.V1.FormattedValue"
    assert rows == [{"cf_outcome" + label: "Teruggekeerd", "cf_outcome": 100000002, "cf_legalhold" + label: "Ja", "cf_legalhold": True}]


def test_a_filter_comes_before_the_groups(crm: Client) -> None:
    for name, reference in (("A", "x"), ("B", "x"), ("C", "y")):
        crm.dossier(cf_name=name, cf_courtreference=reference)
    rows = applied(crm, "cf_dossiers", "filter(cf_name ne 'B')/groupby((cf_courtreference),aggregate($count as n))")
    assert rows == [{"cf_courtreference": "x", "n": 1}, {"cf_courtreference": "y", "n": 1}]


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


@pytest.mark.parametrize("order", ["n", "n desc", "cf_name"])
def test_an_order_by_anything_but_a_group_is_refused(crm: Client, order: str) -> None:
    answer = crm.get(f"cf_dossiers?$apply=groupby((cf_outcome),aggregate($count as n))&$orderby={order}")
    assert error_of(answer) == (400, "0x80060888")
    assert "The query node SingleValueOpenPropertyAccess is not supported" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "apply",
    [
        "groupby((cf_openedon))",
        "groupby((cf_nothing))",
        "groupby((cf_outcome),filter(cf_outcome eq 1))",
        "aggregate(cf_name with sum as n)",
        "aggregate(cf_openedon with average as n)",
        "aggregate(cf_outcome with countdistinct as n)",
        "aggregate($count as n,$count as n)",
        "filter(cf_outcome eq 100000000)",
        "groupby((cf_outcome))/aggregate($count as n)",
        "concat(aggregate($count as n))",
        "",
    ],
)
def test_what_cannot_be_aggregated_is_refused(crm: Client, apply: str) -> None:
    assert crm.get(f"cf_dossiers?$apply={apply}").status_code == 400


def test_other_options_do_not_go_with_it(crm: Client) -> None:
    assert crm.get("cf_dossiers?$apply=aggregate($count as n)&$select=cf_name").status_code == 400


def test_more_than_fifty_thousand_rows_are_refused(crm: Client) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": "D", "cf_outcome": 100000000}) for _ in range(50_000))
    assert applied(crm, "cf_dossiers", "aggregate($count as n)") == [{"n": 50_000}]
    crm.dossier(cf_name="one more")
    answer = crm.get("cf_dossiers?$apply=aggregate($count as n)")
    assert error_of(answer) == (400, "0x8004E023")
    assert answer.json()["error"]["message"] == "The maximum record limit is exceeded. Reduce the number of records."
    assert applied(crm, "cf_dossiers", "filter(cf_outcome eq 100000000)/aggregate($count as n)") == [{"n": 50_000}]
