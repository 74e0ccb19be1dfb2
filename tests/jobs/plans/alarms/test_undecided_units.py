"""RET-14: what nothing in force decides on waits for a person, with an owner, an age and a day on which it is
due."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from jobs.model.plan import Kind, Plan
from jobs.model.run import RunState
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO

NO_CATEGORY, SOCIAL = None, "100000000"


def queue(plan: Plan) -> tuple[int, int, int]:
    """Units, overdue ones, and the age of the oldest."""
    assert plan.queue is not None
    return plan.queue.units, plan.queue.overdue, plan.queue.oldest_days


def codes(plan: Plan) -> list[str]:
    return [alarm.code for alarm in plan.alarms]


def without_category(night: Night) -> str:
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    night.patch("cf_fiches", fiche, cf_categories=NO_CATEGORY)
    return fiche


def later(night: Night, days: int) -> None:
    night.clock.now += timedelta(days=days)
    night.emulator.emulator.clock.advance(days * 86_400.0)


def test_each_unit_has_its_age_from_the_plan_that_first_found_it(night: Night) -> None:
    without_category(night)
    plan = night.plan()
    assert plan.queue is not None
    assert (plan.queue.owner, plan.queue.days) == ("dpo", 30)
    assert queue(plan) == (1, 0, 0)
    later(night, 10)
    without_category(night)
    assert queue(night.plan()) == (2, 0, 10)
    later(night, 20)
    assert queue(plan := night.plan()) == (2, 0, 30)
    assert codes(plan) == []
    later(night, 1)
    assert queue(night.plan()) == (2, 1, 31)


def test_a_queue_that_is_old_is_an_alarm_of_the_plan_and_its_run_and_no_failure(night: Night) -> None:
    without_category(night)
    night.plan()
    later(night, 31)
    plan = night.plan()
    assert [alarm.message for alarm in plan.alarms] == [
        "1 units have waited for a decision of the dpo for more than 30 days, the oldest for 31"
    ]
    run = night.apply(plan)
    assert [alarm["code"] for alarm in run.counts["alarms"]] == ["QUEUE_OLD"]  # type: ignore[attr-defined]
    assert run.state is RunState.DONE


def test_a_unit_that_was_decided_on_leaves_the_queue_and_begins_anew_where_it_comes_back(night: Night) -> None:
    fiche = without_category(night)
    night.plan()
    later(night, 40)
    night.patch("cf_fiches", fiche, cf_categories=SOCIAL)
    plan = night.plan()
    assert (queue(plan), codes(plan)) == ((0, 0, 0), [])
    assert night.store.work_queue.undecided(night.emulator.url) == {}
    night.patch("cf_fiches", fiche, cf_categories=NO_CATEGORY)
    assert queue(night.plan()) == (1, 0, 0)


def test_what_is_remembered_are_keyed_references(night: Night) -> None:
    fiche = without_category(night)
    night.plan()
    ((ref, waiting),) = night.store.work_queue.undecided(night.emulator.url).items()
    assert (ref, waiting.table) == (night.key.reference("cf_fiche", fiche), "cf_fiche")
    assert night.store.work_queue.undecided("https://other.crm4.dynamics.com/") == {}


def test_a_unit_keeps_its_age_when_the_key_of_references_is_replaced(night: Night) -> None:
    fiche = without_category(night)
    night.plan()
    before = night.key.reference("cf_fiche", fiche)
    later(night, 31)
    night.key, _ = night.key.rotate(night.clock.now)
    assert night.key.reference("cf_fiche", fiche) != before
    assert queue(night.plan()) == (1, 1, 31)
    assert list(night.store.work_queue.undecided(night.emulator.url)) == [night.key.reference("cf_fiche", fiche)]


def test_a_plan_of_one_kind_leaves_what_it_does_not_look_at_in_the_queue(night: Night) -> None:
    without_category(night)
    night.plan(Kind.RETENTION)
    later(night, 31)
    assert queue(night.plan(Kind.RECORDINGS)) == (0, 0, 0)
    assert queue(night.plan(Kind.RETENTION)) == (1, 1, 31)


def test_a_look_at_another_day_remembers_nothing(night: Night) -> None:
    without_category(night)
    assert queue(night.plan(as_of=night.clock.now + timedelta(days=400))) == (1, 0, 0)
    assert night.store.work_queue.undecided(night.emulator.url) == {}
    night.plan()
    ahead = night.plan(as_of=night.clock.now + timedelta(days=400))
    assert (queue(ahead), codes(ahead)) == ((1, 1, 400), [])


def test_a_hold_does_not_take_a_unit_out_of_the_queue(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    without_category(night)
    night.plan()
    later(night, 31)
    night.patch("cf_dossiers", dossier, cf_categories=NO_CATEGORY, cf_legalhold=True)
    assert queue(night.plan())[0] >= 1


def test_the_schedule_says_who_and_how_soon(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=lambda text: text + "\nwatch: {queue: {owner: crm_admin, days: 3}}\n")
    without_category(night)
    night.plan()
    later(night, 4)
    plan = night.plan()
    assert plan.queue is not None
    assert msgspec.to_builtins(plan.queue) == {"owner": "crm_admin", "days": 3, "units": 1, "overdue": 1, "oldest_days": 4}
    assert codes(plan) == ["QUEUE_OLD"]
