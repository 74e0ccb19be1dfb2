"""Runs in the database."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, insert, select, update

from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import runs
from jobs.model.plan import Kind
from jobs.model.run import Run
from rules.errors import UsageError


def insert_run(connection: Connection, run: Run) -> None:
    """Write a new run. A plan has one run at most: the database refuses a second."""
    connection.execute(insert(runs), _row(run))


def replace_run(connection: Connection, run: Run) -> None:
    if connection.execute(update(runs).where(runs.c.id == run.id).values(_row(run))).rowcount != 1:
        raise _unknown(run.id)


def read_run(connection: Connection, run: str) -> Run:
    doc = connection.execute(select(runs.c.doc).where(runs.c.id == run)).scalar()
    if doc is None:
        raise _unknown(run)
    return decoded(doc, Run, run)


def read_runs(connection: Connection) -> list[Run]:
    docs = connection.execute(select(runs.c.doc).order_by(runs.c.position.desc())).scalars()
    return [decoded(doc, Run, "a run") for doc in docs]


def read_run_of(connection: Connection, plan: str) -> Run | None:
    doc = connection.execute(select(runs.c.doc).where(runs.c.plan == plan)).scalar()
    return None if doc is None else decoded(doc, Run, f"the run of {plan}")


def read_disposals(connection: Connection, kind: Kind, counter: str, limit: int) -> list[int]:
    """What the last runs of this kind disposed of, newest first, zeros included; a run that goes on does not
    count (RET-24).

    A run without counts is left out: a zero that nobody counted would widen the breaker's grip or loosen it.
    """
    found: list[int] = []
    for run in read_runs(connection):
        disposed = run.counts.get("disposed") if run.kind is kind and run.is_over else None
        if isinstance(disposed, dict) and disposed.get(counter) is not None:
            found.append(int(disposed[counter]))
    return found[:limit]


def _row(run: Run) -> dict[str, object]:
    return {"id": run.id, "plan": run.plan, "doc": msgspec.json.encode(run).decode()}


def _unknown(run: str) -> UsageError:
    return UsageError(f"there is no run {run}", hint="crm-compliance history list")
