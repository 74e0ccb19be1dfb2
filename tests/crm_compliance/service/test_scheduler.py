"""The service that runs the jobs every night."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from connectors.dynamics.pace.gate import Timeline
from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.settings import Settings, environment_of
from crm_compliance.hints import in_words
from crm_compliance.service import scheduler
from crm_compliance.service.scheduler import run_job
from crm_compliance.store import right_to_run
from crm_compliance.store.rows import leases
from crm_compliance.store.sql import tables
from crm_compliance.store.sql.problems import StoreUnusable
from jobs.model.plan import Kind
from jobs.registry import JOBS
from rules.errors import Refused
from tests.crm_compliance.service.test_missed_hours import planned
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO, Typist, limited, people_and_cases

pytestmark = pytest.mark.usefixtures("real_definitions")  # the CRM may be away at any request
BRUSSELS = ZoneInfo("Europe/Brussels")


# -- the service ---------------------------------------------------------------------------------------------


class Bell(threading.Event):
    """An event that is set once every announcement was made."""

    def __init__(self, announcements: int) -> None:
        super().__init__()
        self.left = announcements
        self.lines: list[str] = []

    def announce(self, line: str) -> None:
        self.lines.append(line)
        self.left -= 1
        if not self.left:
            self.set()


def test_the_service_announces_both_jobs_and_stops(typist: Typist, org: Night) -> None:
    bell = Bell(2)
    scheduler.serve(typist.settings, bell, announce=bell.announce)
    assert sorted(line.split(":")[0] for line in bell.lines) == ["housekeeping", "recordings", "requests", "retention"]
    assert {line.split("T")[1][:5] for line in bell.lines} == {"01:30", "02:00", "02:30", "05:30"}


def test_while_the_schedule_cannot_be_used_no_job_is_started_and_the_service_waits(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]
) -> None:
    path = limited(typist)
    good = path.read_text("utf-8")
    path.write_text("name: [", "utf-8")
    lines: list[str] = []
    waiting = Looking(lambda: path.write_text(good, "utf-8"))
    started = Bell(3)

    def announce(line: str) -> None:
        lines.append(line)
        started.announce(line)
        if started.is_set():
            waiting.set()

    scheduler.serve(typist.settings, waiting, announce=announce)
    assert lines[0].startswith("no job is started until the schedule can be used: ")
    assert {line.split(":")[0] for line in lines[1:]} == {"housekeeping", "recordings", "requests", "retention"}
    assert [(line["level"], line["code"]) for line in told() if "schedule cannot" in line["event"]] == [("error", "policy")]


def test_a_missed_night_is_made_good_when_the_service_comes_up(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(org, Kind.RETENTION, NOW - timedelta(days=3))
    stop, done = threading.Event(), []

    def at_work(settings: Settings, name: str, stopping: threading.Event, *, is_again: bool) -> None:
        done.append(name)
        stopping.set()

    monkeypatch.setattr(scheduler, "run_job", at_work)
    scheduler.serve(typist.settings, stop, announce=lambda _: None)
    assert done == ["retention"]


def test_the_hours_of_a_night_in_which_the_machine_was_off_come_when_it_is_on_again(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that never came: the service is stopped in the evening and started in the morning."""
    started: list[str] = []
    stop, done = threading.Event(), threading.Event()

    def run(settings: Settings, name: str, stopping: threading.Event, **_: Any) -> None:
        started.append(name)
        if len(started) == len(JOBS):
            stopping.set()

    monkeypatch.setattr(scheduler, "run_job", run)
    done.set()
    scheduler.serve(typist.settings, done, announce=lambda _: None)
    assert not started, "a new service waits for its first hours"
    with org.store.database.writing() as connection:
        connection.execute(update(tables.leases).values(renewed_at=(NOW - timedelta(days=1)).timestamp()))
    scheduler.serve(typist.settings, stop, announce=lambda _: None)
    assert sorted(started) == sorted(JOBS)


def clock_ahead_by(later: list[timedelta], monkeypatch: pytest.MonkeyPatch) -> type[datetime]:
    """The clock of the scheduler, that much later than the machine's."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + later[0]

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Clock)
    return Clock


def begun_until_all(ended: threading.Event, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that begin, in their order; `ended` is set with the last one."""
    started: list[str] = []

    def run(settings: Settings, name: str, stop: threading.Event, **_: Any) -> None:
        started.append(name)
        if len(started) == len(JOBS):
            ended.set()

    monkeypatch.setattr(scheduler, "run_job", run)
    return started


