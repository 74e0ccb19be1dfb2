"""Rows in the CRM's long-term retention count in every decision, and stop no plan (RET-11, RET-20)."""

from datetime import date

import pytest

from connectors.interface.errors import ConnectorError
from jobs.model.plan import Kind, Plan
from jobs.model.run import ActionState, RunState
from jobs.plans.questions.explain import explain_unit
from tests.drivers.holding import place
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide, skipped
from tests.drivers.typist import LONG_AGO

CODE = "LONG_TERM_RETENTION"
LATELY = date(2026, 11, 1)
KEYS = {"phonecall": "activityid"}


in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


def retain(night: Night, table: str, row: str) -> None:
    target = {"Target": {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", KEYS.get(table, f"{table}id"): row}}
    night.http.post(f"{night.emulator.url}Retain", json=target, timeout=10).raise_for_status()


def line(night: Night, plan: Plan, row: str) -> tuple[str, bool]:
    found = night.lines(plan)[row]
    return found.outcome, CODE in found.flags


@in_one_night
def a_fiche_there_counts_in_the_period_of_its_live_dossier(night: Night) -> Case:
    """RET-11: the longest wins, wherever it is."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    lately = night.fiche("social_card", dossier=dossier, spoken=LATELY)
    retain(night, "cf_fiche", lately)
    plan = yield PLANNED
    assert line(night, plan, dossier) == ("retain", True)
    yield APPLIED
    assert night.get("cf_dossiers", dossier) is not None


@pytest.mark.parametrize("whole", [False, True])
def test_a_fiche_there_answers_for_its_dossier(night: Night, whole: bool) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    lately = night.fiche("social_card", dossier=dossier, spoken=LATELY)
    for table, row in [("cf_fiche", lately), *([("cf_dossier", dossier)] if whole else [])]:
        retain(night, table, row)
    found, steps = explain_unit(night.context, "cf_fiche", lately)
    assert (found.table, found.id, found.outcome, CODE in found.flags) == ("cf_dossier", dossier, "retain", True)
    assert steps


def test_a_hold_on_a_dossier_there_reaches_a_live_recording_of_it(night: Night) -> None:
    """HLD-04."""
    dossier = night.dossier("social_card", spoken=LATELY)
    fiche = night.fiche("social_card", dossier=dossier, spoken=LATELY)
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    recording = night.recording(LONG_AGO, fiche=fiche)
    retain(night, "cf_dossier", dossier)
    found = night.lines(night.plan(Kind.RECORDINGS))[recording]
    assert (found.outcome, found.reason) == ("retain", "HOLD_LEGAL")


def test_a_hold_on_a_dossier_reaches_a_recording_there(night: Night) -> None:
    """HLD-04: a hold that is placed here looks at rows of which a plan keeps less than a record has."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    fiche = night.fiches_of(dossier)[0]
    recording = night.recording(LONG_AGO, fiche=fiche)
    note = night.note("cf_fiche", fiche, filename="a.mp3", mimetype="audio/mpeg", documentbody="AAAA", isdocument=True)
    for table, row in (("cf_recording", recording), ("annotation", note)):
        retain(night, table, row)
    place(night, "cf_dossier", dossier)
    lines = night.lines(night.plan())
    assert {(lines[row].outcome, lines[row].reason) for row in (dossier, recording) if row in lines} == {("retain", "HOLD_JUDICIAL")}
    assert recording in lines


def test_a_recording_of_a_fiche_there_goes_when_its_own_period_has_ended(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=LATELY)
    recording = night.recording(LONG_AGO, fiche=fiche)
    retain(night, "cf_fiche", fiche)
    run = night.apply(night.plan(Kind.RECORDINGS))
    assert run.state is RunState.DONE
    assert night.get("cf_recordings", recording) is None


@in_one_night
def live_roles_of_a_contact_there_stop_no_plan(night: Night) -> Case:
    dossier = night.dossier("social_card", spoken=LATELY)
    person = night.contact()
    night.party(person, "child", dossier=dossier)
    retain(night, "contact", person)
    plan = yield PLANNED
    assert dossier in night.lines(plan)
    assert plan.retained_rows["contact"] == 1


@in_one_night
def a_gift_there_ties_its_donor(night: Night) -> Case:
    """RET-20: who has given is kept without the fields of operations, wherever the gift lies."""
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.party(person, "reporter", dossier=dossier)
    retain(night, "cf_donation", night.donation(person))
    plan = yield PLANNED
    assert person in plan.trims
    yield APPLIED
    assert night.get("contacts", person) is not None


@in_one_night
def a_call_there_keeps_who_takes_part_in_it(night: Night) -> Case:
    """RET-20."""
    dossier, kept = night.dossier("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LATELY)
    person = night.contact()
    night.party(person, "reporter", dossier=dossier)
    retain(night, "phonecall", night.call("cf_dossier", kept, [person]))
    plan = yield PLANNED
    assert person not in night.lines(plan)


@in_one_night
def a_reference_that_was_moved_there_after_the_plan_keeps_its_contact(night: Night) -> Case:
    """RET-20: nothing that refers to a contact is overlooked right before it goes."""
    dossier, kept = night.dossier("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LATELY)
    person = night.contact()
    night.party(person, "reporter", dossier=dossier)
    plan = yield PLANNED
    assert person in night.lines(plan)
    retain(night, "cf_party", night.party(person, "reporter", dossier=kept))
    run = yield APPLIED
    assert skipped(night, run, dossier, person) == {"STILL_REFERRED": 1}
    assert night.get("contacts", person) is not None


def moved_after_the_plan(night: Night, which: str) -> Case:
    """RET-17: it is not what was planned any more."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2)
    yield PLANNED
    retain(night, f"cf_{which}", dossier if which == "dossier" else night.fiches_of(dossier)[0])
    run = yield APPLIED
    assert (run.state, skipped(night, run, dossier)) == (RunState.DONE, {"CHANGED": 1})
    assert len(night.fiches_of(dossier)) == (2 if which == "dossier" else 1)
    again = yield APPLIED
    (action,) = [action for action in night.store.journal.of_run(again.id) if action.id == dossier]
    assert (action.state, action.disposition) == (ActionState.DONE, "delete")


@in_one_night
def a_dossier_that_was_moved_there_after_the_plan_stays_till_the_next(night: Night) -> Case:
    return moved_after_the_plan(night, "dossier")


@in_one_night
def a_dossier_of_which_a_fiche_was_moved_there_after_the_plan_stays_till_the_next(night: Night) -> Case:
    return moved_after_the_plan(night, "fiche")


@in_one_night
def a_longer_period_that_was_moved_there_after_the_plan_keeps_the_dossier(night: Night) -> Case:
    """RET-11, RET-17."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    yield PLANNED
    retain(night, "cf_fiche", night.fiche("social_card", dossier=dossier, spoken=LATELY))
    run = yield APPLIED
    assert skipped(night, run, dossier) == {"NOT_EXPIRED": 1}
    assert night.get("cf_dossiers", dossier) is not None


def test_a_place_that_cannot_be_read_is_no_empty_one(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    retain(night, "cf_fiche", night.fiche("social_card", dossier=dossier, spoken=LATELY))
    set_faults(night.emulator, {"match": {"path": '*datasource="retained"*'}, "do": "status", "status": 403})
    with pytest.raises(ConnectorError):
        night.plan()
    with pytest.raises(ConnectorError):
        night.apply(plan)
    assert night.get("cf_dossiers", dossier) is not None
