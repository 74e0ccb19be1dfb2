"""Whether an hour of a job was missed, by the plans and runs that are there: also where the clock goes on
by an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_compliance.service.scheduler import missed
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from jobs.proof.job_record import recorded
from jobs.registry import JOBS
from tests.drivers.clock import NOW
from tests.drivers.night import Night

BRUSSELS = ZoneInfo("Europe/Brussels")
CRON = "30 2 * * *"
TONIGHT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # 02:30 in Brussels


def planned(org: Night, kind: Kind, at: datetime, **more: Any) -> str:
    """Plan, and carry the plan out where it may be."""
    org.clock.now = at
    plan = org.plan(kind, **more)
    if not plan.as_of_given:
        org.apply(plan)
    return plan.id


def test_a_new_service_waits_for_its_first_hour(org: Night) -> None:
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is False


def test_an_hour_without_a_plan_was_missed(org: Night) -> None:
    planned(org, Kind.RETENTION, TONIGHT - timedelta(days=2))
    assert missed(org.store, "retention", CRON, TONIGHT - timedelta(days=1, minutes=1), BRUSSELS) is False
    assert missed(org.store, "retention", CRON, TONIGHT - timedelta(days=1), BRUSSELS) is True
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is True
    planned(org, Kind.RETENTION, TONIGHT + timedelta(seconds=3))
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is False
    assert missed(org.store, "recordings", CRON, NOW, BRUSSELS) is False


def test_many_missed_nights_are_one(org: Night) -> None:
    """R-059, RET-18: expiry is a state, so one run makes them all good."""
    planned(org, Kind.RECORDINGS, NOW - timedelta(days=400))
    assert missed(org.store, "recordings", CRON, NOW, BRUSSELS) is True
    planned(org, Kind.RECORDINGS, NOW)
    assert missed(org.store, "recordings", CRON, NOW, BRUSSELS) is False


def test_what_a_person_planned_does_not_count(org: Night) -> None:
    planned(org, Kind.RETENTION, TONIGHT - timedelta(days=2))
    planned(org, Kind.RETENTION, NOW, proposer="anna")
    planned(org, Kind.RETENTION, NOW, as_of=NOW + timedelta(days=1))
    planned(org, Kind.RECORDINGS, NOW)
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is True


def test_a_run_that_was_cut_off_is_gone_on_with(org: Night) -> None:
    plan = org.plan(Kind.RETENTION).id
    run = Run("run-1", Kind.RETENTION, plan, RunState.RUNNING, NOW, NOW)
    org.store.runs.start(run, ("run_started", {}))
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is True
    org.store.runs.save(Run("run-1", Kind.RETENTION, plan, RunState.DONE, NOW, NOW, NOW))
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is False


def test_a_night_that_was_killed_between_its_plan_and_its_run_was_missed(org: Night) -> None:
    """Nobody else carries such a plan out: it needs no approval, and the next night makes one of its own."""
    planned(org, Kind.RETENTION, TONIGHT - timedelta(days=1))
    org.clock.now = TONIGHT
    org.plan(Kind.RETENTION)
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is True
    planned(org, Kind.RETENTION, NOW)
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is False


def test_a_job_without_plans_that_has_not_ended_since_its_hour_was_missed(org: Night) -> None:
    with recorded(org.context, "housekeeping"):
        pass
    next_night = TONIGHT + timedelta(days=1)
    assert missed(org.store, "housekeeping", CRON, next_night - timedelta(minutes=1), BRUSSELS) is False
    assert missed(org.store, "housekeeping", CRON, next_night, BRUSSELS) is True
    assert missed(org.store, "requests", CRON, next_night, BRUSSELS) is False


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_never_ran_was_missed_where_the_service_before_this_one_had_ended_by_its_hour(org: Night, job: str) -> None:
    """A machine that is off at night would do nothing at all, and all would seem well."""
    assert missed(org.store, job, CRON, NOW, BRUSSELS, left_at=TONIGHT - timedelta(minutes=1)) is True
    assert missed(org.store, job, CRON, NOW, BRUSSELS, left_at=TONIGHT + timedelta(minutes=1)) is False


@pytest.mark.parametrize(("hour", "expected"), [(0, False), (1, True)])
def test_the_hour_that_does_not_exist_is_missed_from_three_o_clock_on(org: Night, hour: int, expected: bool) -> None:
    planned(org, Kind.RETENTION, datetime(2026, 3, 28, 1, 31, tzinfo=UTC))
    assert missed(org.store, "retention", CRON, datetime(2026, 3, 29, hour, 0, 1, tzinfo=UTC), BRUSSELS) is expected
