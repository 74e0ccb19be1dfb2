"""What happens between an interruption and its end, between a reading and its write: others work in the CRM
meanwhile."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine, text

from connectors.interface.errors import ConnectorError, ReadIncomplete
from jobs.checks.drift.plans import approval_entry
from jobs.ledger.entries import StoreAltered
from jobs.model.plan import Approval, Kind
from jobs.model.run import ActionState, RunState
from jobs.nightly.retention import plan_and_apply
from jobs.plans.lines.pages import lines_of, paged
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from rules.errors import Refused
from tests.drivers.holding import release
from tests.drivers.night import CATEGORY, ROLE, Night
from tests.drivers.organisation import set_faults
from tests.jobs.holds.unseen_holds import NOBODY, unseen
from tests.jobs.runs.interruptions import LONG_AGO, Meddling, a_grown_up, applied, killed_before
from tests.jobs.runs.kill_points import Fragile, Killed, Points

MakeNight = Callable[..., Night]


def test_a_unit_that_was_announced_is_judged_as_it_is_when_the_run_goes_on(night: Night) -> None:
    """RET-17: between the kill and the resumption the dossier is re-opened, gets a fiche and loses a note."""
    dossier, _ = a_grown_up(night)
    note = night.note("cf_dossier", dossier)
    plan = night.plan()
    killed_before(night, plan, "change")
    night.patch("cf_dossiers", dossier, statecode=0, statuscode=1)
    night.fiche("sexting", spoken=date(2026, 11, 24), dossier=dossier)
    night.http.delete(f"{night.emulator.url}annotations({note})").raise_for_status()
    run = night.apply(plan)
    assert run.counts["skipped"] == {"OPEN_DOSSIER": 1, "STILL_REFERRED": 1}
    assert night.get("cf_dossiers", dossier) is not None
    assert len(night.fiches_of(dossier)) == 3


def test_what_a_run_has_begun_and_not_settled_is_not_verified(night: Night) -> None:
    """Nobody may read "all are gone" of a run that was cut off (ERA-15)."""
    a_grown_up(night)
    plan = night.plan()
    killed_before(night, plan, "change")
    (begun,) = night.context.store.runs.all()
    told = verify_run(night.context, begun.id)
    assert (told["unsettled"], told["checked"]) == (1, 0)
    night.apply(plan)
    assert verify_run(night.context, begun.id)["unsettled"] == 0


@pytest.mark.parametrize("reopened", [False, True])
def test_a_dossier_of_which_only_its_own_row_stayed_is_finished_after_a_kill(night: Night, *, reopened: bool) -> None:
    """The CRM says that it deleted the dossier and did not; the run is killed before it looks. Without fiches
    nothing would be due."""
    dossier, child = a_grown_up(night)
    fault = [{"match": {"method": "DELETE", "path": f"cf_dossiers({dossier})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    plan = night.plan()
    killed = dataclasses.replace(night.context, connector=Fragile(night.context.connector, Points(2), ("change",)))
    with pytest.raises(Killed):
        apply_plan(killed, plan.id)
    assert (night.get("cf_dossiers", dossier) is not None, night.fiches_of(dossier)) == (True, [])
    if reopened:
        night.patch("cf_dossiers", dossier, statecode=0, statuscode=1)
    run = night.apply(plan)
    assert (night.get("cf_dossiers", dossier) is not None) is reopened
    if reopened:
        assert (run.state, run.counts["partial"], run.counts["anonymised"]) == (RunState.DONE_WITH_FAILURES, 1, 0)
        return
    assert (run.state, run.counts["anonymised"], run.counts["deleted"]) == (RunState.DONE, 1, 1)
    assert night.get("contacts", child) is None
    assert len(night.rows("cf_statistics")) == 1


def test_a_leftover_that_has_come_back_to_life_is_left_alone(night: Night) -> None:
    """A contact whose removal was answered and not done is the child of a new dossier when the next run
    comes."""
    dossier, child = a_grown_up(night)
    fault = [{"match": {"method": "DELETE", "path": f"contacts({child})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    assert night.apply(night.plan()).counts["partial"] == 1
    night.party(child, "child", dossier=night.dossier("runaway", spoken=date(2026, 11, 20), closed=False))
    run = night.apply(night.plan())
    assert (run.state, run.counts["deleted"]) == (RunState.DONE, 0)
    assert night.get("contacts", child) is not None
    assert night.get("cf_dossiers", dossier) is None


@pytest.mark.parametrize("change", ["new", "recategorised"])
def test_a_fiche_that_the_decision_did_not_know_stops_its_dossier(night: Night, change: str) -> None:
    dossier, _ = a_grown_up(night)
    first = night.fiches_of(dossier)[0]

    def act() -> None:
        if change == "new":
            night.fiche("unexplained_disappearance", spoken=LONG_AGO, dossier=dossier)
        else:
            night.patch("cf_fiches", first, cf_categories=str(CATEGORY["unexplained_disappearance"]))

    plan = night.plan()
    run = applied(night, plan, Meddling(night.context.connector, act, before="Note", nth=2))
    assert run.counts["skipped"] == {"CHANGED": 1, "STILL_REFERRED": 1}
    assert night.get("cf_dossiers", dossier) is not None
    assert first in night.fiches_of(dossier)


@pytest.mark.parametrize("known_as", ["", "witness"])
def test_a_younger_child_that_the_decision_did_not_know_stops_the_dossier(night: Night, known_as: str) -> None:
    """Nobody has known that somebody is one, or only that the person is in the file."""
    dossier, _ = a_grown_up(night)
    sibling = night.contact(birthdate="2015-01-01")
    role = night.party(sibling, known_as, dossier=dossier) if known_as else ""

    def act() -> None:
        if role:
            night.patch("cf_parties", role, cf_role=ROLE["child"])
        else:
            night.party(sibling, "child", dossier=dossier)

    plan = night.plan()
    run = applied(night, plan, Meddling(night.context.connector, act, before="Note", nth=2))
    assert run.counts["skipped"] == {"CHANGED": 1, "STILL_REFERRED": 2 if known_as else 1}
    assert night.get("cf_dossiers", dossier) is not None


def test_a_hold_set_on_the_dossier_at_the_last_moment_keeps_its_recording(night: Night) -> None:
    """HLD-04, HLD-07: the hold changes the dossier's version, not the recording's."""
    dossier = night.dossier("runaway", spoken=LONG_AGO, closed=False)
    recording = night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
    plan = night.plan()
    run = applied(
        night, plan, Meddling(night.context.connector, lambda: night.patch("cf_dossiers", dossier, cf_legalhold=True), before="Note")
    )
    assert run.counts["skipped"] == {"HOLD_LEGAL": 1}
    assert night.get("cf_recordings", recording) is not None


def test_a_contact_linked_while_others_are_written_stays(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new party row changes no version of the contact, so each group is looked at again."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    people = []
    for _ in range(3):
        _, child = a_grown_up(night)
        people.append(child)
    last = max(people)
    fresh = night.dossier("runaway", spoken=date(2026, 11, 20))
    plan = night.plan()
    # change: three dossiers, then the contacts one by one, in the order of their ids
    meddling = Meddling(night.context.connector, lambda: night.party(last, "child", dossier=fresh), before="change", nth=5)
    run = applied(night, plan, meddling)
    assert run.counts["skipped"] == {"STILL_REFERRED": 1}
    assert night.get("contacts", last) is not None


def test_an_interrupted_run_of_any_kind_is_finished_by_the_next_night(night: Night) -> None:
    """Killed after the units and before the contacts; the night of another kind takes it over."""
    dossier, child = a_grown_up(night)
    plan = night.plan()
    killed_before(night, plan, "change", at=2)
    assert night.get("cf_dossiers", dossier) is None
    plan_and_apply(night.context, Kind.RECORDINGS)
    run = night.store.runs.of_plan(plan.id)
    assert run is not None
    assert (run.state, run.counts["anonymised"], run.counts["deleted"]) == (RunState.DONE, 1, 1)
    assert night.get("contacts", child) is None
    assert len(night.rows("cf_statistics")) == 1


def test_no_other_plan_is_applied_while_a_run_is_interrupted(night: Night) -> None:
    a_grown_up(night)
    first = night.plan()
    killed_before(night, first, "change")
    second = night.plan()
    with pytest.raises(Refused, match="interrupted") as caught:
        night.apply(second)
    assert caught.value.code == "another_run"
    assert night.apply(first).counts["anonymised"] == 1
    assert night.apply(second).counts["anonymised"] == 0
    assert sum(row["cf_count"] for row in night.rows("cf_statistics?$select=cf_count")) == 1


@pytest.mark.parametrize("trouble", ["expired", "rejected", "policy", "hold"])
def test_an_interrupted_run_whose_plan_has_lapsed_begins_nothing_new(
    make_night: MakeNight, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    night = make_night()
    dossier, child = a_grown_up(night)
    other, _ = a_grown_up(night)
    plan = night.plan()
    killed_before(night, plan, "change")
    going_on = night
    if trouble == "expired":
        night.clock.now += timedelta(hours=80)
    elif trouble == "rejected":
        word = Approval("ben", "dpo", night.clock.now, approves=False)
        night.store.plans.approve(plan.id, word, ("approval", approval_entry(plan, word, night.context.reference)))
    elif trouble == "hold":
        lost = unseen(night, monkeypatch, NOBODY)
    else:
        going_on = make_night(policy=lambda text: text.replace("max: 200", "max: 100"))
    run = going_on.apply(plan)
    code = {"expired": "PLAN_EXPIRED", "rejected": "PLAN_REJECTED", "policy": "POLICY_CHANGED", "hold": "HOLD_NOT_FOUND"}[trouble]
    assert run.counts["skipped"] == {code: 4}
    assert {night.get("cf_dossiers", one) is None for one in (dossier, other)} == {False}
    if trouble == "hold":
        release(night, lost)
    # The next night is not in its way, and finds everything.
    assert plan_and_apply(going_on.context, Kind.RETENTION).counts["anonymised"] == 2
    assert night.get("contacts", child) is None


def test_an_altered_line_is_not_carried_out(night: Night) -> None:
    """What is applied is what was looked at: the lines must give the plan's digest."""
    orphan = night.contact()
    plan = night.plan()
    engine = create_engine(str(night.store.database.engine.url))
    with engine.begin() as connection:
        kept = lines_of([connection.execute(text("SELECT content FROM plan_pages")).scalar_one()])
        going = [msgspec.structs.replace(line, outcome="dispose", disposition="delete") for line in kept]
        connection.execute(text("UPDATE plan_pages SET content = :content"), {"content": paged(going, (), {})[0][0]})
    engine.dispose()
    with pytest.raises(StoreAltered) as caught:
        night.apply(plan)
    assert (caught.value.where, caught.value.exit_code) == (f"plan {plan.id}", 7)
    assert night.get("contacts", orphan) is not None


