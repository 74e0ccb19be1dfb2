"""`$filter`: functions of days over instants, two-valued logic, any text, any depth, any name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.emulator.querying.filter_parser import parse_filter
from tests.connectors.emulator.client import Client

NOW = "2026-03-15T12:00:00Z"  # a Sunday
FUNCTION = "Microsoft.Dynamics.CRM."


@pytest.fixture
def dossiers(crm: Client) -> Client:
    """Four dossiers, at a known time."""
    crm.control("PUT", "clock", {"now": NOW})
    opened = {"A": "2026-03-15T08:00:00Z", "b": "2026-03-14T23:30:00Z", "É": "2025-12-31T23:59:59Z", "1": "2016-03-15T11:59:59Z"}
    crm.emulator.load(("cf_dossier", {"cf_name": name, "cf_openedon": at}) for name, at in opened.items())
    return crm


def names(crm: Client, condition: str) -> set[str]:
    return {row["cf_name"] for row in crm.rows(f"cf_dossiers?$select=cf_name&$filter={quote(condition)}")}


@pytest.mark.row(38, 39)
@pytest.mark.parametrize(
    ("function", "found"),
    [
        ("Today(PropertyName='cf_openedon')", "A"),
        ("Yesterday(PropertyName='cf_openedon')", "b"),
        ("ThisWeek(PropertyName='cf_openedon')", "A"),
        ("LastWeek(PropertyName='cf_openedon')", "b"),
        ("LastYear(PropertyName='cf_openedon')", "É"),
        ("LastXMonths(PropertyName='cf_openedon',PropertyValue=3)", "AbÉ"),
        ("OlderThanXYears(PropertyName='cf_openedon',PropertyValue=10)", "1"),
        ("On(PropertyName='cf_openedon',PropertyValue='2026-03-14')", "b"),
        ("OnOrAfter(PropertyName='cf_openedon',PropertyValue='2026-03-14')", "Ab"),
        ("OnOrBefore(PropertyName='cf_openedon',PropertyValue='2025-12-31')", "É1"),
    ],
)
def test_a_function_finds_instants_by_days_of_the_clock(dossiers: Client, function: str, found: str) -> None:
    assert names(dossiers, FUNCTION + function) == set(found)


@pytest.mark.row(38, 39)
@pytest.mark.parametrize(
    ("function", "found"),
    [
        ("NextXHours(PropertyName='cf_openedon',PropertyValue=3)", "p"),
        ("NextXDays(PropertyName='cf_openedon',PropertyValue='2')", "pq"),
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


@pytest.mark.row(13)
def test_a_path_leads_through_one_of_several_targets(crm: Client) -> None:
    fiche = crm.fiche()
    note = crm.create("annotations", subject="x", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
    assert [row["annotationid"] for row in crm.rows("annotations?$filter=objectid_cf_fiche/cf_name eq 'F-1'")] == [note]
    assert crm.rows("annotations?$filter=objectid_cf_dossier/cf_name eq 'F-1'") == []


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
    # A blank more, and it is not a plain list of rows.
    assert parse_filter(" or ".join(conditions), {}) == parse_filter(" or ".join([f"{conditions[0]} ", *conditions[1:]]), {})
