"""Decisions over recordings and audio attachments (11.2, R-153)."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from rules.dates.calendar import BELGIAN
from rules.holds.conditions import Condition
from rules.holds.holds import Hold, Holds
from rules.law.decision_steps import explain_each
from rules.law.of_units import last_of
from rules.model.decisions import Disposition, Flag, Reason
from rules.model.records import Fiche, Unit
from rules.retention.recording_owners import owner_of
from tests.rules.builders import (
    CATEGORIES,
    POLICY,
    a_child,
    a_dossier,
    a_fiche,
    a_lone_fiche,
    a_policy,
    a_recording,
    an_attachment,
    codes,
    decided,
)
from tests.wire_days import civil_date

KEEP, DELETE = Disposition.KEEP, Disposition.DELETE
FICHE = a_fiche("runaway", communicated_on=date(2026, 1, 15), created_on=date(2026, 1, 16))


def a_runaway(**facts: Any) -> Unit:
    return a_dossier(FICHE, children=[a_child(birth_on=date(2010, 10, 10))], **facts)


def test_r045_a_recording_goes_with_the_first_instant_of_the_day_after() -> None:
    recording = a_recording(ended_on=date(2025, 9, 28))
    assert not decided(recording, BELGIAN.day(datetime.fromisoformat("2026-03-28T22:59:00Z"))).is_disposal
    decision = decided(recording, BELGIAN.day(datetime.fromisoformat("2026-03-28T23:00:00Z")))
    assert (decision.disposition, decision.categories, decision.rule) == (DELETE, ("recording",), "RET-21")


@pytest.mark.parametrize(
    ("as_of", "disposition", "flags"),
    [
        (date(2026, 6, 14), KEEP, []),
        (date(2026, 6, 15), KEEP, ["TAKEOVER_WARNING"]),
        (date(2026, 7, 15), KEEP, ["TAKEOVER_WARNING"]),
        (date(2026, 7, 16), DELETE, ["DISPOSED_NOT_TAKEN_OVER", "TAKEOVER_WARNING"]),
    ],
)
@pytest.mark.parametrize("taken_over", [False, None])
def test_r046_a_recording_that_was_not_taken_over_is_warned_about_and_deleted(
    as_of: date, disposition: Disposition, flags: list[str], taken_over: bool | None
) -> None:
    decision = decided(a_recording(ended_on=date(2026, 1, 15), taken_over=taken_over), as_of)
    assert (decision.disposition, codes(decision.flags)) == (disposition, flags)


def test_r047_an_open_dossier_does_not_keep_its_recording() -> None:
    recording = a_recording(fiche=FICHE, belongs_to=a_runaway(is_active=True), ended_on=date(2026, 1, 15), taken_over=True)
    assert decided(recording, date(2026, 7, 16)).disposition is DELETE


@pytest.mark.parametrize("build", [a_recording, an_attachment])
def test_r048_a_legal_hold_on_the_dossier_keeps_its_recording(build: Any) -> None:
    facts = {"ended_on": date(2026, 1, 15)} if build is a_recording else {}
    decision = decided(build(fiche=FICHE, belongs_to=a_runaway(legal_hold=True), **facts), date(2026, 8, 1))
    assert (decision.disposition, decision.reasons, decision.rule) == (KEEP, (Reason.HOLD_LEGAL,), "HLD-14")
    assert decision.retention_end == date(2026, 7, 15)


def test_r050_an_audio_attachment_has_six_months_and_follows_the_dossier_when_marked() -> None:
    dossier = a_runaway()
    assert decided(an_attachment(fiche=FICHE, belongs_to=dossier), date(2026, 7, 15)).disposition is KEEP
    assert decided(an_attachment(fiche=FICHE, belongs_to=dossier), date(2026, 7, 16)).disposition is DELETE
    decision = decided(an_attachment(fiche=FICHE, belongs_to=dossier, evidence=True), date(2026, 7, 16))
    assert (decision.disposition, decision.retention_end, decision.rule) == (KEEP, date(2035, 10, 10), "RET-05")
    assert decision.flags == ()


def test_r051_a_call_across_midnight_counts_from_its_end() -> None:
    days = [civil_date(text, "user_local") for text in ("2026-03-10T22:50:00Z", "2026-03-10T23:20:00Z")]
    decision = decided(a_recording(started_on=days[0], ended_on=days[1]), date(2026, 5, 1))
    assert decision.retention_end == date(2026, 9, 11)


def test_r052_a_chat_without_end_counts_from_its_start() -> None:
    decision = decided(a_recording(started_on=date(2026, 4, 10), ended_on=date(1900, 1, 1)), date(2026, 5, 1))
    assert (decision.retention_end, decision.flags) == (date(2026, 10, 10), ())


def test_r153_the_evidence_mark_makes_a_recording_follow_its_dossier() -> None:
    recording = a_recording(fiche=FICHE, belongs_to=a_runaway(), ended_on=date(2026, 1, 15), evidence=True, taken_over=True)
    decision = decided(recording, date(2026, 8, 15))
    assert (decision.disposition, decision.reasons, decision.retention_end) == (KEEP, (Reason.NOT_EXPIRED,), date(2035, 10, 10))
    gone = decided(recording, date(2035, 10, 11))
    assert (gone.disposition, gone.rule, gone.flags) == (DELETE, "RET-05", ())


def test_r153_the_evidence_mark_has_no_effect_on_a_lone_fiche() -> None:
    lone = a_lone_fiche("runaway", communicated_on=date(2026, 1, 15))
    for belongs_to in (lone, None):
        marked = a_recording(fiche=lone.fiches[0], belongs_to=belongs_to, ended_on=date(2026, 1, 15), evidence=True)
        assert decided(marked, date(2026, 8, 15)).disposition is DELETE


def test_a_marked_recording_has_the_reasons_of_its_dossier() -> None:
    recording = a_recording(fiche=FICHE, belongs_to=a_runaway(is_active=True, legal_hold=True), ended_on=date(2026, 1, 15), evidence=True)
    decision = decided(recording, date(2036, 1, 1))
    assert decision.reasons == (Reason.HOLD_LEGAL, Reason.OPEN_DOSSIER)
    assert decision.retention_end == date(2035, 10, 10)


def test_a_marked_recording_of_an_expired_dossier_is_kept_by_a_hold_of_its_own() -> None:
    recording = a_recording(fiche=FICHE, belongs_to=a_runaway(), ended_on=date(2026, 1, 15), evidence=True)
    holds = Holds.of([Hold("H-1", Reason.HOLD_JUDICIAL, "recording", "recording")])
    assert decided(recording, date(2036, 1, 1), holds=holds).reasons == (Reason.HOLD_JUDICIAL,)


def test_a_recording_without_any_date_has_not_started_and_one_of_the_future_is_an_error() -> None:
    assert decided(a_recording(), date(2026, 1, 1)).reasons == (Reason.NOT_STARTED,)
    tomorrow = date(2026, 1, 1) + timedelta(days=1)
    assert decided(a_recording(ended_on=tomorrow), date(2026, 1, 1)).reasons == (Reason.DATA_ERROR,)
    assert decided(a_recording(started_on=tomorrow), date(2026, 1, 1)).reasons == (Reason.DATA_ERROR,)
    assert decided(a_recording(started_on=tomorrow, ended_on=date(2025, 12, 1)), date(2026, 1, 1)).reasons == (Reason.NOT_EXPIRED,)


def test_an_attachment_counts_from_the_creation_of_a_fiche_without_communication_date() -> None:
    decision = decided(an_attachment(fiche=Fiche(id="f", created_on=date(2026, 1, 16))), date(2026, 7, 17))
    assert (decision.disposition, decision.retention_end, decision.flags) == (DELETE, date(2026, 7, 16), (Flag.ANCHOR_FALLBACK,))
    assert decided(an_attachment(fiche=Fiche(id="f")), date(2026, 7, 17)).reasons == (Reason.NOT_STARTED,)
    assert decided(an_attachment(), date(2026, 7, 17)).reasons == (Reason.NOT_STARTED,)


def test_a_recording_that_was_taken_over_may_go_at_once_where_the_controller_says_so() -> None:
    policy = a_policy(delete_after_takeover=True)
    taken, left = (a_recording(ended_on=date(2026, 1, 15), taken_over=taken_over) for taken_over in (True, False))
    assert decided(taken, date(2026, 1, 15), policy).disposition is KEEP
    assert decided(taken, date(2026, 1, 16), policy).disposition is DELETE
    assert decided(left, date(2026, 1, 16), policy).disposition is KEEP


@pytest.mark.parametrize("row", [{"enabled": False}, {"anchor": "booked_on"}])
def test_without_a_usable_row_no_recording_is_disposed_of(row: dict[str, Any]) -> None:
    policy = a_policy({"recording": {**CATEGORIES["recording"], **row}})
    assert decided(a_recording(ended_on=date(2020, 1, 1)), date(2026, 1, 1), policy).reasons == (Reason.UNCONFIGURED,)


def test_a_controller_may_give_recordings_no_term() -> None:
    policy = a_policy({"recording": {"type": "no_term", "disposition": "retain", "unit": "recording"}})
    assert decided(a_recording(ended_on=date(2020, 1, 1)), date(2026, 1, 1), policy).reasons == (Reason.NO_TERM,)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_marked_recording_of_a_fiche_in_several_dossiers_follows_the_one_that_stays_longest(order: tuple[int, int]) -> None:
    """RET-05: what is evidence in one of them is not deleted with another."""
    over = a_dossier(FICHE, children=[a_child(birth_on=date(1990, 10, 10))])
    open_one = a_dossier(FICHE, children=[a_child(birth_on=date(1990, 10, 10))], is_active=True)
    first, second = ((over, open_one)[at] for at in order)
    both = msgspec.structs.replace(first, belongs_to=second)
    as_of = date(2040, 1, 1)
    marked = {"ended_on": date(2026, 1, 15), "taken_over": True, "evidence": True}
    assert decided(a_recording(fiche=FICHE, belongs_to=over, **marked), as_of).disposition is DELETE
    assert decided(a_recording(fiche=FICHE, belongs_to=both, **marked), as_of).disposition is KEEP


def test_what_hangs_on_a_shared_fiche_is_explained_with_all_its_dossiers_and_goes_with_none_alone() -> None:
    """RET-05: a marked one follows the dossier that stays longest; RET-03: the fiche outlives a dossier that
    goes, so an attachment on it keeps its own term."""
    as_of = date(2040, 3, 1)
    shared = msgspec.structs.replace(FICHE, dossier="goes", also_in=("stays",))
    goes = a_dossier(shared, identity="goes", children=[a_child(birth_on=date(2010, 10, 10))])
    stays = a_dossier(shared, identity="stays", children=[a_child(birth_on=date(2010, 10, 10))], is_active=True)
    both = msgspec.structs.replace(goes, belongs_to=stays)
    marked = a_recording(fiche=shared, belongs_to=both, evidence=True, ended_on=date(2025, 1, 1))
    ((decision, steps),) = explain_each([marked], POLICY, Holds(), as_of)
    (step,) = [step for step in steps if step.rule == "RET-05"]
    assert step.inputs == {"evidence": True, "in_dossier": True, "dossiers": ["goes", "stays"], "follows": "stays"}
    assert steps[-1].result == decision.disposition.value == "keep"
    attached = an_attachment(fiche=shared, belongs_to=both, created_on=date(2026, 2, 1))
    assert owner_of(attached) is None
    assert owner_of(an_attachment(fiche=FICHE, belongs_to=goes, created_on=date(2026, 2, 1))) == "goes"


ON_A_ROW = Holds.of([Hold("H-1", Reason.HOLD_JUDICIAL, "dossier", "held")])
ON_ALL_THAT_FIT = Holds.of((), by_facts=[(Hold("H-1", Reason.HOLD_JUDICIAL, "dossier", ""), (Condition("active", ("yes",)),))])


@pytest.mark.parametrize("hold", [ON_A_ROW, ON_ALL_THAT_FIT], ids=["on a row", "by conditions"])
def test_a_dossier_beside_one_that_is_held_is_not_held_itself(hold: Holds) -> None:
    """HLD-04, RET-05: a marked recording stays for the one that stays, and for its reasons."""
    shared = msgspec.structs.replace(FICHE, dossier="goes", also_in=("held",))
    goes = a_dossier(shared, identity="goes", children=[a_child(birth_on=date(1990, 10, 10))])
    held = a_dossier(shared, identity="held", children=[a_child(birth_on=date(1990, 10, 10))], is_active=True)
    both = msgspec.structs.replace(goes, belongs_to=held)
    marked = a_recording(fiche=shared, belongs_to=both, evidence=True, ended_on=date(2025, 1, 1))
    ((decision, steps),) = explain_each([marked], POLICY, hold, date(2040, 3, 1))
    assert decision.reasons == (Reason.HOLD_JUDICIAL, Reason.OPEN_DOSSIER)
    assert [step.inputs["follows"] for step in steps if step.rule == "RET-05"] == ["held"]
    last = last_of([both, held], POLICY, hold, date(2040, 3, 1))
    assert last == held
