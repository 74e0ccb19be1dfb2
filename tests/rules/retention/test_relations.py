"""Gifts, courses and agreements under rows that a controller has put in force (2.3)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.holds.holds import Hold, Holds
from rules.law.decision_steps import explain_each
from rules.law.of_units import decisions
from rules.model.decisions import Disposition, Reason
from rules.model.records import Contact, Donation, Engagement, Enrolment, Unit, UnitKind
from rules.policy.policy import Policy
from rules.retention.contacts import ContactFacts, contact_outcomes
from rules.retention.relations import relation_terms
from tests.rules import strategies
from tests.rules.builders import POLICY, a_policy, codes, decided, shipped_policy
from tests.rules.retention.rows_of_relations import COURSE, DONOR, EVERYTHING_ON, PAYMENT, ROWS

AS_OF = date(2026, 11, 25)


def a_gift(booked_on: date | None, contact: str = "donor") -> Unit:
    return Unit(UnitKind.DONATION, "gift", "1", relation=Donation(id="gift", contact=contact, booked_on=booked_on))


def a_course(held_on: date | None, kind: str | None = None) -> Unit:
    return Unit(UnitKind.ENROLMENT, "course", "1", relation=Enrolment(id="course", contact="pupil", kind=kind, held_on=held_on))


def an_agreement(ended_on: date | None, kind: str | None = "volunteer") -> Unit:
    return Unit(UnitKind.ENGAGEMENT, "agreement", "1", relation=Engagement(id="agreement", contact="x", kind=kind, ended_on=ended_on))


@pytest.mark.parametrize(
    ("booked_on", "last_day"), [(date(2026, 3, 5), date(2036, 12, 31)), (date(2027, 1, 1), date(2037, 12, 31))], ids=["D-66", "D-67"]
)
def test_a_gift_is_kept_until_the_end_of_its_tenth_year(booked_on: date, last_day: date) -> None:
    """D-66, D-67: the last day kept is 31 December, disposal begins the day after (DAT-02)."""
    kept = decided(a_gift(booked_on), last_day, EVERYTHING_ON)
    assert (kept.disposition, kept.retention_end, codes(kept.reasons)) == (Disposition.KEEP, last_day, ["NOT_EXPIRED"])
    gone = decided(a_gift(booked_on), last_day.replace(year=last_day.year + 1, month=1, day=1), EVERYTHING_ON)
    assert (gone.disposition, codes(gone.reasons), gone.categories, gone.rule) == (
        Disposition.DELETE,
        ["EXPIRED"],
        ("donor_payment",),
        "RET-06",
    )


def test_a_course_goes_two_years_after_it_was_held() -> None:
    assert decided(a_course(date(2024, 11, 25)), AS_OF, EVERYTHING_ON).reason is Reason.NOT_EXPIRED
    assert decided(a_course(date(2024, 11, 24)), AS_OF, EVERYTHING_ON).disposition is Disposition.DELETE


@pytest.mark.parametrize("kind", ["trainee", None])
def test_an_agreement_of_a_kind_that_nobody_decided_upon_is_kept(kind: str | None) -> None:
    """RET-14: doubt keeps, and says which kind it is."""
    decision = decided(an_agreement(date(2010, 1, 1), kind), AS_OF, EVERYTHING_ON)
    assert (decision.reason, decision.retention_end) == (Reason.UNCONFIGURED, None)
    assert decision.categories == (() if kind is None else (kind,))


def test_an_agreement_that_still_runs_has_not_started_to_expire() -> None:
    assert decided(an_agreement(None), AS_OF, EVERYTHING_ON).reasons == (Reason.NOT_STARTED,)
    assert decided(an_agreement(date(1900, 1, 1)), AS_OF, EVERYTHING_ON).reasons == (Reason.NOT_STARTED,)  # a sentinel is not a date


def test_an_agreement_without_a_term_is_kept() -> None:
    decision = decided(an_agreement(date(1990, 1, 1), "employee"), AS_OF, EVERYTHING_ON)
    assert (decision.reasons, decision.categories, decision.rule) == ((Reason.NO_TERM,), ("employee",), "RET-15")


def test_the_longest_row_wins_where_several_are_for_the_same_course() -> None:
    """RET-11: the reference environment does not tell courses apart."""
    longer = {**COURSE, "years": 7}
    policy = a_policy({"training_participant": COURSE, "academy_participant": longer})
    decision = decided(a_course(date(2022, 1, 1)), AS_OF, policy)
    assert (decision.retention_end, decision.categories) == (date(2029, 1, 1), ("training_participant", "academy_participant"))


def test_a_hold_on_a_person_keeps_what_they_gave() -> None:
    """HLD-04, HLD-08: a pending request preserves all about the person."""
    holds = Holds.of([Hold("h", Reason.HOLD_REQUEST, "contact", "donor")])
    decision = decided(a_gift(date(2000, 1, 1)), AS_OF, EVERYTHING_ON, holds)
    assert (decision.disposition, decision.reason) == (Disposition.KEEP, Reason.HOLD_REQUEST)


def test_nothing_outside_the_missions_is_in_force_in_the_shipped_schedule() -> None:
    """2.3: all rows are off by default."""
    assert relation_terms(shipped_policy()).are_off
    assert relation_terms(EVERYTHING_ON).units == (UnitKind.DONATION, UnitKind.ENROLMENT, UnitKind.ENGAGEMENT)


def test_being_a_donor_lasts_as_long_after_the_last_gift_as_the_row_says() -> None:
    terms = relation_terms(EVERYTHING_ON)
    assert terms.donor_until([date(2020, 5, 1), date(2023, 2, 28)]) == date(2026, 2, 28)


def test_two_versions_of_the_schedule_agree_that_a_donor_is_none_any_more_only_where_both_say_so() -> None:
    """A run keeps to the version of its plan, and to the one in force by now: the later day of the two."""
    gifts = [date(2020, 5, 1)]
    three, five = (relation_terms(a_policy({"donor_profile": {**DONOR, "years": years}})) for years in (3, 5))
    assert three.agreed(five).donor_until(gifts) == five.agreed(three).donor_until(gifts) == date(2025, 5, 1)
    silent = relation_terms(a_policy({}))
    assert three.agreed(silent).donor_until(gifts) is silent.agreed(three).donor_until(gifts) is None


def test_what_two_versions_of_the_schedule_need_together_is_what_either_needs() -> None:
    payments, courses = (relation_terms(a_policy(rows)) for rows in ({"donor_payment": PAYMENT}, {"training_participant": COURSE}))
    assert payments.joined(courses).units == courses.joined(payments).units == (UnitKind.DONATION, UnitKind.ENROLMENT)


@pytest.mark.parametrize("unknown", [None, date(1753, 1, 1)])
def test_a_gift_without_a_date_keeps_its_giver_a_donor(unknown: date | None) -> None:
    """Doubt keeps."""
    assert relation_terms(EVERYTHING_ON).donor_until([date(2001, 1, 1), unknown]) is None


@strategies.examples(20)  # of five units
@given(strategies.group(5, strategies.units()), strategies.holds())
def test_a_row_outside_the_missions_changes_no_decision_over_a_unit_of_the_missions(units: list[Unit], holds: Holds) -> None:
    assert decisions(units, POLICY, holds, AS_OF) == decisions(units, EVERYTHING_ON, holds, AS_OF)


KINDS = st.sampled_from([None, "volunteer", "employee", "trainee"])
RELATION_UNITS = st.one_of(
    st.builds(a_gift, strategies.ANY_DAY),
    st.builds(a_course, strategies.ANY_DAY, KINDS),
    st.builds(an_agreement, strategies.ANY_DAY, KINDS),
)
SOME_ROWS = st.sets(st.sampled_from(sorted(ROWS))).map(lambda keys: a_policy({key: ROWS[key] for key in sorted(keys)}))


@strategies.examples(60)  # of five units
@given(strategies.group(5, RELATION_UNITS), SOME_ROWS, st.booleans())
def test_what_is_decided_over_a_relation_is_what_its_trace_says(units: list[Unit], policy: Policy, held: bool) -> None:
    """RET-17: trace and decision draw the same conclusion, and only an end that has passed disposes."""
    holds = Holds.of([Hold("h", Reason.HOLD_LEGAL, unit.kind.value, unit.id) for unit in units] if held else [])
    for decision, steps in explain_each(units, policy, holds, AS_OF):
        assert steps[-1].result == decision.disposition.value
        assert decision.is_disposal == (decision.reasons == (Reason.EXPIRED,))
        if decision.is_disposal:
            assert decision.retention_end is not None
            assert decision.retention_end < AS_OF
            assert not held


def facts(**more: Any) -> ContactFacts:
    people = {name: Contact(id=name) for name in ("donor", "friend")}
    return ContactFacts(**{"contacts": people, "kept": set(), "going": set(), "about": [], "relations": set()} | more)


def test_a_person_goes_with_their_last_relation() -> None:
    """RET-04, RET-20."""
    verdicts = contact_outcomes(facts(lapsed={"donor"}))
    assert (verdicts.remove, verdicts.trim, verdicts.orphans) == ({"donor"}, set(), {"friend"})


def test_a_person_with_another_relation_stays_untouched_when_one_ends() -> None:
    """What a gift needs is not for operations: nothing is trimmed because a relation ended."""
    verdicts = contact_outcomes(facts(lapsed={"donor"}, relations={"donor"}))
    assert (verdicts.remove, verdicts.trim) == (set(), set())


def test_a_person_in_a_dossier_that_stays_is_kept_when_a_relation_ends() -> None:
    assert contact_outcomes(facts(lapsed={"donor"}, kept={"donor"})).remove == set()
