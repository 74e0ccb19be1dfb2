"""Lines of all runs, kept in memory. A run that is over changes no more: only what is new is read again."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, or_, select

from crm_compliance.store.rows import ledger
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import ledger as entries
from crm_compliance.store.sql.tables import runs
from jobs.ledger.entries import LedgerEntry
from jobs.ledger.maintenance_runs import OF_MAINTENANCE, STARTED, MaintenanceRun, maintenance_runs_of
from jobs.model.run import RunLine, RunState

# Built once: every page asks whether something has come.
_ENDS = select(select(func.max(runs.c.position)).scalar_subquery(), select(func.max(entries.c.seq)).scalar_subquery())
_GOING = select(runs.c.doc).where(runs.c.position.in_(bindparam("places", expanding=True)))
_AGAIN: Final = 500  # places of runs that have not ended, beyond which all are read again


class _Alarm(msgspec.Struct, frozen=True):
    code: str


class _NotTrimmed(msgspec.Struct, frozen=True):
    """Of the contacts that were left untrimmed, which are no units of the plan, those that were skipped."""

    skipped: dict[str, int] = {}


class _Counts(msgspec.Struct, frozen=True):
    """What a line tells of the counts of a run; the rest of them is passed over."""

    deleted: int = 0
    anonymised: int = 0
    skipped: dict[str, int] = {}
    not_trimmed: _NotTrimmed = _NotTrimmed()
    partial: int = 0
    failed: int = 0
    alarms: tuple[_Alarm, ...] = ()


class _Told(msgspec.Struct, frozen=True):
    id: str
    kind: str
    plan: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None = None
    counts: _Counts = _Counts()


class Read(NamedTuple):
    """What shows, when it is asked for again, whether something has come since."""

    last_run: int
    last_entry: int
    unfinished: tuple[str, ...]


@dataclass(slots=True)
class RunLines:
    """What was read so far. `lock` is held by whoever reads; `begun` counts how often somebody has begun
    to."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: int = 0
    in_order: tuple[RunLine, ...] = ()
    by_id: dict[str, RunLine] = field(default_factory=dict)
    _read: Read | None = None
    _last_run: int = 0
    _unfinished: set[int] = field(default_factory=set)
    _last_entry: int = 0
    _begun: list[LedgerEntry] = field(default_factory=list)  # of jobs without a plan that have not ended

    def read(self, connection: Connection) -> tuple[RunLine, ...]:
        """Return all lines, newest first."""
        now = self._now(connection)
        if self._read_runs(connection) | self._read_maintenance(connection):
            self.in_order = tuple(sorted(self.by_id.values(), key=lambda line: line.started_at)[::-1])
        self._read = now
        return self.in_order

    def is_fresh(self, connection: Connection) -> bool:
        """Return whether nothing has come, and nothing gone on, since it was read."""
        read = self._read
        return read is not None and read == self._now(connection)

    def _now(self, connection: Connection) -> Read:
        """Return what shows whether something has come: the last run and the last entry, and how far the runs
        that have not ended are."""
        position, seq = connection.execute(_ENDS).one()
        unfinished = tuple(self._unfinished)[:_AGAIN]
        going = connection.execute(_GOING, {"places": unfinished}).scalars().all() if unfinished else ()
        return Read(position or 0, seq or 0, tuple(going))

    def _read_runs(self, connection: Connection) -> bool:
        if len(self._unfinished) > _AGAIN:
            self._unfinished, self._last_run = set(), 0
        query = select(runs.c.position, runs.c.doc).where(or_(runs.c.position > self._last_run, runs.c.position.in_(self._unfinished)))
        is_new = False
        for position, doc in connection.execute(query):
            line = _of_run(decoded(doc, _Told, "a run"))
            is_new |= self.by_id.get(line.id) != line
            self.by_id[line.id] = line
            (self._unfinished.add if line.state is RunState.RUNNING else self._unfinished.discard)(position)
            self._last_run = max(self._last_run, position)
        return is_new

    def _read_maintenance(self, connection: Connection) -> bool:
        found = ledger.of_no_run_after(connection, OF_MAINTENANCE, self._last_entry)
        if not found:
            return False
        self._last_entry = found[-1].seq
        known = [*self._begun, *found]
        made = {each.id: each for each in maintenance_runs_of(known)}
        self.by_id.update({name: _of_maintenance(each) for name, each in made.items()})
        at_work = {name for name, each in made.items() if each.state is RunState.RUNNING}
        self._begun = [entry for entry in known if entry.kind == STARTED and entry.run in at_work]
        return True


def _of_run(told: _Told) -> RunLine:
    counts = told.counts
    return RunLine(
        id=told.id,
        kind=told.kind,
        state=told.state,
        started_at=told.started_at.astimezone(UTC),
        ended_at=told.ended_at.astimezone(UTC) if told.ended_at is not None else None,
        plan=told.plan,
        deleted=counts.deleted,
        anonymised=counts.anonymised,
        skipped=sum(counts.skipped.values()) - sum(counts.not_trimmed.skipped.values()),
        failed=counts.partial + counts.failed,
        alarms=tuple(dict.fromkeys(alarm.code for alarm in counts.alarms)),
    )


def _of_maintenance(made: MaintenanceRun) -> RunLine:
    alarms = made.counts.get("alarms")
    return RunLine(
        id=made.id,
        kind=made.kind,
        state=made.state,
        started_at=made.started_at,
        ended_at=made.ended_at,
        alarms=tuple(map(str, alarms)) if isinstance(alarms, list) else (),
    )
