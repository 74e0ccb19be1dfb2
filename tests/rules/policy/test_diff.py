"""What a change of the schedule says, and in which direction it goes."""

import itertools
import re
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.holds.holds import Holds
from rules.law.of_units import decisions
from rules.model.bypass import Bypass
from rules.model.records import Unit
from rules.policy.categories import ANCHORS_OF_UNIT
from rules.policy.diff import Change, Direction, categories_of, differences
from rules.policy.policy import People, Policy
from tests.rules import strategies
from tests.rules.builders import NO_TERM, POLICY, UNTIL_18, UNTIL_25, a_child, a_dossier, a_fiche, a_policy, shipped_policy


def the_change(new: Policy, old: Policy = POLICY) -> Change:
    (change,) = differences(old, new)
    return change


@pytest.mark.parametrize("policy", [POLICY, shipped_policy(), strategies.ODD_POLICY], ids=["tests", "shipped", "odd"])
def test_a_schedule_does_not_differ_from_itself(policy: Policy) -> None:
    assert differences(policy, policy) == ()


UNTIL_21 = {**UNTIL_25, "age": 21}
FIVE = {"type": "years_after", "years": 5, "anchor": ["proceedings_ended_on", "closed_on"], "disposition": "delete"}


@pytest.mark.parametrize(
    ("rows", "where", "direction", "part"),
    [
        ({"missing_runaway": UNTIL_21}, "age", "earlier", "kept until 25 → until 21; affects units with runaway"),
        ({"exploitation_ict": UNTIL_21}, "age", "later", "until 18 → until 21; affects units with social_networks, grooming, sexting"),
        (
            {"civil_party": {**FIVE, "years": 3}},
            "years",
            "earlier",
            "kept 5 years from the end of the proceedings, else from the closing → 3",
        ),
        ({"civil_party": {**FIVE, "anchor": "closed_on"}}, "anchor", "unclear", "→ kept 5 years from the closing"),
        ({"civil_party": NO_TERM}, "type", "later", "→ kept without a term"),
        ({"missing_unexplained": UNTIL_18}, "type", "earlier", "kept without a term → kept until 18"),
        ({"missing_runaway": {**UNTIL_25, "enabled": False}}, "enabled", "later", "in force → off: its units are kept as UNCONFIGURED"),
        ({"missing_runaway": {**UNTIL_25, "disposition": "delete"}}, "disposition", "none", "anonymise → delete"),
        (
            {"missing_runaway": {**UNTIL_25, "bypass": ["plugins"]}},
            "bypass",
            "earlier",
            "passes by plug-ins and workflows of the CRM, holds",
        ),
        ({"missing_runaway": {**UNTIL_25, "bypass": ["flows"]}}, "bypass", "none", "a disposal now passes by cloud flows; affects units"),
        ({"missing_runaway": {**UNTIL_25, "basis": "Another"}}, "basis", "none", "basis: a basis → Another"),
    ],
)
def test_a_changed_row_says_what_it_means(rows: dict[str, Any], where: str, direction: str, part: str) -> None:
    changes = {change.where: change for change in differences(POLICY, a_policy(rows))}
    change = changes[f"categories.{next(iter(rows))}.{where}"]
    assert part in change.sentence
    assert change.direction == direction


@pytest.mark.parametrize(("unit", "anchor"), [(unit, anchor) for unit, anchors in ANCHORS_OF_UNIT.items() for anchor in anchors])
def test_a_new_row_says_from_which_date_it_counts_and_whom_it_affects(unit: str, anchor: str) -> None:
    row = {"unit": unit, "type": "years_after", "years": 3, "anchor": anchor, "disposition": "delete"}
    sentence = the_change(a_policy({"reports": row})).sentence
    assert re.match("reports: a new row, kept 3 years from the [a-z ]+, then delete.*; affects ", sentence), sentence
    if unit == "own_table":
        assert sentence.endswith("affects the rows of each table to which the mapping gives this term")


@pytest.mark.parametrize(
    ("key", "crm_categories", "found"),
    [
        ("preventive", None, ["preventive"]),
        ("preventive", ["runaway"], []),
        ("missing_runaway", None, ["runaway"]),
        ("missing_runaway", ["runaway", "missing_runaway"], ["runaway", "missing_runaway"]),
        ("social_card", ["social_card"], ["social_card"]),
    ],
)
def test_a_row_answers_for_the_category_of_its_own_name_where_there_is_one(
    key: str, crm_categories: list[str] | None, found: list[str]
) -> None:
    """RET-12."""
    new = a_policy({key: {"type": "months_after", "months": 7, "anchor": "opened_on", "disposition": "delete"}})
    assert categories_of(key, new, crm_categories) == found
    told = next(change.sentence for change in differences(POLICY, new, crm_categories) if change.where.startswith(f"categories.{key}"))
    assert told.endswith(f"affects units with {', '.join(found)}" if found else "affects no category of the CRM")


def test_a_bypass_that_ends_keeps_longer_and_that_of_people_is_told() -> None:
    row = {**UNTIL_25, "bypass": ["plugins", "flows"]}
    change = the_change(a_policy({"missing_runaway": UNTIL_25}), a_policy({"missing_runaway": row}))
    assert (change.direction, "no more passes by plug-ins" in change.sentence) == ("later", True)
    people = POLICY.model_copy(update={"contacts": People(bypass=(Bypass.PLUGINS,))})
    change = the_change(people)
    assert (change.where, change.old, change.new, change.direction) == ("contacts.bypass", [], ["plugins"], "earlier")
    assert change.sentence.startswith("contacts that go or are trimmed: a disposal now passes by plug-ins")


