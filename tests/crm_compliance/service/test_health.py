"""`/healthz` tells the truth by its status code: the last night of every job was good and on time (contract
7)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from crm_compliance.configuration.settings import Settings
from crm_compliance.service.health import REMEMBERED_S, Health, database_not_well
from crm_compliance.service.single_service import SERVER
from crm_compliance.service.web.app import app_of
from crm_compliance.store.store import SqlStore
from jobs.model.run import RunLine, RunState
from rules.dates.calendar import BRUSSELS
from rules.errors import UsageError
from tests.crm_compliance.store.databases import raw

INSTALLED = datetime(2026, 11, 24, 12, tzinfo=UTC)
MORNING = datetime(2026, 11, 25, 9, tzinfo=UTC)  # ten o'clock in Brussels
NIGHT = {"requests": (0, 31), "recordings": (1, 1), "retention": (1, 31), "housekeeping": (4, 31)}  # UTC


class KnownNights:
    """Knows runs and maintenance, and nothing else."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[datetime, RunState]] = {}
        self.is_broken = False

    def lines(self) -> list[RunLine]:
        if self.is_broken:
            raise UsageError("the database cannot be read")
        return [RunLine(kind, kind, state, at, at) for kind, (at, state) in reversed(self.made.items())]


def after(day: datetime, **states: RunState) -> KnownNights:
    """The night before a morning; every job ran well but for the `states` that are named."""
    nights = KnownNights()
    for job, (hour, minute) in NIGHT.items():
        nights.made[job] = (day.replace(hour=hour, minute=minute), states.get(job, RunState.DONE))
    return nights


async def asked(app: ASGIApp) -> tuple[int, Any]:
    """What `/healthz` answers: status and body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/healthz", "query_string": b"", "headers": [(b"host", b"127.0.0.1")]}
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


def why(nights: Any, now: datetime = MORNING, since: datetime = INSTALLED) -> tuple[str, ...]:
    return Health(Settings(), nights, lambda: now, since, BRUSSELS).why_not()


def test_a_good_night_is_200_and_a_bad_one_503() -> None:
    downloads: Any = None  # nobody asks for a package here
    for nights, status, body in (
        (after(MORNING), 200, {"ok": True}),
        (after(MORNING, retention=RunState.DONE_WITH_FAILURES), 503, {"ok": False, "why": ["RETENTION_FAILED"]}),
    ):
        health = Health(Settings(), nights, lambda: MORNING, INSTALLED, BRUSSELS)
        assert asyncio.run(asked(app_of(downloads, why_not=health.why_not))) == (status, body)


@pytest.mark.parametrize("job", NIGHT)
def test_a_night_that_did_not_come_is_late(job: str) -> None:
    nights = after(MORNING)
    at, state = nights.made[job]
    nights.made[job] = (at - timedelta(days=1), state)
    assert why(nights) == (f"{job.upper()}_LATE",)


@pytest.mark.parametrize("job", NIGHT)
def test_a_night_that_is_under_way_is_not_late_before_two_hours(job: str) -> None:
    nights = after(MORNING - timedelta(days=1))
    hour, minute = NIGHT[job]
    due = MORNING.replace(hour=hour, minute=minute) - timedelta(minutes=minute % 10)
    assert f"{job.upper()}_LATE" not in why(nights, due + timedelta(minutes=119))
    assert f"{job.upper()}_LATE" in why(nights, due + timedelta(minutes=121))


def test_a_service_that_is_new_waits_for_its_first_hours() -> None:
    assert why(KnownNights(), INSTALLED + timedelta(hours=1)) == ()
    assert why(KnownNights()) == ("REQUESTS_LATE", "RECORDINGS_LATE", "RETENTION_LATE", "HOUSEKEEPING_LATE")


def test_what_somebody_ran_by_hand_before_the_first_service_makes_nothing_late() -> None:
    nights = KnownNights()
    nights.made["requests"] = (MORNING - timedelta(days=1), RunState.DONE)
    nights.made["all"] = (MORNING - timedelta(days=1), RunState.DONE)
    assert why(nights, since=MORNING) == ()
    assert "RETENTION_LATE" in why(nights, MORNING + timedelta(days=1), since=MORNING)


def test_one_that_comes_up_after_days_says_that_nights_are_missing() -> None:
    nights = after(MORNING - timedelta(days=4))
    assert "RETENTION_LATE" in why(nights, since=INSTALLED - timedelta(days=9))


def test_a_plan_of_all_kinds_that_somebody_applied_is_a_night_of_both() -> None:
    nights = after(MORNING)
    for job in ("recordings", "retention"):
        del nights.made[job]
    nights.made["all"] = (MORNING - timedelta(hours=1), RunState.DONE)
    assert why(nights) == ()


def test_a_store_that_cannot_be_read_is_told_and_is_asked_again_a_moment_later() -> None:
    nights, now = after(MORNING), [0.0]
    health = Health(Settings(), nights, lambda: MORNING, INSTALLED, BRUSSELS, lambda: now[0])
    nights.is_broken = True
    assert health.why_not() == ("STORE_UNREADABLE",)
    nights.is_broken = False
    assert health.why_not() == ("STORE_UNREADABLE",)
    now[0] = REMEMBERED_S
    assert health.why_not() == ()


def test_a_database_that_is_read_and_takes_no_writes_is_told_by_the_service_that_cannot_renew_its_lease(
    store: SqlStore, database_url: str
) -> None:
    """A standby after a fail-over for instance: no job starts, and no alert is sent."""
    assert database_not_well(store) == ()
    with store.leases.exclusive(SERVER):
        assert database_not_well(store) == ()
        raw(database_url, "UPDATE leases SET renewed_at = renewed_at - 61")
        assert database_not_well(store) == ("STORE_READ_ONLY",)
    assert database_not_well(store) == (), "the service has ended, and gave it back"
