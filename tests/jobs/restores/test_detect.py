"""A restore of the CRM is noticed, and what is back goes before anything else does (ERA-13)."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import msgspec
import pytest

from jobs.model.plan import Kind, PlanState
from jobs.model.run import ActionState, RunState
from jobs.nightly.retention import plan_and_apply
from jobs.restores.detect import note_rows_back, rows_back
from jobs.restores.replay import replay, replay_if_restored
from rules.errors import Refused
from tests.drivers.night import Night
from tests.drivers.restoring import Backing
from tests.jobs.restores.replaying import LONG_AGO, MakeNight, entries, made_again
from tests.jobs.runs.kill_points import organisation, state_of


def test_a_restore_is_noticed_by_the_rows_that_went_last(night: Night, backup: Backing) -> None:
    """R-091."""
    organisation(night)
    kept = backup(night)
    assert rows_back(night.context) == 0
    run = night.apply(night.plan())
    assert rows_back(night.context) == 0
    assert note_rows_back(night.context) == 0
    kept.restore()
    gone = sum(run.counts["rows"].values())  # type: ignore[attr-defined]
    assert rows_back(night.context) == gone
    assert note_rows_back(night.context) == gone
    assert entries(night, "alarm")[-1] == {"code": "RESTORED", "rows": gone}


def test_a_nightly_run_replays_before_anything_else(night: Night, backup: Backing) -> None:
    """R-091, ERA-13: the night's own plan sees a CRM without what had been erased."""
    organisation(night)
    kept = backup(night)
    night.apply(night.plan())
    after = state_of(night)
    kept.restore()
    assert plan_and_apply(night.context, Kind.RETENTION).counts["deleted"] == 0
    assert [run.kind for run in night.store.runs.all()] == [Kind.RETENTION, Kind.REPLAY, Kind.ALL]
    assert state_of(night)["cf_dossiers"] == after["cf_dossiers"]


def test_a_unit_that_is_half_done_is_no_sign_of_a_restore(night: Night) -> None:
    """What is left of it never went."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    (run,) = night.store.runs.all()
    (action,) = night.store.journal.of_run(run.id)
    night.store.journal.record(run.id, [msgspec.structs.replace(action, state=ActionState.PARTIAL)])
    made_again(night, lambda night: night.dossier("social_card", spoken=LONG_AGO))
    assert night.get("cf_dossiers", dossier) is not None
    assert rows_back(night.context) == 0
    assert replay_if_restored(night.context) is None


def test_holds_that_keep_all_that_is_back_let_the_night_go_on(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    made_again(night, lambda night: night.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True))
    plans = len(night.store.plans.all())
    assert replay_if_restored(night.context) is None
    assert len(night.store.plans.all()) == plans
    assert plan_and_apply(night.context, Kind.RETENTION).state is RunState.DONE
    assert night.get("cf_dossiers", dossier) is not None


def test_a_large_replay_waits_for_two_people(make_night: MakeNight) -> None:
    """RET-24: the same plan is taken up again night after night, until it is approved or lapses."""
    night = make_night(policy=lambda text: text.replace("max: 200", "max: 2"))

    def three(night: Night) -> list[str]:
        return [night.dossier("social_card", spoken=LONG_AGO) for _ in range(3)]

    three(night)
    night.apply(night.approved(night.plan()))
    made_again(night, three)
    writes = night.writes()
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            plan_and_apply(night.context, Kind.RETENTION)
        assert refused.value.code == "breaker"
    waiting = [plan for plan in night.store.plans.all() if plan.kind is Kind.REPLAY]
    assert ([plan.id for plan in waiting], night.writes()) == ([refused.value.where], writes)
    night.approved(waiting[0])
    plan_and_apply(night.context, Kind.RETENTION)
    assert night.store.plans.get(waiting[0].id).state(night.clock()) is PlanState.APPLIED
    assert night.rows("cf_dossiers") == []


def test_an_old_replay_plan_that_nobody_approved_gives_way_to_a_new_one(make_night: MakeNight) -> None:
    night = make_night(policy=lambda text: text.replace("max: 200", "max: 0"))
    night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.approved(night.plan()))
    made_again(night, lambda night: night.dossier("social_card", spoken=LONG_AGO))
    refusals = []
    for days in (0, 5):
        night.clock.now += timedelta(days=days)
        with pytest.raises(Refused) as refused:
            replay_if_restored(night.context)
        refusals.append(refused.value.where)
    assert len(set(refusals)) == 2


def test_a_night_after_a_restore_reads_everything_anew(make_night: MakeNight, backup: Backing) -> None:
    """What is remembered of the CRM is of a later day than the CRM itself."""
    night = make_night(remembering=True)
    night.dossier("social_card", spoken=LONG_AGO)
    night.dossier("runaway", spoken=date(2026, 11, 1))
    kept = backup(night)
    night.apply(night.plan())
    kept.restore()
    forgotten: list[str] = []
    context = dataclasses.replace(night.context, forget_memory=lambda: forgotten.append("memory"))
    assert replay(context).state is RunState.DONE
    assert forgotten == ["memory"]
