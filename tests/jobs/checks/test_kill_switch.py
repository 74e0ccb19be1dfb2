"""The kill switch: honoured between batches, and a stopped run goes on where it was."""

from __future__ import annotations

import dataclasses

import pytest

from jobs.checks import kill_switch
from jobs.model.plan import Kind
from jobs.model.run import ActionState, RunState
from jobs.nightly.retention import plan_and_apply
from jobs.runs.apply import apply_plan
from rules.errors import Refused
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO


def test_nothing_is_applied_while_it_is_set_and_planning_goes_on(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    since = kill_switch.stop(night.store, night.clock())
    plan = night.approved(night.plan())
    before = night.writes()
    with pytest.raises(Refused) as caught:
        night.apply(plan)
    assert caught.value.code == "stopped"
    with pytest.raises(Refused) as caught:
        plan_and_apply(night.context, Kind.RETENTION)
    assert caught.value.code == "stopped"
    assert (since, night.writes(), night.store.runs.of_plan(plan.id)) == (night.clock(), before, None)
    assert kill_switch.resume(night.store)
    assert night.apply(plan).counts["deleted"] == 1


def test_a_run_at_work_sends_nothing_more_and_goes_on_later(night: Night) -> None:
    fiches = [night.fiche("social_card", spoken=LONG_AGO) for _ in range(3)]
    recording = night.recording(LONG_AGO)
    plan = night.approved(night.plan())

    def stop_at(stage: str, done: int, total: int | None = None) -> None:
        if stage == "applying" and done == 0:
            kill_switch.stop(night.store, night.clock())

    with pytest.raises(Refused) as caught:
        apply_plan(dataclasses.replace(night.context, progress=stop_at), plan.id)
    assert caught.value.code == "stopped"
    run = night.store.runs.of_plan(plan.id)
    assert run is not None
    assert run.state is RunState.RUNNING
    assert night.get("cf_recordings", recording) is not None  # announced, and not sent any more
    assert [action.state for action in night.store.journal.of_run(run.id)] == [ActionState.INTENDED]
    assert all(night.get("cf_fiches", fiche) for fiche in fiches)
    kill_switch.resume(night.store)
    done = night.apply(plan)
    assert (done.id, done.state, done.counts["deleted"]) == (run.id, RunState.DONE, 4)


def test_a_finished_plan_still_answers_while_it_is_set(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    plan = night.plan()
    run = night.apply(plan)
    kill_switch.stop(night.store, night.clock())
    assert night.apply(plan) == run


def test_setting_and_lifting_it_twice_leaves_one_trace_each(night: Night) -> None:
    first = kill_switch.stop(night.store, night.clock())
    assert kill_switch.stop(night.store, night.clock()) == first
    assert [kill_switch.resume(night.store), kill_switch.resume(night.store)] == [True, False]
    assert [entry.kind for entry in night.store.ledger.entries()] == ["stopped", "resumed"]
