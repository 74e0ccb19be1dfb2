"""Holds as people place them: in force, overdue, refused (HLD-01 to HLD-03, HLD-09, HLD-11)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dates.calendar import BELGIAN
from rules.dates.periods import add_months
from rules.errors import Refused, UsageError
from rules.holds.excluded_reasons import is_no_reason
from rules.holds.holds import Hold, Holds
from rules.holds.placements import REASON_OF, HoldState, HoldType, PlacedHold, check_new, check_notice
from rules.model.decisions import Flag, Reason
from tests.rules.builders import BRAM, a_child, a_dossier, a_fiche, a_recording, decided
from tests.rules.holds.placed_holds import DAY, a_hold

FICHE = a_fiche("social_card", id="fiche", communicated_on=date(2020, 1, 1))


def holding(*holds: PlacedHold, day: date = DAY) -> Holds:
    return Holds.of([hold.on_row(hold.kind, hold.row, day) for hold in holds if hold.is_in_force(day)])


def refused(hold: PlacedHold) -> str:
    with pytest.raises(Refused) as caught:
        check_new(hold, DAY)
    return f"{caught.value.code} {caught.value.exit_code}"


@pytest.mark.parametrize("kind", HoldType)
def test_r065_each_type_of_hold_is_the_reason_of_its_rank(kind: HoldType) -> None:
    """R-065: RETAIN with the hold as reason, without end."""
    decision = decided(a_dossier(FICHE), DAY, holds=holding(a_hold(type=kind)))
    assert (decision.is_disposal, decision.reasons) == (False, (REASON_OF[kind],))
    assert decision.reason.value == f"HOLD_{kind.value.upper()}"


@pytest.mark.parametrize(
    ("instant", "state"),
    [
        (datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC), HoldState.ACTIVE),
        (datetime(2026, 10, 31, 23, 0, 0, tzinfo=UTC), HoldState.ENDED),
    ],
)
def test_r066_a_hold_lapses_at_the_start_of_the_day_after_its_last_in_brussels(instant: datetime, state: HoldState) -> None:
    """R-066, HLD-03."""
    hold, day = a_hold(ends_on=date(2026, 10, 31)), BELGIAN.day(instant)
    assert hold.state(day) is state
    assert decided(a_dossier(FICHE), day, holds=holding(hold, day=day)).is_disposal is (state is HoldState.ENDED)


def test_a_hold_without_last_day_lasts_until_it_is_released() -> None:
    assert a_hold().is_in_force(date(2099, 1, 1))
    assert a_hold(released_at=datetime(2026, 11, 20, tzinfo=UTC), ends_on=date(2020, 1, 1)).state(DAY) is HoldState.RELEASED


def test_r069_of_two_holds_the_one_that_is_left_is_the_only_reason() -> None:
    """R-069, HLD-06."""
    released = a_hold(id="hold-2", type=HoldType.OBJECTION, released_at=datetime(2026, 11, 20, tzinfo=UTC))
    decision = decided(a_dossier(FICHE), DAY, holds=holding(a_hold(type=HoldType.COMPLAINT), released))
    assert decision.reasons == (Reason.HOLD_COMPLAINT,)


def test_r070_a_review_in_the_past_is_reported_and_releases_nothing() -> None:
    """R-070, HLD-03: the day of the review itself is not overdue."""
    overdue, due = a_hold(review_on=DAY - timedelta(days=1)), a_hold(id="hold-2", review_on=DAY)
    for hold, flags in ((overdue, (Flag.HOLD_REVIEW_OVERDUE,)), (due, ())):
        decision = decided(a_dossier(FICHE), DAY, holds=holding(hold))
        assert (decision.reasons, decision.flags) == ((Reason.HOLD_LEGAL,), flags)
    covered = a_recording(fiche=FICHE, belongs_to=a_dossier(FICHE), ended_on=date(2020, 1, 1), taken_over=True)
    assert decided(covered, DAY, holds=holding(overdue)).flags == (Flag.HOLD_REVIEW_OVERDUE,)
    ended = a_hold(review_on=DAY - timedelta(days=9), ends_on=DAY - timedelta(days=2))
    assert not ended.is_overdue(DAY)


def test_a_review_of_another_units_hold_is_nobody_elses_flag() -> None:
    other = a_hold(row="another", review_on=DAY - timedelta(days=1))
    assert decided(a_dossier(FICHE), DAY, holds=holding(other)).flags == ()
    flagged = a_dossier(FICHE, legal_hold=True)
    assert decided(flagged, DAY, holds=holding(other)).flags == ()


def test_r080_reasons_stand_in_the_order_of_ranks() -> None:
    """R-080: HOLD_RESTRICTION, NO_TERM."""
    unit = a_dossier(a_fiche("unexplained_disappearance", communicated_on=date(2020, 1, 1)))
    decision = decided(unit, DAY, holds=holding(a_hold(type=HoldType.RESTRICTION)))
    assert decision.reasons == (Reason.HOLD_RESTRICTION, Reason.NO_TERM)


def test_r076_a_reopened_dossier_is_no_hold() -> None:
    """R-076: rank 11 needs closing, no release."""
    child = a_child(BRAM, birth_on=date(2000, 1, 1))
    spoken = date(2020, 1, 1)
    dossier = a_dossier(a_fiche("runaway", communicated_on=spoken), children=[child], is_active=True, reopened_on=date(2026, 1, 1))
    assert decided(dossier, DAY).reasons == (Reason.OPEN_DOSSIER,)
    assert Holds.none().on(dossier) == ()


def test_a_placed_legal_hold_and_the_flag_of_the_crm_rest_on_their_own_rules() -> None:
    assert decided(a_dossier(FICHE), DAY, holds=holding(a_hold())).rule == "HLD-05"
    assert decided(a_dossier(FICHE, legal_hold=True), DAY, holds=holding(a_hold(row="another"))).rule == "HLD-14"


# -- placing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "training", "quality", "Statistics", "statistieken", "STATISTIQUES", "study", "for-the-study", "studie", "étude", "Études",
        "kwaliteit", "KWALITEITSCONTROLE", "qualité", "opleiding", "formation", "vorming", "wetenschappelijk-onderzoek", "research",
        "recherche", "onderzoek", "STAT/statistiek", "Academy",
    ],
)  # fmt: skip
def test_r049_r075_statistics_studies_research_training_and_quality_are_no_reason(code: str) -> None:
    """R-049, R-075, HLD-11, RET-22: NOT_A_HOLD, whatever the type that is given."""
    assert refused(a_hold(type=HoldType.COMPLAINT, reason_code=code)) == "not_a_hold 5"


@pytest.mark.parametrize("basis", ["for the study", "Kwaliteit en opleiding", "pour les statistiques de 2026", "voor het jaarverslag"])
def test_r075_a_basis_that_says_nothing_else_is_no_reason(basis: str) -> None:
    assert refused(a_hold(basis=basis)) == "not_a_hold 5"


@pytest.mark.parametrize("basis", ["complaint about the quality of the care", "klacht over de opleiding", "letter of the prosecutor"])
def test_a_complaint_about_quality_is_a_reason_like_any_other(basis: str) -> None:
    check_new(a_hold(basis=basis), DAY)


@pytest.mark.parametrize("kind", [HoldType.JUDICIAL, HoldType.LEGAL])
def test_an_investigation_is_a_reason_where_a_court_asks(kind: HoldType) -> None:
    """*Onderzoek* and *recherche* are research too; a judge's investigation must not be taken for it."""
    for code in ("onderzoek", "gerechtelijk-onderzoek", "recherche"):
        check_new(a_hold(type=kind, reason_code=code, basis=code), DAY)
    assert is_no_reason("scientific-research", is_investigation=True, basis="")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"review_on": DAY - timedelta(days=1)}, "review_on"),
        ({"review_on": add_months(DAY, 12) + timedelta(days=1)}, "review_on"),
        ({"ends_on": DAY - timedelta(days=1)}, "ends_on"),
        ({"basis": " "}, "basis"),
        ({"reason_code": "two words"}, "reason"),
        ({"reason_code": ""}, "reason"),
        ({"type": HoldType.REQUEST}, "type"),
    ],
)
def test_what_no_hold_may_say_is_refused(facts: dict[str, Any], field: str) -> None:
    """HLD-01."""
    with pytest.raises(UsageError) as caught:
        check_new(a_hold(**facts), DAY)
    assert caught.value.field == field


