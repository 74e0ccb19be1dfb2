"""Whether the nightly jobs went well, for monitoring from outside (`/healthz`). A night is good if it ended
with exit 0: its run or maintenance is done and has no failure and no alarm. A night that waits for approval,
was refused or could not reach the CRM has left no run, and counts as late."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from crm_compliance.alerts.channels import telling_not_well
from crm_compliance.configuration.hours import crons_of, last_hour
from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.endings import endings
from crm_compliance.host.files import LEAST_BYTES, free_bytes
from crm_compliance.service.single_service import SERVER
from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.schedule import policy_of
from jobs.model.plan import Kind
from jobs.model.run import RunLine, RunState
from jobs.ports.context import Clock
from jobs.ports.store.store import Store
from jobs.registry import JOBS
from rules.errors import ComplianceError, UsageError

LONGEST: Final = timedelta(hours=2)  # a night may take so long before it is late
REMEMBERED_S: Final = 15.0  # however often somebody asks, the store is asked no more often
LATE, BAD, UNREADABLE, READ_ONLY = "LATE", "FAILED", "STORE_UNREADABLE", "STORE_READ_ONLY"
NO_SCHEDULE = "SCHEDULE_UNUSABLE"
NOT_WHOLE = "LEDGER_BROKEN"
FULL, CLOSED = "DISK_FULL", "DISK_READ_ONLY"
ENDING = "CREDENTIAL_ENDS"
NOTICE: Final = timedelta(days=14)


class Nights(Protocol):
    """What the runs of a store tell of nights."""

    def lines(self) -> Sequence[RunLine]:
        """Return a line for every run and every job without a plan, newest first."""


def nothing() -> None:
    """Look at no schedule."""


class Health:
    """Answers with codes: `SCHEDULE_UNUSABLE`, where `schedule` raises ComplianceError and so no job is
    started; `RETENTION_LATE`, `RETENTION_FAILED`, and so for each job; none where all is well. No job is
    late before the first of its hours since there is a service, whatever people ran before."""

    def __init__(
        self,
        settings: Settings,
        nights: Nights,
        clock: Clock,
        since: datetime,
        zone: ZoneInfo,
        ticks: Callable[[], float] = monotonic,
        schedule: Callable[[], object] = nothing,
        beside: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`schedule` reads the retention schedule; `beside` gives codes of what else is not well."""
        self._schedule, self._beside = schedule, beside
        self._crons, self._zone = crons_of(settings), zone
        self._nights, self._clock, self._since, self._ticks = nights, clock, since, ticks
        self._asked_at = float("-inf")
        self._why: tuple[str, ...] = ()

    def why_not(self) -> tuple[str, ...]:
        """Return the codes of what is not well, in the order of the night."""
        if self._ticks() - self._asked_at >= REMEMBERED_S:
            try:
                self._why = (*self._look(), *self._beside())
            except ComplianceError:
                self._why = (UNREADABLE,)
            self._asked_at = self._ticks()
        return self._why

    def lateness(self) -> dict[str, timedelta]:
        """Return by how much each job is past its hour: nothing where the last hour brought a night that
        ended, or where it is under way and has time left."""
        return {job: late for job, (late, _) in self._jobs().items()}

    def _look(self) -> tuple[str, ...]:
        found = []
        try:
            self._schedule()
        except ComplianceError:
            found.append(NO_SCHEDULE)
        for job, (late, state) in self._jobs().items():
            if late:
                found.append(f"{job.upper()}_{LATE}")
            elif state is RunState.DONE_WITH_FAILURES:
                found.append(f"{job.upper()}_{BAD}")
        return tuple(found)

    def _jobs(self) -> dict[str, tuple[timedelta, RunState | None]]:
        now, ends = self._clock(), last_ends(self._nights)
        found: dict[str, tuple[timedelta, RunState | None]] = {}
        for job, cron in self._crons.items():
            last = ends.get(job)
            due = last_hour(cron, now - LONGEST, self._zone)
            is_late = due is not None and due >= self._since and (last is None or last.at < due)
            found[job] = (now - due if due is not None and is_late else timedelta(), last.state if last else None)
        return found


def health_of(settings: Settings, store: SqlStore, clock: Clock, since: datetime, zone: ZoneInfo) -> Health:
    """Return the health of a service: of its nights, and of all else by which they, or whoever has to
    know of them, would fail."""
    telling = telling_not_well(settings, store, clock)
    return Health(
        settings,
        store.runs,
        clock,
        since,
        zone,
        schedule=lambda: policy_of(settings),
        beside=lambda: (
            *telling(),
            *database_not_well(store),
            *record_not_whole(store),
            *disk_not_well(settings, store.database.file),
            *credentials_not_well(settings, clock()),
        ),
    )


def database_not_well(store: SqlStore) -> tuple[str, ...]:
    """Return the code that the database is read and takes no writes: the service that asks could not renew
    its lease there."""
    return (READ_ONLY,) if store.leases.has_lapsed(SERVER) else ()


def record_not_whole(store: Store) -> tuple[str, ...]:
    """Return the code that the ledger was not whole when it was verified last; none where it was, or never
    was verified."""
    last = store.verifications.last()
    return (NOT_WHOLE,) if last is not None and not last.ok else ()


def credentials_not_well(settings: Settings, now: datetime) -> tuple[str, ...]:
    """Return the code that something by which the service signs in ends within two weeks, or has ended: the
    next nights would fail. What cannot be read is told by `doctor`, and by the night."""
    with suppress(UsageError):
        if any(each.is_needed and each.at - now < NOTICE for each in endings(settings)):
            return (ENDING,)
    return ()


def disk_not_well(settings: Settings, database: Path | None = None) -> tuple[str, ...]:
    """Return the code that there is hardly any room left where a night writes (the data folder, the file
    `database`, the register of erasures, each perhaps on a disk of its own), that the data folder cannot be
    written, or that the database is gone: the next night would fail, and pages can only be looked at."""
    try:
        found = os.statvfs(settings.data_dir)
    except OSError:
        return (CLOSED,)
    is_closed = found.f_flag & os.ST_RDONLY or not os.access(settings.data_dir, os.W_OK | os.X_OK)
    if is_closed or (database is not None and not database.exists()):
        return (CLOSED,)
    places = [settings.data_dir, settings.erasures_path, *([database] if database is not None else [])]
    return (FULL,) if min(map(free_bytes, places)) < LEAST_BYTES else ()


class End(NamedTuple):
    """How a job ended, and when it had begun."""

    at: datetime
    state: RunState
    began_at: datetime


def last_ends(nights: Nights, state: RunState | None = None) -> dict[str, End]:
    """Return how each job ended last, or ended last in this state. A plan of all kinds that somebody applied
    by hand stands for both of its jobs."""
    ends: dict[str, End] = {}
    for line in reversed(nights.lines()):
        if line.ended_at is not None and state in (None, line.state):
            for job in JOBS.values():
                if line.kind == job.name if job.kind is None else line.kind in (job.kind.value, Kind.ALL.value):
                    ends[job.name] = End(line.ended_at, line.state, line.started_at)
    return ends