def test_an_hour_that_passed_while_the_machine_slept_comes_once_it_is_awake(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits are counted while a machine is awake: after a night asleep the job began in the next day."""
    slept, ended = [timedelta()], threading.Event()
    started = begun_until_all(ended, monkeypatch)

    class Awake(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if slept[0]:
                ended.wait(10)
                self.set()
            slept[0] = timedelta(days=2)
            return self.is_set()

    clock_ahead_by(slept, monkeypatch)
    scheduler.serve(typist.settings, Awake(), announce=lambda _: None)
    assert sorted(started) == sorted(JOBS), "each once, however many nights it were"


def test_the_log_says_of_which_job_an_hour_is_left_out(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[dict[str, Any]]]
) -> None:
    """The first job of a night takes until the next one."""
    slept, started, left_out, tell = [timedelta()], threading.Event(), threading.Event(), scheduler.tell_left_out

    def run(settings: Settings, name: str, stop: threading.Event, **_: Any) -> None:
        started.set()
        left_out.wait(10)

    def tell_and_end(event: Any) -> None:
        tell(event)
        if len(told()) == len(JOBS):
            left_out.set()

    class TwoNights(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if slept[0] and started.wait(10) and slept[0] > timedelta(days=1):
                left_out.wait(10)
                self.set()
            slept[0] += timedelta(days=1)
            return self.is_set()

    clock_ahead_by(slept, monkeypatch)
    monkeypatch.setattr(scheduler, "run_job", run)
    monkeypatch.setattr(scheduler, "tell_left_out", tell_and_end)
    scheduler.serve(typist.settings, TwoNights(), announce=lambda _: None)
    assert sorted((line["event"], line["job"]) for line in told()) == sorted(("an hour of a job is left out", name) for name in JOBS)


def test_a_clock_that_is_set_back_leaves_out_no_hour(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that came up a day ahead, and was put right: the hours of the day in between come."""
    later, ended = [timedelta()], threading.Event()
    started = begun_until_all(ended, monkeypatch)
    clock = clock_ahead_by(later, monkeypatch)
    waits = iter((timedelta(days=-1), timedelta()))

    class PutRight(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if (now := next(waits, None)) is None:
                ended.wait(10)
                self.set()
            else:
                later[0] = now
            return self.is_set()

    monkeypatch.setattr(scheduler, "machine_time", lambda: clock.now(UTC))
    scheduler.serve(typist.settings, PutRight(), announce=lambda _: None)
    assert sorted(started) == sorted(JOBS)


def test_one_scheduler_at_a_time(typist: Typist, org: Night) -> None:
    with org.store.leases.exclusive("scheduler"):
        error = typist.refused("serve", "--port", "0", code=5)
        assert (error["code"], "scheduler" in error["message"]) == ("another_run", True)
        with pytest.raises(Refused):
            scheduler.serve(typist.settings, threading.Event(), announce=lambda _: None)


class Looking(threading.Event):
    """An event that nobody waits for: each look passes at once, and before the first one something
    happens."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act: Callable[[], object] | None = act

    def wait(self, timeout: float | None = None) -> bool:
        act, self.act = self.act, None
        if act is not None:
            act()
        return self.is_set()


def stolen(org: Night) -> None:
    """Another machine has taken the right to start jobs, after it had lapsed."""
    with org.store.database.writing() as connection:
        connection.execute(update(tables.leases).where(tables.leases.c.name == "scheduler").values(renewed_at=0.0))
        assert leases.take(connection, "scheduler", "somebody else", "a file of another machine") is not None


def test_a_scheduler_that_was_taken_over_starts_nothing_more_and_says_why(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them would start every job twice."""
    monkeypatch.setattr(right_to_run, "FRESH_S", 0.0)
    planned(org, Kind.RETENTION, NOW - timedelta(days=3))
    started: list[str] = []
    monkeypatch.setattr(scheduler, "run_job", lambda settings, name, stop, **_: started.append(name))
    stop = Looking(lambda: None)
    with pytest.raises(Refused) as caught:
        scheduler.serve(typist.settings, stop, announce=lambda _: stolen(org))
    assert (caught.value.code, caught.value.exit_code) == ("lease_lost", 5)
    assert "scheduler" in str(caught.value)
    assert "one scheduler alone" in in_words(caught.value.hint)
    assert stop.is_set(), "a job at work ends too"
    assert [line["code"] for line in told() if line["event"] == "the right to start jobs was lost"] == ["lease_lost"]


def test_a_job_is_not_started_by_a_scheduler_that_was_taken_over(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(right_to_run, "FRESH_S", 0.0)
    with org.store.leases.exclusive("scheduler") as lease:
        assert scheduler.is_still_ours(lease, "retention", threading.Event())
        stolen(org)
        assert not scheduler.is_still_ours(lease, "retention", threading.Event())
    assert [(line["event"], line["job"], line["code"]) for line in told()] == [("job not started", "retention", "lease_lost")]


def test_a_database_that_does_not_answer_is_told_once_and_ends_no_service(told: Callable[[], list[dict[str, Any]]]) -> None:
    """It may come back; whether somebody has taken over is seen then."""
    stop, looks = threading.Event(), []

    class Unreachable:
        def check(self) -> None:
            looks.append(1)
            if len(looks) == 4:
                stop.set()
            if len(looks) != 2:
                raise StoreUnusable("the database cannot be reached")

    scheduler.hold_out(Unreachable(), Every(stop), each_look=lambda: None)  # type: ignore[arg-type]
    assert len(looks) == 4
    assert [line["event"] for line in told()] == ["the database does not answer"] * 2


def test_a_job_whose_hour_comes_while_the_database_is_away_waits_for_it(told: Callable[[], list[dict[str, Any]]]) -> None:
    """It was skipped until the next night, for a database that is started again in a minute."""
    looks: list[int] = []

    class Away:
        def check(self) -> None:
            looks.append(1)
            if len(looks) < 4:
                raise StoreUnusable("the database cannot be reached")

    stop = threading.Event()
    waits = Every(stop)
    waits.is_set = stop.is_set  # type: ignore[attr-defined]
    assert scheduler.is_still_ours(Away(), "retention", waits)  # type: ignore[arg-type]
    assert [(line["event"], line["job"]) for line in told()] == [("job waits for the database", "retention")]
    looks.clear()
    stop.set()
    assert not scheduler.is_still_ours(Away(), "retention", waits)  # type: ignore[arg-type]


class Every:
    """Looks at an event as often as it is waited for, and never waits."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def wait(self, timeout: float) -> bool:
        return self.event.is_set()


def test_a_service_that_is_not_ready_yet_ends_too_where_it_was_taken_over(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-091: the other one looks whether the CRM was restored."""
    monkeypatch.setattr(right_to_run, "FRESH_S", 0.0)
    org.dossier("social_card", spoken=LONG_AGO)
    org.apply(org.plan())
    typist.set(CRM_TOKEN="wrong")
    with pytest.raises(Refused) as caught:
        scheduler.serve(typist.settings, Looking(lambda: stolen(org)), announce=lambda _: None)
    assert caught.value.code == "lease_lost"


def test_a_job_that_waits_for_the_crm_ends_once_the_service_is_stopped(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next step of its wait, not after as long as an outage may last."""
    set_faults(org.emulator, {"match": {"path": "cf_fiches"}, "do": "status", "status": 503})
    typist.set(CRM_PATIENCE_S="1800")
    stop = threading.Event()
    naps: list[float] = []

    def nap(timeline: Timeline, seconds: float) -> None:
        naps.append(seconds)
        timeline._ahead_s += seconds
        if sum(naps) >= 60:
            stop.set()

    monkeypatch.setattr(Timeline, "sleep", nap)
    run_job(typist.settings, "retention", stop)
    assert told()[-1]["event"] == "job stopped"
    assert 60 <= sum(naps) <= 70


def test_the_command_ends_well_on_a_signal(typist: Typist, org: Night) -> None:
    settings = {"CRM_URL": org.emulator.url, "CRM_TOKEN": "test-token", "DATA_DIR": str(typist.folder / "data")}
    command = [sys.executable, "-m", "crm_compliance", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment_of(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        downloads, console, *lines = [service.stderr.readline() for _ in range(4)]
        service.terminate()
        out, rest = service.communicate(timeout=30)
    assert (service.returncode, out) == (0, "")
    assert downloads.startswith("downloads: http://127.0.0.1:")
    assert console.startswith("console: http://127.0.0.1:")
    assert all("next at" in line for line in lines)
    assert "Traceback" not in rest


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts the clock of this process into a time zone."""

    def to(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield to
    monkeypatch.undo()
    time.tzset()


def test_the_time_zone_of_the_machine_changes_nothing(
    typist: Typist, org: Night, crm: RunningEmulator, tmp_path: Path, in_zone: Callable[[str], None]
) -> None:
    """R-064, at an hour when the zones have two days: a program that was started in the west, and this one,
    in the east and at home."""
    people_and_cases(org)
    org.fiche("social_card", spoken=date(2026, 5, 25))
    settings = {"CRM_URL": crm.url, "CRM_TOKEN": "test-token", "DATA_DIR": str(tmp_path / "zones"), "CLOCK": "2026-11-25T23:30:00Z"}
    file = tmp_path / "west.jsonl"
    command = [sys.executable, "-m", "crm_compliance", "plan", "--output", str(file), "--json"]
    done = subprocess.run(command, env=environment_of(settings) | {"TZ": "America/New_York"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plans = [(file.read_text(encoding="utf-8"), json.loads(done.stdout)["dispose"])]
    typist.set(**settings)
    for zone, hour in (("Pacific/Kiritimati", 13), ("Europe/Brussels", 0)):
        in_zone(zone)
        assert time.localtime(datetime(2026, 11, 25, 23, 30, tzinfo=UTC).timestamp())[2:4] == (26, hour)
        file = tmp_path / f"{hour}.jsonl"
        found = typist.ask("plan", "--output", file)["dispose"]
        plans.append((file.read_text(encoding="utf-8"), found))
    assert plans[0] == plans[1] == plans[2]
    assert plans[0][1] == {"delete": 5, "anonymise": 1}