@pytest.mark.parametrize("facts", [{"review_on": DAY}, {"review_on": add_months(DAY, 12)}, {"ends_on": DAY}])
def test_the_bounds_of_a_hold_are_within(facts: dict[str, Any]) -> None:
    check_new(a_hold(**facts), DAY)


PLACED_ON = date(2026, 11, 1)


@pytest.mark.parametrize("notified_on", [None, DAY + timedelta(days=1), PLACED_ON - timedelta(days=1)])
def test_r074_a_restriction_is_not_lifted_before_the_person_was_told(notified_on: date | None) -> None:
    """R-074, HLD-09."""
    with pytest.raises(Refused) as caught:
        check_notice(a_hold(type=HoldType.RESTRICTION), notified_on, placed_on=PLACED_ON, day=DAY)
    assert caught.value.code == "notice"


@pytest.mark.parametrize(("kind", "notified_on"), [("restriction", DAY), ("restriction", PLACED_ON), ("legal", None), ("objection", None)])
def test_a_restriction_is_lifted_once_the_person_was_told(kind: str, notified_on: date | None) -> None:
    check_notice(a_hold(type=HoldType(kind)), notified_on, placed_on=PLACED_ON, day=DAY)


# -- properties ----------------------------------------------------------------------------------------------

DAYS = st.dates(date(2026, 1, 1), date(2028, 1, 1))


@given(st.none() | DAYS, DAYS, DAYS)
def test_a_hold_in_force_stays_so_until_its_last_day_and_never_comes_back(ends_on: date | None, one: date, other: date) -> None:
    hold, (first, later) = a_hold(ends_on=ends_on), sorted((one, other))
    assert hold.is_in_force(first) or not hold.is_in_force(later)
    assert hold.is_in_force(first) is (ends_on is None or first <= ends_on)


@given(st.lists(st.sampled_from(HoldType), min_size=1, max_size=5), st.randoms())
def test_the_order_in_which_holds_were_placed_changes_nothing(kinds: list[HoldType], random: Any) -> None:
    marks = [Hold(f"hold-{n}", REASON_OF[kind], "dossier", "dossier") for n, kind in enumerate(kinds)]
    before = Holds.of(marks).on(a_dossier(FICHE))
    random.shuffle(marks)
    assert Holds.of(marks).on(a_dossier(FICHE)) == before
