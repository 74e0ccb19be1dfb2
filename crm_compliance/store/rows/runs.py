"""Runs in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, insert, select, update

from crm_compliance.store.rows import ledger, plans
from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import runs
from jobs.ledger.rounds import OF_ROUNDS, RoundMade, rounds_of
from jobs.model.run import Run
from rules.errors import UsageError

if TYPE_CHECKING:
    from jobs.model.plan import Kind
    from jobs.ports.store import Entry


class Runs(Rows):
    """What `jobs.ports.store.RunStore` asks."""

    def start(self, run: Run, entry: Entry) -> None:
        """A plan has one run at most: the database refuses a second."""
        with self._transactions.writing_run([entry], run.id) as connection:
            connection.execute(insert(runs), _row(run))

    def save(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        with self._transactions.writing_run(entries, run.id) as connection:
            replace_run(connection, run)
            if run.is_over:
                plans.mark_applied(connection, run.plan)

    def get(self, run: str) -> Run:
        with self._transactions.reading() as connection:
            return read_run(connection, run)

    def all(self) -> list[Run]:
        with self._transactions.reading() as connection:
            return read_runs(connection)

    def of_plan(self, plan: str) -> Run | None:
        return self._transactions.one(select(runs.c.doc).where(runs.c.plan == plan), Run, f"the run of {plan}")

    def rounds(self) -> list[RoundMade]:
        with self._transactions.reading() as connection:
            return rounds_of(ledger.of_kinds(connection, OF_ROUNDS))[::-1]

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        """Zeros are included. A run without counts is left out: a zero that nobody counted would widen the
        breaker's grip or loosen it."""
        found: list[int] = []
        for run in self.all():
            disposed = run.counts.get("disposed") if run.kind is kind and run.is_over else None
            if isinstance(disposed, dict) and disposed.get(counter) is not None:
                found.append(int(disposed[counter]))
        return found[:limit]


def replace_run(connection: Connection, run: Run) -> None:
    if connection.execute(update(runs).where(runs.c.id == run.id).values(_row(run))).rowcount != 1:
        raise _unknown(run.id)


def read_run(connection: Connection, run: str) -> Run:
    doc = connection.execute(select(runs.c.doc).where(runs.c.id == run)).scalar()
    if doc is None:
        raise _unknown(run)
    return decoded(doc, Run, run)


def read_runs(connection: Connection) -> list[Run]:
    """Return all runs, newest first."""
    docs = connection.execute(select(runs.c.doc).order_by(runs.c.position.desc())).scalars()
    return [decoded(doc, Run, "a run") for doc in docs]


def _row(run: Run) -> dict[str, object]:
    return {"id": run.id, "plan": run.plan, "doc": msgspec.json.encode(run).decode()}


def _unknown(run: str) -> UsageError:
    return UsageError(f"there is no run {run}", hint="crm-compliance history list")