def test_the_journal_forgets_the_figures_once_they_are_written(night: Night) -> None:
    """ERA-16: beside the id of the dossier they would undo what the shuffling hides."""
    a_grown_up(night)
    run = night.apply(night.plan())
    journal = night.store.journal.of_run(run.id)
    assert {action.state for action in journal} == {ActionState.DONE}
    assert [action.statistic for action in journal] == [None, None]
    saved = night.store.runs.get(run.id)
    assert saved.statistics is not None
    assert (saved.statistics.rows, saved.statistics.done, saved.counts["statistics"]) == ((), True, 1)
    assert "age_band" not in json.dumps([str(action) for action in journal])


def test_a_role_that_the_mapping_does_not_know_may_be_a_childs(night: Night) -> None:
    """R-161 for roles: the dossier is kept as long as a child of unknown age would keep it."""
    dossier, _ = a_grown_up(night)
    stranger = night.contact(birthdate="2012-02-01")
    row = {"cf_partyid": "00000000-0000-4000-8000-00000000000a", "cf_name": "rol", "cf_role": 100000099, "cf_contactid": stranger}
    night.emulator.load(
        [("cf_party", row | {"cf_dossierid": dossier, "createdon": "2018-03-01T11:00:00Z", "statecode": 0, "statuscode": 1})]
    )
    line = night.lines(night.plan())[dossier]
    assert (line.outcome, line.reason) == ("retain", "NOT_EXPIRED")
    assert "BIRTHDATE_UNKNOWN" in line.flags


