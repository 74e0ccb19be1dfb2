"""Dataverse's query functions beyond dates and sets: hierarchies, the caller's people, language, fiscal
periods; each in its three forms.

A form is `$filter`, FetchXML or a QueryExpression; the last is seen by what a bulk delete leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import pytest

from tests.connectors.emulator.bulk_deletes import finished, query
from tests.connectors.emulator.client import Client
from tests.connectors.emulator.fetches import found, names, refusal
from tests.web_api import error_of, new_id

pytestmark = pytest.mark.row(39)

ME = "9e8f0000-0000-4000-8000-0000000000a1"
SOFIE = "9e8f0000-0000-4000-8000-0000000000a2"
KARIM = "9e8f0000-0000-4000-8000-0000000000a3"
TEAM = "8d7e0000-0000-4000-8000-0000000000e1"
DUTCH = 1043
UNKNOWN = "0x80060888"
FUNCTION = "Microsoft.Dynamics.CRM."


def filtered(crm: Client, call: str, aliases: str = "", headers: dict[str, str] | None = None) -> str:
    """The names of the dossiers that one call in `$filter` finds."""
    rows = crm.rows(f"cf_dossiers?$select=cf_name&$orderby=cf_name&$filter={FUNCTION}{call}{aliases}", headers)
    return " ".join(row["cf_name"] for row in rows)


def fetched(crm: Client, column: str, operator: str, values: Iterable[Any] = ()) -> str:
    inside = "".join(f"<value>{value}</value>" for value in values)
    condition = f"<condition attribute='{column}' operator='{operator}'>{inside}</condition>"
    return " ".join(names(crm, f"<filter>{condition}</filter>"))


def deleted(crm: Client, column: str, operator: str, values: Iterable[Any] = ()) -> str:
    """Those that a bulk delete with the same condition takes away."""
    before = {row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name")}
    finished(crm, query("cf_dossier", (column, operator, [(str(value), "System.String") for value in values])))
    return " ".join(sorted(before - {row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name")}))


# -- hierarchies ---------------------------------------------------------------------------------------------


@pytest.fixture
def units(crm: Client) -> tuple[Client, dict[str, str]]:
    """Business units: Top has Left and Right, Left has Leaf."""
    ids = {name: new_id() for name in ("Top", "Left", "Right", "Leaf")}
    parents = {"Left": "Top", "Right": "Top", "Leaf": "Left"}
    crm.emulator.load(
        ("businessunit", {"businessunitid": row, "name": name, "parentbusinessunitid": ids.get(parents.get(name, ""))})
        for name, row in ids.items()
    )
    return crm, ids


LINES = [
    ("Under", "under", "Top", "Leaf Left Right"),
    ("UnderOrEqual", "eq-or-under", "Left", "Leaf Left"),
    ("NotUnder", "not-under", "Left", "Left Right Top"),
    ("Above", "above", "Leaf", "Left Top"),
    ("AboveOrEqual", "eq-or-above", "Leaf", "Leaf Left Top"),
]


@pytest.mark.parametrize(("function", "operator", "of", "expected"), LINES)
def test_a_hierarchy_is_followed_up_and_down(
    units: tuple[Client, dict[str, str]], function: str, operator: str, of: str, expected: str
) -> None:
    crm, ids = units

    def listed(rows: list[dict[str, Any]]) -> str:
        return " ".join(sorted(row["name"] for row in rows if row["name"] in ids))

    start = f"businessunits?$select=name&$filter={FUNCTION}{function}"
    assert listed(crm.rows(f"{start}(PropertyName='businessunitid',PropertyValue={ids[of]})")) == expected
    assert listed(crm.rows(f"{start}(PropertyName='businessunitid',PropertyValue='{ids[of]}')")) == expected
    assert listed(crm.rows(f"{start}(PropertyName=@a,PropertyValue=@b)&@a='businessunitid'&@b={ids[of]}")) == expected
    condition = f"<condition attribute='businessunitid' operator='{operator}' value='{ids[of]}' />"
    xml = f"<fetch><entity name='businessunit'><attribute name='name' /><filter>{condition}</filter></entity></fetch>"
    assert listed(found(crm, "businessunits", xml)["value"]) == expected


@pytest.mark.parametrize(
    "call",
    [
        "Under(PropertyName='cf_dossierid',PropertyValue={id})",  # a table without a hierarchy
        "Under(PropertyName='cf_name',PropertyValue={id})",
        "Under(PropertyName='cf_ContactId/contactid',PropertyValue={id})",
        "Above(PropertyName='cf_dossierid')",
    ],
)
def test_there_is_no_line_without_a_hierarchy(crm: Client, call: str) -> None:
    assert error_of(crm.get(f"cf_dossiers?$filter={FUNCTION}{call.format(id=new_id())}"))[0] == 400


def test_the_value_of_a_line_is_an_id(crm: Client) -> None:
    answer = crm.get(f"businessunits?$filter={FUNCTION}Under(PropertyName='businessunitid',PropertyValue='Leuven')")
    assert error_of(answer) == (400, UNKNOWN)


def test_a_line_that_bites_its_tail_ends(crm: Client) -> None:
    one, two = new_id(), new_id()
    for row, parent in ((one, two), (two, one)):
        crm.emulator.load([("businessunit", {"businessunitid": row, "name": "Kring", "parentbusinessunitid": parent})])
    rows = crm.rows(f"businessunits?$filter={FUNCTION}UnderOrEqual(PropertyName='businessunitid',PropertyValue={one})")
    assert {row["businessunitid"] for row in rows} == {one, two}


# -- the caller's people -------------------------------------------------------------------------------------


@pytest.fixture
def owned(crm: Client) -> Client:
    """Karim reports to Sofie, Sofie to the caller; the caller is in one team, Karim in another; each owns the
    dossier of their name."""
    other = new_id()
    crm.emulator.load([("team", {"teamid": other, "name": "Tweede team"})])
    for team, member in ((TEAM, ME), (other, KARIM)):
        link = {"@odata.id": f"{crm.url}systemusers({member})"}
        assert crm.send("POST", f"teams({team})/teammembership_association/$ref", link).status_code == 204
    for user, manager in ((KARIM, SOFIE), (SOFIE, ME)):
        bound = {"parentsystemuserid@odata.bind": f"/systemusers({manager})"}
        assert crm.send("PATCH", f"systemusers({user})", bound).status_code == 204
    for name, table, owner in (
        ("karim", "systemuser", KARIM),
        ("me", "systemuser", ME),
        ("sofie", "systemuser", SOFIE),
        ("team", "team", TEAM),
        ("team2", "team", other),
    ):
        crm.emulator.load([("cf_dossier", {"cf_name": name, "ownerid": owner, "ownerid__type": table})])
    return crm


OWNERS = [
    ("EqualUserId", "eq-userid", "me"),
    ("EqualUserTeams", "eq-userteams", "team"),
    ("EqualUserOrUserTeams", "eq-useroruserteams", "me team"),
    ("EqualUserOrUserHierarchy", "eq-useroruserhierarchy", "karim me sofie"),
    ("EqualUserOrUserHierarchyAndTeams", "eq-useroruserhierarchyandteams", "karim me sofie team team2"),
]


@pytest.mark.parametrize(("function", "operator", "expected"), OWNERS)
def test_rows_of_the_caller_and_their_people(owned: Client, function: str, operator: str, expected: str) -> None:
    assert filtered(owned, f"{function}(PropertyName='ownerid')") == expected
    assert filtered(owned, f"{function}(PropertyName=@p)", "&@p='ownerid'") == expected
    assert fetched(owned, "ownerid", operator) == expected
    assert deleted(owned, "ownerid", function) == expected


def test_the_people_are_those_of_the_user_who_is_impersonated(owned: Client) -> None:
    as_sofie = {"MSCRMCallerID": SOFIE}
    owned.control("PUT", "privileges", {"user": SOFIE, "set": {"prvReadcf_dossier": "Global"}})
    assert filtered(owned, "EqualUserOrUserHierarchy(PropertyName='ownerid')", headers=as_sofie) == "karim sofie"
    assert filtered(owned, "EqualUserOrUserTeams(PropertyName='ownerid')", headers=as_sofie) == "sofie"


def test_managers_make_a_hierarchy_of_users(owned: Client) -> None:
    rows = owned.rows(f"systemusers?$filter={FUNCTION}Under(PropertyName='systemuserid',PropertyValue={ME})")
    assert {row["systemuserid"] for row in rows} == {SOFIE, KARIM}
    assert (
        owned.row(f"systemusers({KARIM})?$expand=parentsystemuserid($select=systemuserid)")["parentsystemuserid"]["systemuserid"] == SOFIE
    )


@pytest.mark.parametrize("function", ["EqualUserTeams", "EqualUserOrUserHierarchy", "EqualUserLanguage"])
def test_a_text_column_holds_neither_people_nor_languages(crm: Client, function: str) -> None:
    assert error_of(crm.get(f"cf_dossiers?$filter={FUNCTION}{function}(PropertyName='cf_name')")) == (400, UNKNOWN)


def test_the_language_of_the_user_is_the_organisations(crm: Client) -> None:
    call = f"{FUNCTION}EqualUserLanguage(PropertyName='languagecode')"
    condition = "<filter><condition attribute='languagecode' operator='eq-userlanguage' /></filter>"
    xml = f"<fetch><entity name='organization'><attribute name='languagecode' />{condition}</entity></fetch>"
    for rows in (crm.rows(f"organizations?$filter={call}"), found(crm, "organizations", xml)["value"]):
        assert [row["languagecode"] for row in rows] == [DUTCH]


# -- fiscal periods ------------------------------------------------------------------------------------------


@pytest.fixture
def quarters(crm: Client) -> Client:
    """One dossier at the beginning of each quarter, `2029-4` to `2031-3`, and one without a date; it is May
    2030."""
    crm.control("PUT", "clock", {"now": "2030-05-15T12:00:00Z"})
    starts = [(year, quarter) for year in (2029, 2030, 2031) for quarter in (1, 2, 3, 4)][3:-1]
    crm.emulator.load(
        ("cf_dossier", {"cf_name": f"{year}-{quarter}", "cf_openedon": f"{year}-{quarter * 3 - 2:02}-01T00:00:00Z"})
        for year, quarter in starts
    )
    crm.emulator.load([("cf_dossier", {"cf_name": "never"})])
    return crm


FISCAL: list[tuple[str, str, list[int], str]] = [
    ("LastFiscalPeriod", "last-fiscal-period", [], "2030-1"),
    ("ThisFiscalPeriod", "this-fiscal-period", [], "2030-2"),
    ("NextFiscalPeriod", "next-fiscal-period", [], "2030-3"),
    ("LastFiscalYear", "last-fiscal-year", [], "2029-4"),
    ("ThisFiscalYear", "this-fiscal-year", [], "2030-1 2030-2 2030-3 2030-4"),
    ("NextFiscalYear", "next-fiscal-year", [], "2031-1 2031-2 2031-3"),
    ("LastXFiscalPeriods", "last-x-fiscal-periods", [2], "2029-4 2030-1"),
    ("NextXFiscalPeriods", "next-x-fiscal-periods", [2], "2030-3 2030-4"),
    ("LastXFiscalYears", "last-x-fiscal-years", [1], "2029-4"),
    ("NextXFiscalYears", "next-x-fiscal-years", [1], "2031-1 2031-2 2031-3"),
    ("InFiscalYear", "in-fiscal-year", [2031], "2031-1 2031-2 2031-3"),
    ("InFiscalPeriod", "in-fiscal-period", [4], "2030-4"),
    ("InFiscalPeriodAndYear", "in-fiscal-period-and-year", [2, 2031], "2031-2"),
    ("InOrAfterFiscalPeriodAndYear", "in-or-after-fiscal-period-and-year", [2, 2031], "2031-2 2031-3"),
    ("InOrBeforeFiscalPeriodAndYear", "in-or-before-fiscal-period-and-year", [1, 2030], "2029-4 2030-1"),
]


def call_of(function: str, values: list[int], written: Callable[[int, int], str]) -> str:
    names = ["PropertyValue"] if len(values) == 1 else ["PropertyValue1", "PropertyValue2"]
    given = [f",{name}={written(number, value)}" for number, (name, value) in enumerate(zip(names, values, strict=False))]
    return f"{function}(PropertyName='cf_openedon'{''.join(given)})"


@pytest.mark.parametrize(("function", "operator", "values", "expected"), FISCAL)
def test_fiscal_periods_are_quarters_of_the_calendar_year(
    quarters: Client, function: str, operator: str, values: list[int], expected: str
) -> None:
    aliases = "".join(f"&@p{number}={value}" for number, value in enumerate(values))
    assert filtered(quarters, call_of(function, values, lambda _, value: str(value))) == expected
    assert filtered(quarters, call_of(function, values, lambda _, value: f"'{value}'")) == expected
    assert filtered(quarters, call_of(function, values, lambda number, _: f"@p{number}"), aliases) == expected
    assert fetched(quarters, "cf_openedon", operator, values) == expected


@pytest.mark.parametrize(("function", "values", "expected"), [(name, values, expected) for name, _, values, expected in FISCAL[-4:]])
def test_a_bulk_delete_takes_fiscal_periods(crm: Client, function: str, values: list[int], expected: str) -> None:
    years = {"2029-4": "2029-10-01", "2030-1": "2030-01-01", "2030-4": "2030-10-01", "2031-2": "2031-04-01", "2031-3": "2031-07-01"}
    crm.control("PUT", "clock", {"now": "2030-05-15T12:00:00Z"})
    for name, day in years.items():
        crm.dossier(cf_name=name, cf_openedon=f"{day}T00:00:00Z")
    assert deleted(crm, "cf_openedon", function, values) == expected


@pytest.mark.parametrize("call", ["InFiscalPeriod(PropertyName='cf_openedon',PropertyValue=5)", "InFiscalYear(PropertyName='cf_openedon')"])
def test_a_period_that_no_year_has_is_refused(crm: Client, call: str) -> None:
    assert error_of(crm.get(f"cf_dossiers?$filter={FUNCTION}{call}")) == (400, UNKNOWN)


@pytest.mark.parametrize(
    ("operator", "inside"),
    [
        ("in-fiscal-year", ""),
        ("in-fiscal-period-and-year", "<value>1</value>"),
        ("this-fiscal-year", "<value>1</value>"),
        ("eq-userteams", "<value>1</value>"),
    ],
)
def test_an_operator_takes_as_many_values_as_it_means(crm: Client, operator: str, inside: str) -> None:
    column = "ownerid" if "user" in operator else "cf_openedon"
    condition = f"<filter><condition attribute='{column}' operator='{operator}'>{inside}</condition></filter>"
    status, code, message = refusal(crm, f"<fetch><entity name='cf_dossier'>{condition}</entity></fetch>")
    assert (status, code) == (400, "0x80041108")
    assert f"'{operator}'" in message


# -- names and parameters ------------------------------------------------------------------------------------


def test_lists_come_by_alias_too(crm: Client) -> None:
    for name in ("Alfa", "Bravo", "D'hert"):
        crm.dossier(cf_name=name)
    listed = quote('["Alfa","D\'hert"]')
    assert filtered(crm, "In(PropertyName=@a,PropertyValues=@b)", f"&@a='cf_name'&@b={listed}") == "Alfa D'hert"


@pytest.mark.parametrize("name", ["LastXMinutes", "BesideOrEqual", "EqualUserDepartment", "ThisFiscalDecade"])
@pytest.mark.parametrize("column", ["cf_name", "cf_openedon", "ownerid"])
def test_an_unknown_function_is_refused_by_name_whatever_the_column(crm: Client, name: str, column: str) -> None:
    answer = crm.get(f"cf_dossiers?$filter={FUNCTION}{name}(PropertyName='{column}',PropertyValue=1)")
    assert error_of(answer) == (400, UNKNOWN)
    assert answer.json()["error"]["message"].startswith(f"An unknown function with name '{FUNCTION}{name}' was found.")


@pytest.mark.parametrize(
    "negated",
    [
        f"not {FUNCTION}LastXDays(PropertyName='createdon',PropertyValue=7)",
        f"not ({FUNCTION}Today(PropertyName='createdon'))",
        f"not (cf_name eq 'X' and {FUNCTION}In(PropertyName='cf_name',PropertyValues=['A']))",
        f"not (not {FUNCTION}Today(PropertyName='createdon'))",
        f"not cf_fiche_Dossier/any(f:{FUNCTION}Today(PropertyName='createdon'))",
    ],
)
def test_no_query_function_is_negated(crm: Client, negated: str) -> None:
    """Each has an opposite of its own, such as NotIn and OlderThanXDays."""
    status, _ = error_of(crm.get(f"cf_dossiers?$filter={quote(negated)}"))
    assert status == 400


def test_a_text_function_and_a_comparison_are_negated(crm: Client) -> None:
    negated = quote("not contains(cf_name,'nergens') and not (cf_name eq 'X')")
    assert crm.get(f"cf_dossiers?$filter={negated}").status_code == 200
