"""Whether the nightly jobs went well, for monitoring from outside (`/healthz`). A night is good if it ended
with exit 0: its run or maintenance is done and has no failure and no alarm. A night that waits for approval,
was refused or could not reach the CRM has left no run, and counts as late."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from crm_compliance.hours import crons_of, last_hour
from crm_compliance.settings import Settings
from jobs.ledger.rounds import RoundMade
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from jobs.ports.context import Clock
from jobs.registry import JOBS
from rules.errors import ComplianceError

LONGEST: Final = timedelta(hours=2)  # a night may take so long before it is late
REMEMBERED_S: Final = 15.0  # however often somebody asks, the store is asked no more often
LATE, BAD, UNREADABLE = "LATE", "FAILED", "STORE_UNREADABLE"


class Nights(Protocol):
    """What the runs of a store tell of nights."""

    def all(self) -> list[Run]: ...

    def rounds(self) -> list[RoundMade]: ...


class Health:
    """Answers with codes: `RETENTION_LATE`, `RETENTION_FAILED`, and so for each job; none where all is well.
    A job that has never run is not late before the first of its hours after `since`."""

    def __init__(
        self, settings: Settings, nights: Nights, clock: Clock, since: datetime, zone: ZoneInfo, ticks: Callable[[], float] = monotonic
    ) -> None:
        self._crons, self._zone = crons_of(settings), zone
        self._nights, self._clock, self._since, self._ticks = nights, clock, since, ticks
        self._asked_at = float("-inf")
        self._why: tuple[str, ...] = ()

    def why_not(self) -> tuple[str, ...]:
        """Return the codes of what is not well, in the order of the night."""
        if self._ticks() - self._asked_at >= REMEMBERED_S:
            try:
                self._why = self._look()
            except ComplianceError:
                self._why = (UNREADABLE,)
            self._asked_at = self._ticks()
        return self._why

    def _look(self) -> tuple[str, ...]:
        now, ends = self._clock(), self._ends()
        found = []
        for job, cron in self._crons.items():
            last, state = ends.get(job, (None, None))
            due = last_hour(cron, now - LONGEST, self._zone)
            if due is not None and due >= (last or self._since) and (last is None or last < due):
                found.append(f"{job.upper()}_{LATE}")
            elif state is RunState.DONE_WITH_FAILURES:
                found.append(f"{job.upper()}_{BAD}")
        return tuple(found)

    def _ends(self) -> dict[str, tuple[datetime, RunState]]:
        """Return when each job ended last, and how. A plan of all kinds that somebody applied by hand stands
        for both of its jobs."""
        ends: dict[str, tuple[datetime, RunState]] = {}
        for run in reversed(self._nights.all()):
            for job in JOBS.values():
                if run.ended_at is not None and job.kind is not None and run.kind in (job.kind, Kind.ALL):
                    ends[job.name] = (run.ended_at, run.state)
        for made in reversed(self._nights.rounds()):
            if made.ended_at is not None:
                ends[made.kind] = (made.ended_at, made.state)
        return ends