def test_relations_that_this_account_does_not_see_stop_the_run(night: Night) -> None:
    a_grown_up(night)
    person = night.contact()
    night.create("cf_enrolments", "cf_enrolmentid", cf_name="e", cf_course="c", **{"cf_ContactId@odata.bind": f"/contacts({person})"})
    connector = night.context.connector

    class Blind(Meddling):
        def columns(self, record: type[Any], fields: Any) -> Iterator[Any]:
            return iter(()) if record.__name__ == "Enrolment" else iter(self._inner.columns(record, fields))

    from jobs.plans.make import make_plan

    with pytest.raises(ReadIncomplete, match="shows this account none") as caught:
        make_plan(dataclasses.replace(night.context, connector=Blind(connector, lambda: None, before="")), Kind.ALL)
    assert caught.value.where == "cf_enrolment"


def test_statistics_that_the_crm_refuses_are_written_when_it_takes_them(night: Night) -> None:
    a_grown_up(night)
    plan = night.plan()
    fault = [{"match": {"method": "POST", "path": "cf_statistics", "every": 1}, "times": 9, "do": "status", "status": 403}]
    set_faults(night.emulator, *fault)
    with pytest.raises(ConnectorError, match="the statistics could not be written: the CRM refuses with 0x") as caught:
        night.apply(plan)
    assert caught.value.where == "cf_statistic"
    set_faults(night.emulator)
    assert night.apply(plan).counts["statistics"] == 1
    assert len(night.rows("cf_statistics")) == 1


