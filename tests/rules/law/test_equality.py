"""The law in columns says of every unit what the second evaluation says, in every field."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.holds.holds import Holds
from rules.law.of_units import decisions, steps_of
from rules.model.decisions import Reason
from rules.model.records import Contact, Unit, UnitKind
from rules.policy.policy import Policy
from tests.rules.builders import POLICY, a_dossier
from tests.rules.law import anything
from tests.rules.law.second_evaluation import decide
from tests.rules.strategies import AS_OF, examples

ON_DAYS = st.one_of(st.just(AS_OF), st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.sampled_from([date(9999, 1, 1), date.max]))


@examples(200)
@given(st.lists(anything.units(), min_size=1, max_size=12), anything.POLICY, anything.holds(), ON_DAYS)
def test_both_evaluations_are_equal_in_every_field(units: list[Unit], policy: Policy, held: Holds, day: date) -> None:
    found = decisions(units, policy, held, day)
    assert len(found) == len(units)
    for unit, decision in zip(units, found, strict=True):
        assert decision == decide(unit, policy, held, as_of=day)


@examples(80)
@given(anything.units(), anything.POLICY, anything.holds(), ON_DAYS)
def test_a_unit_by_itself_is_decided_as_among_others(unit: Unit, policy: Policy, held: Holds, day: date) -> None:
    assert decisions([unit], policy, held, day) == [decide(unit, policy, held, as_of=day)]


@examples(100)
@given(st.lists(anything.units(), min_size=1, max_size=8), anything.POLICY, anything.holds(), ON_DAYS)
def test_the_end_that_decides_in_columns_is_the_one_that_is_picked_of_a_decision(
    units: list[Unit], policy: Policy, held: Holds, day: date
) -> None:
    """RET-11, RET-23: lines and `why` name the end that a decision picks, a plan the one of the columns."""
    _, found = steps_of(units, policy, held, day)
    rows = found.units.select("leader", "retention_end", "anchor", "anchor_on", "end_rule").iter_rows()
    for decision, (leader, retention_end, anchor, anchor_on, rule) in zip(found.decisions(), rows, strict=True):
        end = decision.deciding
        assert (end is None) == (retention_end is None)
        if end is not None and leader is None:  # what follows a dossier has that one's end, by another rule
            assert (end.on, end.anchor, end.anchor_on, end.rule) == (retention_end, anchor, anchor_on, rule)


def test_a_child_of_whom_nothing_tells_an_age_keeps_a_dossier_without_fiches() -> None:
    """RET-08, RET-09: one child is of age; of the other there is no date, and no fiche to count from."""
    of_age, unknown = Contact(id="c1", etag="1", birth_on=date(2000, 5, 5)), Contact(id="c2", etag="1")
    unit = a_dossier(children=[of_age, unknown], categories=("runaway",), closed_on=date(2015, 1, 1))
    (decision,) = decisions([unit], POLICY, Holds.none(), date(2050, 1, 1))
    assert (decision.retention_end, decision.reasons) == (None, (Reason.NOT_STARTED,))
    assert decision == decide(unit, POLICY, Holds.none(), as_of=date(2050, 1, 1))


def test_nothing_is_decided_of_nothing() -> None:
    assert decisions([], POLICY, Holds.none(), AS_OF) == []


def test_a_contact_has_no_decision_of_its_own() -> None:
    with pytest.raises(ValueError, match="decided together"):
        decisions([a_dossier(), Unit(UnitKind.CONTACT, "somebody", "1")], POLICY, Holds.none(), AS_OF)