def test_a_row_that_comes_into_force_erases_what_was_kept() -> None:
    row = {"type": "months_after", "months": 6, "anchor": "last_activity", "disposition": "delete"}
    change = the_change(a_policy({"preventive": row}))
    assert (change.where, change.old, change.direction) == ("categories.preventive", None, Direction.EARLIER)
    assert change.sentence == "preventive: a new row, kept 6 months from the last activity, then delete; affects units with preventive"
    assert the_change(POLICY, a_policy({"preventive": row})).direction is Direction.LATER


def test_a_row_that_is_off_moves_no_end_whatever_it_says() -> None:
    off = {**UNTIL_25, "enabled": False}
    change = the_change(a_policy({"preventive": {**off, "age": 21}}), a_policy({"preventive": off}))
    assert change.direction is Direction.NONE


@pytest.mark.parametrize(
    ("defaults", "where", "direction"),
    [
        ({"late_rule_months": 0}, "defaults.late_rule_months", "earlier"),
        ({"late_rule_months": 12}, "defaults.late_rule_months", "later"),
        ({"delete_after_takeover": True}, "defaults.delete_after_takeover", "earlier"),
        ({"sentinels": ["1753-01-01"]}, "defaults.sentinels", "unclear"),
        ({"review_months": 12}, "defaults.review_months", "none"),
    ],
)
def test_a_changed_default_says_in_which_direction_it_goes(defaults: dict[str, Any], where: str, direction: str) -> None:
    change = the_change(a_policy(**defaults))
    assert (change.where, change.direction) == (where, direction)


def test_another_derivation_is_told_with_both_rows() -> None:
    new = a_policy(derive={"runaway": [{"key": "missing_unexplained"}]})
    change = the_change(new)
    assert (change.where, change.direction) == ("derive.runaway", Direction.UNCLEAR)
    assert change.sentence == "CRM category runaway goes by: missing_runaway → missing_unexplained"


def test_other_approvers_are_told() -> None:
    new = POLICY.model_copy(update={"approvers": ("Approver one", "Approver three")})
    change = the_change(new)
    assert change.sentence == "approvers: Approver one, Approver two → Approver one, Approver three"


ROWS = {
    "missing_runaway": [None, UNTIL_18, UNTIL_21, NO_TERM, {**UNTIL_25, "enabled": False}],
    "exploitation_ict": [None, UNTIL_21, UNTIL_25],
    "civil_party": [None, {**FIVE, "years": 1}, {**FIVE, "years": 9}, NO_TERM],
}
CHANGES = [{key: row for key, row in zip(ROWS, rows, strict=True) if row is not None} for rows in itertools.product(*ROWS.values())]


class Way(NamedTuple):
    """A schedule whose periods all change in one direction."""

    policy: Policy
    direction: Direction

    def check(self, before: set[int], after: set[int]) -> None:
        """Raise AssertionError where units go or stay against the direction that is told."""
        if self.direction is not Direction.EARLIER:
            assert after <= before
        if self.direction is not Direction.LATER:
            assert before <= after


@cache
def ways() -> list[Way]:
    found = []
    for policy in map(a_policy, CHANGES):
        told = [change for change in differences(POLICY, policy) if not change.where.endswith((".disposition", ".rule"))]
        directions = {change.direction for change in told} or {Direction.NONE}
        if len(directions) == 1:
            found.append(Way(policy, *directions))
    return found


OF_EACH_ROW = [
    a_dossier(
        a_fiche(*categories, communicated_on=closed_on), categories=categories, children=[a_child(birth_on=born_on)], closed_on=closed_on
    )
    for categories in itertools.chain.from_iterable(
        itertools.combinations(("runaway", "grooming", "civil_party"), size) for size in (1, 2, 3)
    )
    for born_on in (date(year, 6, 1) for year in range(1999, 2010))
    for closed_on in (date(year, 6, 1) for year in range(2015, 2027, 2))
]


def going(units: list[Unit], policy: Policy) -> set[int]:
    """The units that go, by their places."""
    found = decisions(units, policy, Holds.none(), strategies.AS_OF)
    return {place for place, decision in enumerate(found) if decision.is_disposal}


def test_where_every_change_goes_one_way_the_units_of_its_rows_do() -> None:
    """The direction is a promise to those who approve, and no empty one: `later` keeps a unit that went."""
    before = going(OF_EACH_ROW, POLICY)
    for way in ways():
        after = going(OF_EACH_ROW, way.policy)
        way.check(before, after)
        assert (before == after) == (way.direction is Direction.NONE)
    assert {way.direction for way in ways()} == {Direction.EARLIER, Direction.LATER, Direction.NONE}


@strategies.examples(40)  # of five units
@given(st.deferred(lambda: st.sampled_from(ways())), strategies.group(5, strategies.units()))
def test_where_every_change_keeps_longer_no_unit_goes_that_stayed(way: Way, units: list[Unit]) -> None:
    way.check(going(units, POLICY), going(units, way.policy))


def test_every_key_that_differs_is_told() -> None:
    for rows in CHANGES:
        new = a_policy(rows)
        told = {change.where.split(".")[1] for change in differences(POLICY, new)}
        assert told == {key for key in rows if new.categories[key] != POLICY.categories[key]}