@pytest.mark.parametrize("changed", [False, True])
def test_fiches_that_outlive_their_dossier_go_the_next_night_unless_somebody_has_used_them(night: Night, *, changed: bool) -> None:
    """The CRM says that it deleted all of the dossier and kept a fiche: alone it has no child, so that no
    plan could judge it."""
    dossier, _ = a_grown_up(night)
    kept = night.fiches_of(dossier)[0]
    fault = [{"match": {"method": "DELETE", "path": f"cf_fiches({kept})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    first = night.apply(night.plan())
    assert (first.counts["partial"], night.get("cf_dossiers", dossier)) == (1, None)
    if changed:
        night.patch("cf_fiches", kept, cf_name="F-1 (fictief)")
    second = night.apply(night.plan())
    assert (night.get("cf_fiches", kept) is not None) is changed
    if changed:
        assert second.state is RunState.DONE_WITH_FAILURES
        assert "LEFT_OVER" in str(second.counts["alarms"])
    else:
        assert (second.state, second.counts["alarms"]) == (RunState.DONE, [])


@pytest.mark.parametrize("come", ["", "child", "recording", "note"])
def test_a_leftover_to_which_something_has_come_is_left_to_people(night: Night, come: str) -> None:
    """RET-17: what a run takes of what another has left half done is what that was announced with. A role, a
    recording or a note changes no version of the row that is left."""
    dossier, _ = a_grown_up(night)
    kept = night.fiches_of(dossier)[0]
    fault = [{"match": {"method": "DELETE", "path": f"cf_fiches({kept})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    assert night.apply(night.plan()).counts["partial"] == 1
    if come == "child":
        night.party(night.contact(birthdate="2015-01-01"), "child", fiche=kept)
    elif come == "recording":
        night.recording(date(2026, 11, 20), fiche=kept)
    elif come == "note":
        night.note("cf_fiche", kept)
    run = night.apply(night.plan())
    assert (night.get("cf_fiches", kept) is None) is not bool(come)
    assert ("LEFT_OVER" in str(run.counts["alarms"])) is bool(come)
