"""The state store: what `jobs.ports.Store` asks, answered over one database. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crm_compliance.store import ledger, locks, plans, runs
from crm_compliance.store.database import Database
from jobs.ledger import LedgerEntry
from jobs.plan import Approval, Kind, Plan
from jobs.runs import Action, Run

if TYPE_CHECKING:
    from jobs.ports import Clock, Entry


class SqlStore:
    """Plans, runs, journal and ledger in SQLite or PostgreSQL.

    Safe to share between threads. A full disk, a folder that may not be written and a database that cannot be reached raise a UsageError
    (exit 2) and leave nothing half-written: what a method writes and the ledger entries about it are one transaction.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, url: str, *, clock: Clock) -> Self:
        """Open the store of a SQLAlchemy URL; tables are made or brought up to date. `clock` dates the ledger entries."""
        return cls(Database.open(url), clock)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def save_plan(self, plan: Plan, pages: Iterable[bytes], entry: Entry) -> None:
        with self._database.writing() as connection:
            plans.insert_plan(connection, plan, pages)
            ledger.append(connection, [entry], None, self._clock)

    def plan(self, plan: str) -> Plan:
        with self._database.reading() as connection:
            return plans.read_plan(connection, plan)

    def plans(self) -> list[Plan]:
        with self._database.reading() as connection:
            return plans.read_plans(connection)

    def plan_pages(self, plan: str) -> Iterator[bytes]:
        """The pages in the order in which they were saved. No connection stays open between two of them: a reader may take its time."""
        with self._database.reading() as connection:
            count = plans.count_pages(connection, plan)
        return self._pages(plan, count)

    def _pages(self, plan: str, count: int) -> Iterator[bytes]:
        for page in range(count):
            with self._database.reading() as connection:
                content = plans.read_page(connection, plan, page)
            yield content

    def approve(self, plan: str, approval: Approval, entry: Entry) -> Plan:
        """Raises Refused with code `same_person` where this person has approved the plan before."""
        with self._database.writing() as connection:
            after = plans.add_word(connection, plan, approval)
            ledger.append(connection, [entry], None, self._clock)
        return after

    def start_run(self, run: Run, entry: Entry) -> None:
        with self._database.writing() as connection:
            runs.insert_run(connection, run)
            ledger.append(connection, [entry], run.id, self._clock)

    def save_run(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        with self._database.writing() as connection:
            runs.replace_run(connection, run)
            if run.is_over:
                plans.mark_applied(connection, run.plan)
            ledger.append(connection, entries, run.id, self._clock)

    def run(self, run: str) -> Run:
        with self._database.reading() as connection:
            return runs.read_run(connection, run)

    def runs(self) -> list[Run]:
        with self._database.reading() as connection:
            return runs.read_runs(connection)

    def run_of(self, plan: str) -> Run | None:
        with self._database.reading() as connection:
            return runs.read_run_of(connection, plan)

    def journal(self, run: str) -> list[Action]:
        with self._database.reading() as connection:
            return runs.read_journal(connection, run)

    def undone(self, table: str) -> set[str]:
        with self._database.reading() as connection:
            return runs.read_undone(connection, table)

    def record(self, run: str, actions: Sequence[Action], entries: Sequence[Entry] = ()) -> None:
        with self._database.writing() as connection:
            runs.upsert_actions(connection, run, actions)
            ledger.append(connection, entries, run, self._clock)

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        with self._database.reading() as connection:
            return runs.read_disposals(connection, kind, counter, limit)

    def ledger(self) -> Iterator[LedgerEntry]:
        """All entries, oldest first, read page by page; entries added meanwhile come too."""
        after = ledger.BEFORE_ALL
        while True:
            with self._database.reading() as connection:
                page = ledger.read(connection, after)
            if not page:
                return
            yield from page
            after = page[-1].seq

    def append(self, entries: Sequence[Entry], run: str | None = None) -> None:
        with self._database.writing() as connection:
            ledger.append(connection, entries, run, self._clock)

    def exclusive(self, name: str = "runner") -> AbstractContextManager[None]:
        return locks.exclusive(self._database, name)
