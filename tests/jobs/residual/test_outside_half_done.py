"""A unit that has lost content outside the CRM and no row is told as half done, and judged again before it
goes on (ERA-15)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pytest

from jobs.checks.kill_switch import resume, stop
from jobs.model.plan import Kind, Plan
from jobs.model.run import Action, ActionState
from jobs.plans.make import make_plan
from jobs.residual.outside_content import AT_ONCE
from jobs.residual.recording_content import OBJECT_LEFT
from jobs.writing.send import WriteOutcome
from rules.errors import Refused
from tests.drivers.holding import place, release
from tests.drivers.organisation import set_faults
from tests.jobs.residual.outside import Reaching, a_recording, outcome


def stopped_after_the_first(reaching: Reaching, names: Collection[str], plan: Plan) -> None:
    """Carry out a plan until the kill switch is set while the first few objects go; lift it."""
    store = reaching.night.store

    def stop_everything() -> None:
        reaching.storage.on_remove = lambda: None
        stop(store, reaching.night.clock())

    reaching.storage.on_remove = stop_everything
    with pytest.raises(Refused):
        reaching.apply(plan)
    assert len(reaching.storage.names) == len(names) - AT_ONCE
    resume(store)


@pytest.mark.parametrize("by", ["expiry", "hold"])
def test_what_is_half_deleted_outside_when_its_run_goes_no_further_is_told_as_such(reaching: Reaching, by: str) -> None:
    """The kill switch is set between removals; when the run goes on its plan has expired, or a hold keeps the
    unit. Of the fiche of which nothing had gone nothing is told."""
    night, names = reaching.night, [f"{number}.wav" for number in range(AT_ONCE + 1)]
    fiches = [night.fiche("social_card", spoken=date(2018, 1, 1)) for _ in range(2)]
    for name in names:
        a_recording(reaching, name, fiche=min(fiches), cf_startedon="2018-01-01T11:00:00Z")
    untouched = a_recording(reaching, "other.wav", fiche=max(fiches), cf_startedon="2018-01-01T11:00:00Z")
    plan = make_plan(reaching.context, Kind.RETENTION)
    stopped_after_the_first(reaching, [*names, "other.wav"], plan)
    if by == "expiry":
        night.clock.now = plan.valid_until
    else:
        holds = [place(night, "cf_fiche", fiche) for fiche in fiches]
    code = "PLAN_EXPIRED" if by == "expiry" else "HOLD_JUDICIAL"
    run = reaching.apply(plan)
    assert outcome(reaching, run, min(fiches)) == (ActionState.PARTIAL, code)
    assert outcome(reaching, run, max(fiches)) == (ActionState.SKIPPED, code)
    assert (run.state.value, run.counts["partial"], run.counts["rows"]) == ("done_with_failures", 1, {})
    if by == "hold":
        for hold in holds:
            release(night, hold)
    last = reaching.apply(make_plan(reaching.context, Kind.RETENTION))
    assert [outcome(reaching, last, fiche)[0] for fiche in fiches] == [ActionState.DONE] * 2
    assert (reaching.storage.names, night.get("cf_recordings", untouched)) == (set(), None)


def test_a_hold_that_comes_to_the_dossier_of_a_half_deleted_recording_keeps_what_is_left(reaching: Reaching) -> None:
    """HLD-07: a transcript depends on it, so that no plan judges it again; its own version tells nothing of
    the dossier's hold."""
    night = reaching.night
    dossier = night.dossier("sexting", closed=False, spoken=date(2026, 1, 1))
    row = a_recording(reaching, fiche=night.fiches_of(dossier)[0])
    night.note("cf_recording", row)
    fault = [{"match": {"method": "DELETE", "path": f"cf_recordings({row})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    run = reaching.apply()
    assert outcome(reaching, run, row) == (ActionState.PARTIAL, "STILL_THERE")
    reaching.storage.put("call.wav")
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    again = reaching.apply()
    assert outcome(reaching, again, row) == (ActionState.PARTIAL, "HOLD_LEGAL")
    assert (night.get("cf_recordings", row) is not None, reaching.storage.names) == (True, {"call.wav"})
    night.patch("cf_dossiers", dossier, cf_legalhold=False)
    assert outcome(reaching, reaching.apply(), row)[0] is ActionState.DONE


def test_a_half_deleted_recording_is_not_forgotten_by_a_run_that_is_cut_off_over_it(
    reaching: Reaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in no plan: nobody but the run itself goes on with it."""
    night = reaching.night
    row = a_recording(reaching)
    night.note("cf_recording", row)
    fault = [{"match": {"method": "DELETE", "path": f"cf_recordings({row})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    assert outcome(reaching, reaching.apply(), row) == (ActionState.PARTIAL, "STILL_THERE")
    plan = make_plan(reaching.context, Kind.RETENTION)

    def cut_off(*_: object, **more: object) -> Action:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.resume.finish_remaining", cut_off)
        with pytest.raises(KeyboardInterrupt):
            reaching.apply(plan)
    assert outcome(reaching, reaching.apply(plan), row)[0] is ActionState.DONE
    assert night.get("cf_recordings", row) is None


def test_a_row_that_the_crm_keeps_after_its_object_went_is_half_done(reaching: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skipped would say that nothing had happened; the next run takes the row."""
    row = a_recording(reaching)
    plan = reaching.plan()

    def refused(connector: object, writes: dict[str, object], *rest: object, **more: object) -> dict[str, WriteOutcome]:
        return dict.fromkeys(writes, WriteOutcome(ActionState.SKIPPED, "SKIPPED_TECHNICAL"))

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.journal.send_and_reconcile", refused)
        run = reaching.apply(plan)
    assert outcome(reaching, run, row) == (ActionState.PARTIAL, "SKIPPED_TECHNICAL")
    assert outcome(reaching, reaching.apply(), row) == (ActionState.DONE, "")


@pytest.mark.parametrize("code", [OBJECT_LEFT, "NO_ANSWER"])
def test_a_unit_that_lost_content_alone_is_never_finished_without_being_judged_again(
    reaching: Reaching, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """RET-17: its rows are all there when the run ends. That somebody takes one of them away, and the age of
    the child is corrected, makes it no unit of which a run has deleted rows."""
    night = reaching.night
    dossier, child = night.dossier("sexting", spoken=date(2018, 3, 1)), night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=dossier)
    note = night.note("cf_dossier", dossier)
    (fiche,) = night.fiches_of(dossier)
    for name in ("a.wav", "b.wav"):
        a_recording(reaching, name, fiche=fiche, cf_startedon="2018-03-01T11:00:00Z")

    def unanswered(connector: object, writes: dict[str, object], *rest: object, **more: object) -> dict[str, WriteOutcome]:
        return dict.fromkeys(writes, WriteOutcome(ActionState.FAILED, "NO_ANSWER"))

    with monkeypatch.context() as patched:
        if code == OBJECT_LEFT:
            reaching.storage.broken = {"b.wav"}
        else:
            patched.setattr("jobs.runs.journal.send_and_reconcile", unanswered)
        run = reaching.apply(make_plan(reaching.context, Kind.RETENTION))
    assert outcome(reaching, run, dossier) == (ActionState.PARTIAL, code)
    reaching.storage.broken = set()
    night.patch("contacts", child, birthdate="2015-02-01")
    night.http.delete(f"{night.emulator.url}annotations({note})").raise_for_status()
    again = reaching.apply(make_plan(reaching.context, Kind.RETENTION))
    assert night.get("cf_dossiers", dossier) is not None
    assert [alarm.code for alarm in again.alarms] == ["LEFT_OVER"]
