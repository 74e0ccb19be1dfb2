"""A job that the CRM or the database did not answer is tried again the same night, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.interface.errors import ConnectorError, Forbidden, ObjectError, ReadIncomplete, Throttled, Unauthorised, Unreachable
from crm_compliance.configuration.hours import next_try
from crm_compliance.host.files import DiskProblem
from crm_compliance.service import scheduler
from crm_compliance.service.health import Health
from crm_compliance.service.scheduler import run_job
from crm_compliance.store.sql.problems import StoreUnusable
from crm_compliance.wiring import fits_this_crm
from jobs.checks.same_clock import ClocksDiffer
from jobs.model.plan import Kind
from jobs.model.run import RunState
from rules.errors import ComplianceError, PolicyError, Refused, UsageError
from tests.connectors.channels.receiver import Receiver, receiving
from tests.crm_compliance.service.test_maintenance_runs import overdue, unreachable
from tests.crm_compliance.service.test_missed_hours import BRUSSELS, planned
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist

pytestmark = pytest.mark.usefixtures("real_definitions")  # the CRM may be away at any request
HALF_PAST_TWO = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # 02:30 in Brussels
PATIENCE = timedelta(minutes=30)


class Hours:
    """The scheduler and its clock: the first job of a service runs at its hour, then each date job that is
    added, until none is left; the service is stopped then."""

    def __init__(self, typist: Typist) -> None:
        self.typist = typist

    def serve(self, begins: str = "retention", now: datetime = HALF_PAST_TWO) -> list[tuple[datetime, timedelta]]:
        """Return when jobs were tried again, and by how much later than that they might have begun."""
        self.begins, self.now, self.stop = begins, now, threading.Event()
        self.jobs: dict[str, tuple[Callable[..., None], list[Any]]] = {}
        self.dated: list[tuple[str, datetime, timedelta]] = []
        scheduler.serve(self.typist.settings, self.stop, announce=lambda _: None)
        return [(at, grace) for _, at, grace in self.dated]

    def add_job(self, act: Callable[..., None], trigger: object = None, *, args: list[Any], id: str, **more: Any) -> None:
        self.jobs[id] = (act, args)
        if trigger == "date":
            assert more["replace_existing"]
            self.dated.append((id, more["run_date"], timedelta(seconds=more["misfire_grace_time"])))

    def add_listener(self, *_: Any) -> None:
        """It leaves out nothing."""

    def get_jobs(self) -> list[Any]:
        return []

    def wakeup(self) -> None:
        """Its clock does not jump."""

    def start(self) -> None:
        self._run(self.begins)
        for name, at, _ in self.dated:  # which grows meanwhile
            self.now = at
            self._run(name)
        self.stop.set()

    def _run(self, name: str) -> None:
        act, args = self.jobs[name]
        act(*args)

    def shutdown(self, *, wait: bool) -> None:
        pass


@pytest.fixture
def hours(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> Hours:
    found = Hours(typist)
    monkeypatch.setattr(scheduler, "BackgroundScheduler", lambda **_: found)
    monkeypatch.setattr(scheduler, "machine_time", lambda: found.now)
    return found


class Tries:
    """Jobs that wait half an hour for a CRM; `good` is the try that it answers, by number."""

    def __init__(self, hours: Hours) -> None:
        self.hours, self.good = hours, 0
        self.made: list[tuple[str, bool]] = []

    def run_job(self, _: object, name: str, stop: threading.Event, *, is_again: bool) -> bool:
        self.made.append((name, is_again))
        self.hours.now += PATIENCE
        return len(self.made) != self.good


@pytest.fixture
def tries(hours: Hours, monkeypatch: pytest.MonkeyPatch) -> Tries:
    found = Tries(hours)
    monkeypatch.setattr(scheduler, "run_job", found.run_job)
    return found


# -- when ----------------------------------------------------------------------------------------------------


def test_it_is_tried_after_15_and_30_minutes_and_then_every_hour_for_four_hours(
    hours: Hours, tries: Tries, told: Callable[[], list[dict[str, Any]]]
) -> None:
    found = hours.serve()
    minutes = [(at - HALF_PAST_TWO) // timedelta(minutes=1) for at, _ in found]
    assert minutes == [30 + 15, 75 + 30, 135 + 60], "each a wait after the try before, which took half an hour"
    assert {at + grace for at, grace in found} == {HALF_PAST_TWO + timedelta(hours=4)}, "after other jobs it begins by then, or not at all"
    assert tries.made == [("retention", False)] + [("retention", True)] * 3
    again = [line for line in told() if line["event"] == "job is tried again"]
    assert [line["next_at"] for line in again] == [at.isoformat() for at, _ in found]
    assert {(line["job"], line["until"]) for line in again} == {("retention", "2026-11-25T05:30:00+00:00")}


def test_a_try_that_the_crm_answers_is_the_last(hours: Hours, tries: Tries) -> None:
    tries.good = 2
    assert (len(hours.serve()), len(tries.made)) == (1, 2)


@pytest.mark.parametrize(("given", "expected"), [("0", 0), ("1", 1), ("2", 2), ("12", 8)])
def test_the_hours_are_a_setting(typist: Typist, hours: Hours, tries: Tries, given: str, expected: int) -> None:
    typist.set(RETRY_HOURS=given)
    assert len(hours.serve()) == expected


def test_a_night_that_is_caught_up_is_tried_again_in_the_hours_of_its_own_alone(org: Night, hours: Hours, tries: Tries) -> None:
    """A service that comes up knows of no tries, but of the hour that was missed, as always."""
    planned(org, Kind.RETENTION, NOW - timedelta(days=3))
    found = hours.serve("retention (missed)", HALF_PAST_TWO + timedelta(hours=2))
    assert [at - HALF_PAST_TWO for at, _ in found] == [timedelta(minutes=165), timedelta(minutes=225)]
    assert hours.serve("retention (missed)", HALF_PAST_TWO + timedelta(hours=6)) == []
    assert len(tries.made) == 4


@pytest.mark.parametrize(
    ("cron", "tried", "expected"),
    [
        ("30 2 * * *", 1, 15),
        ("30 2 * * *", 2, 30),
        ("30 2 * * *", 9, 60),
        ("*/15 * * * *", 1, None),
        ("30 * * * *", 1, 15),
        ("30 * * * *", 3, None),
    ],
)
def test_the_hour_of_the_job_itself_is_the_try_where_it_is_sooner(cron: str, tried: int, expected: int | None) -> None:
    found = next_try(cron, tried, HALF_PAST_TWO, BRUSSELS, hours=4)
    assert (found and found[0] - HALF_PAST_TWO) == (expected and timedelta(minutes=expected))


def test_hours_are_those_that_pass_where_the_clock_is_put_forward() -> None:
    """02:30 does not exist in that night and is 03:00, at 01:00 UTC."""
    due = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_try("30 2 * * *", 3, due + timedelta(hours=3), BRUSSELS, hours=4) == (due + timedelta(hours=4),) * 2
    assert next_try("30 2 * * *", 3, due + timedelta(hours=3, minutes=1), BRUSSELS, hours=4) is None


def test_the_one_scheduler_carries_a_try_out(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(org, Kind.RETENTION, NOW - timedelta(days=3))
    made: list[bool] = []

    def run(_: object, __: str, stop: threading.Event, *, is_again: bool) -> bool:
        made.append(is_again)
        if is_again:
            stop.set()
        return True

    monkeypatch.setattr(scheduler, "run_job", run)
    monkeypatch.setattr(scheduler, "next_try", lambda _, __, now, *___, **____: (now, now + timedelta(hours=1)))
    scheduler.serve(typist.settings, threading.Event(), announce=lambda _: None)
    assert made == [False, True]


# -- what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [ConnectorError, Unreachable, Throttled, ReadIncomplete, Unauthorised, Forbidden, StoreUnusable, DiskProblem]
)
def test_what_the_crm_or_the_database_did_not_give_is_tried_again(typist: Typist, org: Night, kind: type[ComplianceError]) -> None:
    assert _failed(typist, kind("no"))


@pytest.mark.parametrize("kind", [ClocksDiffer, Refused, PolicyError, UsageError, ObjectError, ValueError])
def test_nothing_else_is_tried_again(typist: Typist, org: Night, kind: type[Exception]) -> None:
    assert _failed(typist, kind("no")) is False


def _failed(typist: Typist, error: Exception) -> bool:
    def fail(*_: object, **__: object) -> None:
        raise error

    typist.monkeypatch.setattr(scheduler, "carry_out", fail)
    return run_job(typist.settings, "retention", threading.Event())


def test_an_alarm_is_no_reason(typist: Typist, org: Night) -> None:
    overdue(typist)
    assert run_job(typist.settings, "requests", threading.Event()) is False
    assert [run.state for run in org.store.runs.newest_maintenance("requests")] == [RunState.DONE_WITH_FAILURES]


def test_while_the_database_is_still_away_the_next_try_is_due_and_the_crm_is_not_asked(typist: Typist, org: Night) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnusable("the database cannot be reached")

    typist.monkeypatch.setattr(scheduler, "store_of", away)
    typist.monkeypatch.setattr(scheduler, "desk_of_service", None)
    assert run_job(typist.settings, "retention", threading.Event(), is_again=True) is True


# -- what ends it, and who hears of it -----------------------------------------------------------------------


@pytest.mark.parametrize("job", ["retention", "requests"])
def test_the_kill_switch_ends_it_without_a_wait_for_the_crm(
    typist: Typist, org: Night, job: str, told: Callable[[], list[dict[str, Any]]]
) -> None:
    org.store.kill_switch.stop(NOW, ("stopped", {}))
    typist.monkeypatch.setattr(scheduler, "desk_of_service", None)  # the CRM is not even asked
    assert run_job(typist.settings, job, threading.Event(), is_again=True) is False
    assert (told()[-1]["event"], told()[-1]["code"]) == ("job refused", "stopped")


def test_a_service_that_is_stopped_plans_no_try(hours: Hours, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: object, name: str, stop: threading.Event, *, is_again: bool) -> bool:
        stop.set()
        return True

    monkeypatch.setattr(scheduler, "run_job", run)
    assert hours.serve() == []


@pytest.fixture
def switch(typist: Typist) -> Iterator[Receiver]:
    with receiving() as receiver:
        file = typist.folder / "alerts.yaml"
        file.write_text(f"channels:\n  switch: {{type: ping, url: '{receiver.url}/ping', jobs: [requests]}}\n")
        typist.set(ALERTS=str(file))
        yield receiver


def test_a_night_that_the_crm_answers_at_the_third_try_is_told_of_once_and_stands_in_the_history(
    typist: Typist, org: Night, switch: Receiver, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then it is not well; the dead-man's switch hears of one bad end, and of the good one."""
    before, answers = run_job, fits_this_crm.checked
    seen: list[bool] = []

    def run(*given: Any, **more: Any) -> bool:
        monkeypatch.setattr("crm_compliance.wiring.desk.checked", answers if len(seen) == 2 else unreachable)
        done = before(*given, **more)
        health = Health(typist.settings, org.store.runs, lambda: NOW, NOW - timedelta(days=1), BRUSSELS)
        seen.append("REQUESTS_LATE" in health.why_not())
        return done

    monkeypatch.setattr(scheduler, "run_job", run)
    hours.serve("requests", HALF_PAST_TWO - timedelta(hours=1))
    assert seen == [True, True, False]
    assert [sent.path for sent in switch.sent] == ["/ping/start", "/ping/fail", "/ping"]
    assert [run.state for run in org.store.runs.newest_maintenance("requests")] == [RunState.DONE]
