"""A hold that was placed while the CRM did not answer is looked up by the next plan; one on nothing makes
plans wait (HLD-03)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jobs.checks.drift.holds import about_holds
from jobs.checks.drift.references import Believed
from jobs.ledger.heads import HOLDS
from jobs.model.plan import Kind
from jobs.nightly.retention import plan_and_apply
from jobs.plans.make import make_plan
from jobs.runs.apply import apply_plan
from jobs.runs.resume import lapsed
from jobs.writing.send import send_and_reconcile
from rules.errors import Refused
from rules.holds.placements import PlacedHold
from tests.drivers.holding import LONG_AGO, release
from tests.drivers.night import Night
from tests.jobs.holds.unseen_holds import NOBODY, unseen


def looked_up(night: Night) -> list[tuple[object, object]]:
    found = [entry.data for entry in night.store.ledger.strand(HOLDS) if entry.kind == "hold_looked_up"]
    return [(data["hold"], data["found"]) for data in found]


def test_a_hold_that_nobody_has_seen_is_looked_up_by_the_next_plan(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    hold = unseen(night, monkeypatch, dossier)
    make_plan(night.context, Kind.RETENTION, as_of=night.clock() + timedelta(days=30))
    assert looked_up(night) == []  # a look at another day changes nothing
    plan = night.plan()
    assert (plan.alarms, plan.retain) == ((), {"HOLD_JUDICIAL": 1})
    night.plan()
    seen = night.store.holds.get(hold.id)
    assert (seen.is_unseen, seen.looked_up_at is not None, looked_up(night)) == (False, True, [(hold.id, True)])
    assert list(about_holds(night.store, Believed(night.store, night.context.references), night.context.today)) == []


def test_a_hold_on_nothing_stays_and_makes_plans_wait_for_two_people(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.dossier("social_card", spoken=LONG_AGO)
    hold = unseen(night, monkeypatch, NOBODY)
    for _ in range(2):
        plan = night.plan()
        assert ([alarm.code for alarm in plan.alarms], plan.why) == (["HOLD_NOT_FOUND"], ("HOLD_NOT_FOUND",))
    assert looked_up(night) == [(hold.id, False)]
    kept = night.store.holds.get(hold.id)
    assert (kept.is_unseen, kept.is_in_force(night.context.today)) == (True, True)
    assert list(about_holds(night.store, Believed(night.store, night.context.references), night.context.today)) == []
    release(night, hold)
    assert night.plan().why == ()


def test_what_was_approved_before_a_hold_turned_out_to_be_on_nothing_is_not_carried_out(
    make_night: Callable[..., Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    night = make_night(first_look=True)
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    plan = night.approved(night.plan())
    unseen(night, monkeypatch, NOBODY)
    with pytest.raises(Refused) as refused:
        plan_and_apply(night.context, Kind.RETENTION)
    assert (refused.value.code, refused.value.where != plan.id) == ("approval", True)
    assert night.get("cf_dossiers", dossier) is not None


def test_a_person_does_not_carry_out_a_plan_either_that_was_made_before_a_hold_on_nothing(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HLD-07: what was meant may be in it; a plan that says so is for two people."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    plan, before = night.plan(), night.writes()
    unseen(night, monkeypatch, NOBODY)
    with pytest.raises(Refused) as refused:
        apply_plan(night.context, plan.id)
    assert (refused.value.code, refused.value.where, night.writes()) == ("hold_not_found", plan.id, before)
    assert night.store.runs.of_plan(plan.id) is None
    night.clock.now += timedelta(minutes=1)
    again = night.plan()
    assert again.needed == ("crm_admin", "dpo")
    night.apply(night.approved(again))
    assert night.get("cf_dossiers", dossier) is None


def test_a_hold_on_nothing_that_comes_while_a_plan_is_carried_out_ends_it(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not begun stays; a hold that was seen in time does not end anything."""
    rows = sorted(night.dossier("social_card", spoken=LONG_AGO) for _ in range(4))
    plan = night.plan()
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    placed = iter([lambda: unseen(night, monkeypatch, rows[3]), lambda: unseen(night, monkeypatch, NOBODY)])
    real = send_and_reconcile

    def settled(*given: Any, **named: Any) -> Any:
        done = real(*given, **named)
        next(placed, lambda: None)()
        return done

    monkeypatch.setattr("jobs.runs.journal.send_and_reconcile", settled)
    run = apply_plan(night.context, plan.id)
    assert run.counts["skipped"] == {"HOLD_NOT_FOUND": 2}
    assert [night.get("cf_dossiers", row) is None for row in rows] == [True, True, False, False]


def test_a_run_ends_by_a_second_hold_on_nothing_once_the_first_is_released(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sorted(night.dossier("social_card", spoken=LONG_AGO) for _ in range(4))
    plan = night.plan()
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    real_send, real_lapsed, placed = send_and_reconcile, lapsed, list[PlacedHold]()

    def settled(*given: Any, **named: Any) -> Any:
        done = real_send(*given, **named)
        placed.append(unseen(night, monkeypatch, NOBODY))
        return done

    def released_before(*given: Any) -> str:
        if len(placed) == 1 and night.store.holds.get(placed[0].id).released_at is None:
            release(night, placed[0])
        return real_lapsed(*given)

    monkeypatch.setattr("jobs.runs.journal.send_and_reconcile", settled)
    monkeypatch.setattr("jobs.runs.run.lapsed", released_before)
    run = apply_plan(night.context, plan.id)
    assert (len(placed), run.counts["skipped"]) == (2, {"HOLD_NOT_FOUND": 2})
    assert [night.get("cf_dossiers", row) is None for row in rows] == [True, True, False, False]
