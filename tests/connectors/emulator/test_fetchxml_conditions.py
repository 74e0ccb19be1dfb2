"""Conditions of FetchXML: each operator, and filters that hold others."""

from __future__ import annotations

import pytest

from tests.connectors.emulator.client import Client, new_id
from tests.connectors.emulator.fetches import found, names

pytestmark = pytest.mark.row(45)


NOW = "2030-06-15T12:00:00Z"
IN_TIME = ["today", "yesterday", "this-week", "last-month", "this-year", "last-seven-days", "next-year"]
IN_TIME += [f"last-x-{unit}" for unit in ("hours", "days", "weeks", "months", "years")] + ["next-x-days", "next-x-months"]
IN_TIME += [f"olderthan-x-{unit}" for unit in ("minutes", "hours", "days", "weeks", "months", "years")]
FUNCTIONS = {"last-seven-days": "Last7Days"}


@pytest.mark.row(39)
@pytest.mark.parametrize("operator", IN_TIME)
def test_an_operator_on_dates_finds_what_its_function_finds(crm: Client, operator: str) -> None:
    """The functions themselves are tested with `$filter`; here, that FetchXML's operators are the same."""
    crm.control("PUT", "clock", {"now": NOW})
    moments = ["2030-06-15T11:30:00Z", "2030-06-15T00:00:00Z", "2030-06-14T10:00:00Z", "2030-06-11T00:00:00Z", "2030-05-02T00:00:00Z"]
    moments += ["2029-03-01T00:00:00Z", "2020-01-01T00:00:00Z", "2030-06-17T00:00:00Z", "2030-08-01T00:00:00Z", "2031-02-02T00:00:00Z"]
    crm.emulator.load(("cf_dossier", {"cf_name": moment, "cf_openedon": moment}) for moment in moments)
    title = operator.replace("olderthan", "older-than").title().replace("-", "")
    function = f"Microsoft.Dynamics.CRM.{FUNCTIONS.get(operator, title)}(PropertyName='cf_openedon'"
    value = "" if "-x-" not in operator else "value='3'"
    query = f"cf_dossiers?$orderby=cf_name&$filter={function}{',PropertyValue=3' if value else ''})"
    expected = [row["cf_name"] for row in crm.rows(query)]
    assert names(crm, f"<filter><condition attribute='cf_openedon' operator='{operator}' {value} /></filter>") == expected
    assert 0 < len(expected) < len(moments)


@pytest.mark.row(39)
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("attribute='cf_name' operator='eq' value='aLFA'", ["Alfa"]),
        ("attribute='cf_name' operator='ne' value='Alfa'", ["Bravo", "Charlie"]),
        ("attribute='cf_courtreference' operator='ne' value='one'", ["Bravo", "Charlie"]),
        ("attribute='cf_courtreference' operator='null'", ["Charlie"]),
        ("attribute='cf_courtreference' operator='not-null'", ["Alfa", "Bravo"]),
        ("attribute='cf_name' operator='like' value='%a%o'", ["Bravo"]),
        ("attribute='cf_courtreference' operator='not-like' value='o%'", ["Bravo", "Charlie"]),
        ("attribute='cf_name' operator='begins-with' value='ch'", ["Charlie"]),
        ("attribute='cf_name' operator='ends-with' value='FA'", ["Alfa"]),
        ("attribute='cf_outcome' operator='ge' value='100000001'", ["Bravo"]),
        ("attribute='cf_legalhold' operator='eq' value='1'", ["Alfa"]),
        ("attribute='cf_legalhold' operator='eq' value='false'", ["Bravo", "Charlie"]),
        ("attribute='cf_openedon' operator='on' value='2020-02-03'", ["Bravo"]),
        ("attribute='cf_openedon' operator='on-or-before' value='2020-02-03'", ["Alfa", "Bravo"]),
        ("attribute='cf_openedon' operator='on-or-after' value='2020-02-03'", ["Bravo", "Charlie"]),
        ("attribute='cf_openedon' operator='lt' value='2020-02-03 05:00'", ["Alfa"]),
        ("attribute='cf_outcomeon' operator='eq' value='2021-05-06'", ["Alfa"]),
        ("attribute='ownerid' operator='eq-userid'", ["Alfa", "Bravo", "Charlie"]),
        ("attribute='ownerid' operator='ne-userid'", []),
        ("attribute='owningbusinessunit' operator='eq-businessid'", ["Alfa", "Bravo", "Charlie"]),
    ],
)
def test_a_condition_finds_the_rows_it_describes(crm: Client, condition: str, expected: list[str]) -> None:
    crm.dossier(
        cf_name="Alfa",
        cf_courtreference="one",
        cf_outcome=100000000,
        cf_legalhold=True,
        cf_openedon="2020-01-01T00:00:00Z",
        cf_outcomeon="2021-05-06",
    )
    crm.dossier(cf_name="Bravo", cf_courtreference="two", cf_outcome=100000001, cf_openedon="2020-02-03T05:00:00Z")
    crm.dossier(cf_name="Charlie", cf_openedon="2020-03-01T00:00:00Z")
    assert names(crm, f"<filter><condition {condition} /></filter>") == expected


