"""`$filter`: comparison, null, paths, any and all, Dataverse's functions, and what is refused."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.emulator.querying.filter_text import parse_filter
from tests.connectors.emulator.client import Client, error_of

NOW = "2026-03-15T12:00:00Z"  # a Sunday
FUNCTION = "Microsoft.Dynamics.CRM."


@pytest.fixture
def dossiers(crm: Client) -> Client:
    """Four dossiers, at a known time."""
    crm.control("PUT", "clock", {"now": NOW})
    crm.emulator.load(
        [
            (
                "cf_dossier",
                {
                    "cf_name": "Alfa",
                    "cf_outcome": 100000000,
                    "cf_legalhold": True,
                    "cf_openedon": "2026-03-15T08:00:00Z",
                    "cf_outcomeon": "2026-03-15",
                },
            ),
            (
                "cf_dossier",
                {"cf_name": "beta", "cf_outcome": 100000001, "cf_openedon": "2026-03-14T23:30:00Z", "cf_categories": "100000021,100000030"},
            ),
            (
                "cf_dossier",
                {"cf_name": "Élan", "cf_openedon": "2025-12-31T23:59:59Z", "cf_categories": "100000021", "cf_outcomeon": "2015-03-15"},
            ),
            (
                "cf_dossier",
                {
                    "cf_name": "100% O'Brien [x]",
                    "cf_openedon": "2016-03-15T11:59:59Z",
                    "cf_courtreference": "alfa",
                    "cf_outcomeon": "2016-03-16",
                },
            ),
        ]
    )
    return crm


def names(crm: Client, condition: str, **aliases: str) -> set[str]:
    more = "".join(f"&@{name}={quote(value)}" for name, value in aliases.items())
    return {str(row["cf_name"])[0] for row in crm.rows(f"cf_dossiers?$select=cf_name&$filter={quote(condition)}{more}")}


@pytest.mark.row(13)
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("cf_name eq 'ALFA'", "A"),
        ("cf_name eq 'élan'", "É"),
        ("cf_name eq '100% o''brien [X]'", "1"),
        ("cf_name ne 'alfa'", "bÉ1"),
        ("cf_outcome eq 100000001", "b"),
        ("cf_outcome ne 100000001", "AÉ1"),
        ("not (cf_outcome eq 100000001)", "AÉ1"),
        ("not(cf_outcome eq 100000001)", "AÉ1"),
        ("cf_outcome gt 99 and cf_outcome lt 100000001", "A"),
        ("cf_outcome ge 100000000 and cf_outcome le 100000001", "Ab"),
        ("cf_outcome eq null", "É1"),
        ("cf_outcome ne null", "Ab"),
        ("null eq cf_outcome", "É1"),
        ("100000000 lt cf_outcome", "b"),
        ("cf_legalhold eq true", "A"),
        ("cf_legalhold eq false", "bÉ1"),
        ("cf_name eq 'alfa' or cf_name eq 'beta' and cf_outcome eq 100000000", "A"),
        ("(cf_name eq 'alfa' or cf_name eq 'beta') and cf_outcome eq 100000001", "b"),
        ("contains(cf_name,'L')", "AÉ"),
        ("contains(cf_name,'É')", "É"),
        ("startswith(cf_name,'al')", "A"),
        ("endswith(cf_name,'A')", "Ab"),
        ("not contains(cf_name,'a')", "1"),
        ("not contains(cf_courtreference,'alfa')", "AbÉ"),
        ("contains(cf_name,'b_ta')", "b"),
        ("startswith(cf_name,'[ab]')", "Ab"),
        ("startswith(cf_name,'[^ab]')", "É1"),
        ("contains(cf_name,'[%]')", "1"),
        ("cf_name eq cf_courtreference", ""),
        ("cf_openedon ge 2026-03-14T23:30:00Z", "Ab"),
        ("cf_openedon gt 2026-03-15T00:30:00+01:00", "A"),
        ("cf_openedon lt 2016-03-15T11:59:59.5Z", "1"),
        ("cf_openedon eq 2026-03-15T08:00:00Z", "A"),
        ("cf_outcomeon eq 2026-03-15", "A"),
        ("cf_outcomeon lt 2016-03-16", "É"),
        ("statecode eq 0", "AbÉ1"),
        ("cf_dossier_fiches/any()", ""),
        ("cf_dossier_fiches/all(f:f/cf_name eq 'x')", "AbÉ1"),
    ],
)
def test_a_condition_finds_the_rows_it_describes(dossiers: Client, condition: str, found: str) -> None:
    assert names(dossiers, condition) == set(found)


@pytest.mark.row(38, 39)
@pytest.mark.parametrize(
    ("function", "found"),
    [
        ('In(PropertyName=\'cf_name\',PropertyValues=["alfa","Beta"])', "Ab"),
        ("In(PropertyName='cf_name',PropertyValues=[\"100% O'Brien [x]\"])", "1"),
        ("In(PropertyName='cf_name',PropertyValues=['ÉLAN'])", "É"),
        ('In(PropertyName=\'cf_outcome\',PropertyValues=["100000000","100000001"])', "Ab"),
        ("In(PropertyName='cf_outcome',PropertyValues=[100000000])", "A"),
        ("NotIn(PropertyName='cf_outcome',PropertyValues=['100000000'])", "bÉ1"),
        ('Between(PropertyName=\'cf_outcome\',PropertyValues=["1","100000000"])', "A"),
        ('NotBetween(PropertyName=\'cf_outcome\',PropertyValues=["1","100000000"])', "bÉ1"),
        ('Between(PropertyName=\'cf_openedon\',PropertyValues=["2026-03-14","2026-03-15"])', "b"),
        ('ContainValues(PropertyName=\'cf_categories\',PropertyValues=["100000030","1"])', "b"),
        ("ContainValues(PropertyName='cf_categories',PropertyValues=['100000021'])", "bÉ"),
        ("DoesNotContainValues(PropertyName='cf_categories',PropertyValues=['100000030'])", "AÉ1"),
        ("Today(PropertyName='cf_openedon')", "A"),
        ("Yesterday(PropertyName='cf_openedon')", "b"),
        ("Today(PropertyName='cf_outcomeon')", "A"),
        ("Last7Days(PropertyName='cf_openedon')", "Ab"),
        ("ThisWeek(PropertyName='cf_openedon')", "A"),
        ("LastWeek(PropertyName='cf_openedon')", "b"),
        ("ThisMonth(PropertyName='cf_openedon')", "Ab"),
        ("LastYear(PropertyName='cf_openedon')", "É"),
        ("ThisYear(PropertyName='cf_openedon')", "Ab"),
        ("LastXHours(PropertyName='cf_openedon',PropertyValue=5)", "A"),
        ("LastXDays(PropertyName='cf_openedon',PropertyValue='1')", "Ab"),
        ("LastXMonths(PropertyName='cf_openedon',PropertyValue=3)", "AbÉ"),
        ("OlderThanXYears(PropertyName='cf_openedon',PropertyValue=10)", "1"),
        ("OlderThanXYears(PropertyName='cf_outcomeon',PropertyValue=10)", "É"),
        ("OlderThanXMonths(PropertyName='cf_openedon',PropertyValue=2)", "É1"),
        ("OlderThanXHours(PropertyName='cf_openedon',PropertyValue=4)", "bÉ1"),
        ("OlderThanXMinutes(PropertyName='cf_openedon',PropertyValue='240')", "bÉ1"),
        ("On(PropertyName='cf_openedon',PropertyValue='2026-03-14')", "b"),
        ("On(PropertyName='cf_outcomeon',PropertyValue='2016-03-16')", "1"),
        ("OnOrAfter(PropertyName='cf_openedon',PropertyValue='2026-03-14')", "Ab"),
        ("OnOrBefore(PropertyName='cf_openedon',PropertyValue='2025-12-31')", "É1"),
        ("EqualUserId(PropertyName='ownerid')", "AbÉ1"),
        ("NotEqualUserId(PropertyName='ownerid')", ""),
    ],
)
def test_a_dataverse_function_is_a_condition(dossiers: Client, function: str, found: str) -> None:
    assert names(dossiers, FUNCTION + function) == set(found)


@pytest.mark.row(38, 39)
@pytest.mark.parametrize(
    ("function", "found"),
    [
        ("NextXHours(PropertyName='cf_openedon',PropertyValue=3)", "p"),
        ("NextXDays(PropertyName='cf_openedon',PropertyValue='2')", "pq"),
        ("NextXWeeks(PropertyName='cf_openedon',PropertyValue=2)", "pqr"),
        ("NextXMonths(PropertyName='cf_outcomeon',PropertyValue=1)", "q"),
        ("NextXYears(PropertyName='cf_openedon',PropertyValue=1)", "pqrs"),
        ("Tomorrow(PropertyName='cf_openedon')", "q"),
        ("NextWeek(PropertyName='cf_openedon')", "r"),
    ],
)
def test_a_function_looks_ahead_from_the_clock(crm: Client, function: str, found: str) -> None:
    crm.control("PUT", "clock", {"now": NOW})
    opened = {"p": "2026-03-15T14:00:00Z", "q": "2026-03-16T09:00:00Z", "r": "2026-03-25T00:00:00Z", "s": "2027-02-01T00:00:00Z"}
    dated = {"q": "2026-04-15", "r": "2026-04-17"}
    crm.emulator.load(("cf_dossier", {"cf_name": n, "cf_openedon": at, "cf_outcomeon": dated.get(n)}) for n, at in opened.items())
    assert names(crm, FUNCTION + function) == set(found)


@pytest.mark.row(38, 39)
def test_older_than_counts_from_this_very_second(dossiers: Client) -> None:
    condition = FUNCTION + "OlderThanXYears(PropertyName='cf_openedon',PropertyValue=10)"
    dossiers.control("PUT", "clock", {"now": "2026-03-15T11:59:30Z"})
    assert names(dossiers, condition) == set()
    dossiers.control("PUT", "clock", {"advance_s": 60})
    assert names(dossiers, condition) == {"1"}


@pytest.mark.row(13, 40)
def test_lookups_lead_to_other_tables(crm: Client) -> None:
    dossier, contact = crm.dossier(cf_name="Alfa"), crm.contact(lastname="Maes (fictief)")
    fiche, other = crm.fiche(dossier), crm.fiche(crm.dossier(cf_name="Beta"))
    party = crm.create(
        "cf_parties", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})", "cf_ContactId@odata.bind": f"/contacts({contact})"}
    )
    assert [row["cf_ficheid"] for row in crm.rows("cf_fiches?$filter=cf_DossierId/cf_name eq 'alfa'")] == [fiche]
    assert [row["cf_ficheid"] for row in crm.rows("cf_fiches?$filter=not contains(cf_DossierId/cf_name,'alfa')")] == [other]
    assert [row["cf_partyid"] for row in crm.rows("cf_parties?$filter=cf_FicheId/cf_DossierId/cf_name eq 'Alfa'")] == [party]
    for guid in (dossier, dossier.upper(), f"'{dossier}'"):
        assert [row["cf_ficheid"] for row in crm.rows(f"cf_fiches?$filter=_cf_dossierid_value eq {guid}")] == [fiche]
    path = "cf_dossiers?$filter=cf_dossier_fiches/any(f:f/cf_fiche_parties/any(p:p/cf_ContactId/lastname eq 'maes (fictief)'))"
    assert [row["cf_name"] for row in crm.rows(path)] == ["Alfa"]
    assert {row["cf_name"] for row in crm.rows("cf_dossiers?$filter=cf_dossier_fiches/any()")} == {"Alfa", "Beta"}
    note = crm.create("annotations", subject="x", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
    assert [row["annotationid"] for row in crm.rows("annotations?$filter=objectid_cf_fiche/cf_name eq 'F-1'")] == [note]
    assert crm.rows("annotations?$filter=objectid_cf_dossier/cf_name eq 'F-1'") == []


def test_parameter_aliases_are_put_in_and_missing_ones_are_null(dossiers: Client) -> None:
    assert names(dossiers, "cf_name eq @n", n="'alfa'") == {"A"}
    assert names(dossiers, "cf_name eq @n or cf_name eq '@n'", n="'100% O''Brien [x]'") == {"1"}
    assert names(dossiers, "cf_outcome eq @missing") == set("É1")
    assert names(dossiers, FUNCTION + "In(PropertyName=@c,PropertyValues=@v)", c="'cf_name'", v='["Alfa"]') == {"A"}


@pytest.mark.parametrize(
    "condition",
    [
        "cf_name eq",
        "cf_name EQ 'x'",
        "cf_name eq 'x' AND cf_name eq 'y'",
        "cf_name",
        "cf_name eq 5",
        "cf_outcome eq 'x'",
        "cf_openedon eq 'x'",
        "cf_outcomeon eq 2026-03-15T00:00:00Z",
        "cf_dossierid eq 7",
        "tolower(cf_name) eq 'x'",
        "length(cf_name) eq 3",
        "indexof(cf_name,'x') eq 1",
        "unknown(cf_name)",
        "cf_outcome add 1 eq 2",
        "cf_name in ('x','y')",
        "contains(cf_name,'x') eq true",
        "contains(cf_outcome,'x')",
        "contains(cf_name)",
        "'a' eq 'a'",
        FUNCTION + "Nothing(PropertyName='cf_openedon')",
        FUNCTION + "In(PropertyName='cf_name')",
        FUNCTION + "In(PropertyName='cf_name',PropertyValues=['O'Brien'])",
        FUNCTION + "In(PropertyName='cf_name',PropertyValues=[])",
        FUNCTION + "In('cf_name',['x'])",
        FUNCTION + "On(PropertyName='cf_openedon',PropertyValue='soon')",
        FUNCTION + "LastXHours(PropertyName='cf_outcomeon',PropertyValue=5)",
        FUNCTION + "OlderThanXYears(PropertyName='cf_openedon',PropertyValue=0)",
        FUNCTION + "OlderThanXYears(PropertyName='cf_name',PropertyValue=1)",
        FUNCTION + "ContainValues(PropertyName='cf_outcome',PropertyValues=['1'])",
        "Microsoft.Other.Today(PropertyName='cf_openedon')",
        "cf_dossier_fiches/any(f:cf_name eq 'x')",
        "cf_dossier_fiches eq null",
    ],
)
def test_a_condition_that_dataverse_does_not_know_is_refused(crm: Client, condition: str) -> None:
    answer = crm.get(f"cf_dossiers?$filter={quote(condition)}")
    assert error_of(answer) == (400, "0x80060888"), answer.text


@pytest.mark.row(13)
def test_an_unterminated_literal_is_told_with_its_position(crm: Client) -> None:
    text = "lastname eq 'O'Bryan'"
    message = crm.get(f"contacts?$filter={quote(text)}").json()["error"]["message"]
    assert message == f"There is an unterminated literal at position 21 in '{text}'."


def test_an_apostrophe_in_a_value_needs_the_double_quoted_form(crm: Client) -> None:
    condition = FUNCTION + "In(PropertyName='cf_name',PropertyValues=['O'Brien'])"
    message = crm.get(f"cf_dossiers?$filter={quote(condition)}").json()["error"]["message"]
    assert message.startswith("Invalid JSON. A comma character ',' was expected in scope 'Array'.")


@pytest.mark.row(40)
def test_five_hundred_conditions_are_the_limit(crm: Client) -> None:
    condition = " or ".join(["statecode eq 0"] * 500)
    assert crm.get(f"cf_dossiers?$filter={condition}").status_code == 200
    answer = crm.get(f"cf_dossiers?$filter={condition} or statecode eq 1")
    assert error_of(answer) == (400, "0x8004430C")
    assert answer.json()["error"]["message"] == "Number of conditions in query exceeded maximum limit."


def test_deep_nesting_is_refused_not_fatal(crm: Client) -> None:
    condition = "(" * 3000 + "statecode eq 0" + ")" * 3000
    assert crm.get(f"cf_dossiers?$filter={condition}").status_code in (200, 400)
    assert crm.get("cf_dossiers?$filter=" + "not " * 3000 + "(statecode eq 0)").status_code in (200, 400)
    assert crm.get("WhoAmI").status_code == 200


def test_names_that_begin_like_a_keyword_are_names(crm: Client) -> None:
    for name in ("allowance", "anything", "nullable", "truely", "falsehood", "inside", "notes", "orders"):
        answer = crm.get(f"cf_dossiers?$filter={name} eq 1")
        assert answer.json()["error"]["message"] == f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.cf_dossier'."


Row = tuple[int | None, str | None, bool]  # cf_outcome, cf_courtreference, cf_legalhold
Expression = tuple[str, Callable[[Row], bool]]  # as sent, and what it means
ROWS: list[Row] = [(o, t, b) for o in (None, 100000000, 100000002) for t in (None, "alfa", "Beta") for b in (False, True)]
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def _comparison(name: str, place: int, verb: str, value: Any) -> Expression:
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    folded = value.lower() if isinstance(value, str) else value

    def holds(row: Row) -> bool:
        found = row[place].lower() if isinstance(row[place], str) else row[place]  # type: ignore[union-attr]
        if verb == "ne":
            return bool(found != folded)
        return found is not None and COMPARED[verb](found, folded)

    return f"{name} {verb} {shown}", holds


LEAVES = st.one_of(
    st.builds(_comparison, st.just("cf_outcome"), st.just(0), st.sampled_from([*COMPARED, "ne"]), st.sampled_from([100000000, 100000001])),
    st.builds(_comparison, st.just("cf_courtreference"), st.just(1), st.sampled_from([*COMPARED, "ne"]), st.sampled_from(["ALFA", "beta"])),
    st.sampled_from(
        [
            ("cf_outcome eq null", lambda row: row[0] is None),
            ("cf_outcome ne null", lambda row: row[0] is not None),
            ("cf_legalhold eq true", lambda row: row[2]),
            ("contains(cf_courtreference,'A')", lambda row: row[1] is not None),
            ("startswith(cf_courtreference,'b')", lambda row: row[1] == "Beta"),
        ]
    ),
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda e: (f"not ({e[0]})", lambda row: not e[1](row))),
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda row: p[0][1](row) and p[1][1](row))),
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) or ({p[1][0]})", lambda row: p[0][1](row) or p[1][1](row))),
    ),
    max_leaves=6,
)


@pytest.mark.row(13)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(expression=EXPRESSIONS)
def test_logic_has_two_values_whatever_is_null(crm: Client, expression: Expression) -> None:
    """A comparison with null is false, its negation true."""
    if not crm.rows("cf_dossiers?$top=1"):
        crm.emulator.load(
            ("cf_dossier", {"cf_name": str(n), "cf_outcome": row[0], "cf_courtreference": row[1], "cf_legalhold": row[2]})
            for n, row in enumerate(ROWS)
        )
    text, holds = expression
    found = {row["cf_name"] for row in crm.rows(f"cf_dossiers?$select=cf_name&$filter={quote(text)}")}
    assert found == {str(n) for n, row in enumerate(ROWS) if holds(row)}


WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=40).filter(str.strip)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(word=WORDS)
def test_any_text_is_found_again_by_its_quoted_form(crm: Client, word: str) -> None:
    crm.control("POST", "reset", {"empty": True})
    row = crm.dossier(cf_name=word)
    quoted = quote("cf_name eq '" + word.replace("'", "''") + "'", safe="")
    assert [found["cf_dossierid"] for found in crm.rows(f"cf_dossiers?$select=cf_name&$filter={quoted}")] == [row]
    assert crm.row(f"cf_dossiers({row})?$select=cf_name")["cf_name"] == word


@given(
    st.sampled_from(["contactid", "_cf_dossierid_value", "CF_Id", "anyone", "allowance", "nullable", "x__id", "id2"]),
    st.lists(st.uuids(), min_size=1, max_size=60),
    st.booleans(),
)
def test_many_rows_are_asked_for_by_the_tree_that_the_parser_makes(column: str, rows: list[UUID], in_capitals: bool) -> None:
    conditions = [f"{column} eq {str(row).upper() if in_capitals else row}" for row in rows]
    # A blank more, and it is no plain list of rows.
    assert parse_filter(" or ".join(conditions), {}) == parse_filter(" or ".join([f"{conditions[0]} ", *conditions[1:]]), {})