@pytest.mark.row(39)
@pytest.mark.parametrize(
    ("operator", "attribute", "values", "expected"),
    [
        ("in", "cf_name", ["alfa", "Charlie"], ["Alfa", "Charlie"]),
        ("not-in", "cf_name", ["alfa", "Charlie"], ["Bravo"]),
        ("between", "cf_openedon", ["2020-01-01", "2020-02-01"], ["Alfa", "Bravo"]),
        ("not-between", "cf_openedon", ["2020-01-01", "2020-02-01"], ["Charlie"]),
        ("contain-values", "cf_categories", ["100000001", "100000002"], ["Alfa"]),
        ("not-contain-values", "cf_categories", ["100000001"], ["Bravo", "Charlie"]),
    ],
)
def test_a_condition_can_have_several_values(crm: Client, operator: str, attribute: str, values: list[str], expected: list[str]) -> None:
    for name, month, categories in (("Alfa", 1, "100000000,100000001"), ("Bravo", 2, "100000000"), ("Charlie", 3, None)):
        crm.dossier(cf_name=name, cf_openedon=f"2020-{month:02}-01T00:00:00Z", cf_categories=categories)
    inside = "".join(f"<value>{value}</value>" for value in values)
    assert names(crm, f"<filter><condition attribute='{attribute}' operator='{operator}'>{inside}</condition></filter>") == expected


def test_filters_nest(crm: Client) -> None:
    for name, reference in (("A", "x"), ("B", "x"), ("C", "y")):
        crm.dossier(cf_name=name, cf_courtreference=reference)
    either = "".join(f"<condition attribute='cf_name' operator='eq' value='{name}' />" for name in "AC")
    condition = "<condition attribute='cf_courtreference' operator='eq' value='x' />"
    assert names(crm, f"<filter>{condition}<filter type='or'>{either}</filter></filter>") == ["A"]


def test_business_units_form_a_hierarchy(crm: Client) -> None:
    top = crm.rows("businessunits?$select=name")[0]["businessunitid"]
    below = new_id()
    crm.emulator.load([("businessunit", {"businessunitid": below, "name": "Onder", "parentbusinessunitid": top})])

    def units(operator: str, unit: str) -> set[str]:
        condition = f"<filter><condition attribute='businessunitid' operator='{operator}' value='{unit}' /></filter>"
        document = found(crm, "businessunits", f"<fetch><entity name='businessunit'>{condition}</entity></fetch>")
        return {row["businessunitid"] for row in document["value"]}

    assert units("under", top) == {below}
    assert units("eq-or-under", top) == {top, below}
    assert units("not-under", top) == {top}
    assert units("above", below) == {top}
    assert units("eq-or-above", below) == {top, below}
