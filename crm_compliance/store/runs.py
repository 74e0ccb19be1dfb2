"""Runs and their journal in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Select, func, insert, select, tuple_, update

from crm_compliance.store.documents import decoded
from crm_compliance.store.inserting import insert_into
from crm_compliance.store.tables import actions, runs
from jobs.plan import Kind
from jobs.runs import Action, ActionState, Run, RunState
from rules.errors import UsageError

COUNTERS = {"units": runs.c.units, "recordings": runs.c.recordings}


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


def read_journal(connection: Connection, run: str) -> list[Action]:
    docs = connection.execute(select(actions.c.doc).where(actions.c.run == run).order_by(actions.c.position)).scalars()
    return [decoded(doc, Action, f"a unit of {run}") for doc in docs]


def upsert_actions(connection: Connection, run: str, journal: Sequence[Action]) -> None:
    """Add actions, or replace those that are there by (table, id); a replaced action keeps its place in the order."""
    if not journal:
        return
    # Both databases speak the same ON CONFLICT, but SQLAlchemy has it in each dialect only.
    statement = insert_into(connection, actions)
    statement = statement.on_conflict_do_update(
        index_elements=["run", "unit_table", "unit_id"],
        set_={"state": statement.excluded.state, "doc": statement.excluded.doc},
    )
    rows = [
        {
            "run": run,
            "unit_table": action.table,
            "unit_id": action.id,
            "state": action.state.value,
            "doc": msgspec.json.encode(action).decode(),
        }
        for action in journal
    ]
    connection.execute(statement, rows)


def read_undone(connection: Connection, table: str) -> dict[str, str]:
    """The units of a table whose last action, over all runs, is not done, each with what was to happen to it."""
    query = select(actions.c.unit_id, actions.c.state, actions.c.doc).where(actions.c.unit_table == table).order_by(actions.c.position)
    last = {row.unit_id: None if row.state == ActionState.DONE.value else row.doc for row in connection.execute(query)}
    return {unit: decoded(doc, Action, "a unit of a run").disposition for unit, doc in last.items() if doc is not None}


def read_partials(connection: Connection) -> list[tuple[str, Action]]:
    """The units whose last action, over all runs, is partial, each with that run, oldest first."""
    return _read_last(connection, ActionState.PARTIAL)


def read_failures(connection: Connection) -> list[tuple[str, Action]]:
    """The units whose last action, over all runs, has failed, each with that run, oldest first."""
    return _read_last(connection, ActionState.FAILED)


def read_unfinished(connection: Connection, run: str) -> list[tuple[str, Action]]:
    """What other runs last left partial or failed and none has done since; a run that only skipped a unit changes nothing."""
    left = (ActionState.PARTIAL, ActionState.FAILED)
    done = (
        select(actions.c.unit_table, actions.c.unit_id, func.max(actions.c.position).label("position"))
        .where(actions.c.state == ActionState.DONE.value, tuple_(actions.c.unit_table, actions.c.unit_id).in_(_units_in(*left)))
        .group_by(actions.c.unit_table, actions.c.unit_id)
        .subquery()
    )
    query = (
        select(actions.c.run, actions.c.unit_table, actions.c.unit_id, actions.c.doc)
        .outerjoin(done, (actions.c.unit_table == done.c.unit_table) & (actions.c.unit_id == done.c.unit_id))
        .where(actions.c.state.in_([state.value for state in left]), actions.c.run != run)
        .where(done.c.position.is_(None) | (done.c.position < actions.c.position))
        .order_by(actions.c.position)
    )
    last = {(row.unit_table, row.unit_id): (row.run, row.doc) for row in connection.execute(query)}
    return [(of, decoded(doc, Action, f"a unit of {of}")) for of, doc in last.values()]


def read_last_skips(connection: Connection) -> list[tuple[str, Action]]:
    """The units whose last action, over all runs, is that they were skipped, each with that run, oldest first."""
    return _read_last(connection, ActionState.SKIPPED)


def _read_last(connection: Connection, state: ActionState) -> list[tuple[str, Action]]:
    """Only what is last is decoded: a unit may be skipped night after night."""
    last = (
        select(func.max(actions.c.position).label("position"))
        .where(tuple_(actions.c.unit_table, actions.c.unit_id).in_(_units_in(state)))
        .group_by(actions.c.unit_table, actions.c.unit_id)
        .subquery()
    )
    query = (
        select(actions.c.run, actions.c.doc)
        .join(last, actions.c.position == last.c.position)
        .where(actions.c.state == state.value)
        .order_by(actions.c.position)
    )
    return [(run, decoded(doc, Action, f"a unit of {run}")) for run, doc in connection.execute(query)]


def _units_in(*states: ActionState) -> Select[tuple[str, str]]:
    return select(actions.c.unit_table, actions.c.unit_id).where(actions.c.state.in_([state.value for state in states]))


def read_disposals(connection: Connection, kind: Kind, counter: str, limit: int) -> list[int]:
    """What the last runs of this kind disposed of, newest first, zeros included; a run that goes on does not count (RET-24)."""
    column = COUNTERS[counter]
    over = runs.c.state != RunState.RUNNING.value
    query = select(column).where(runs.c.kind == kind.value, over, column.is_not(None)).order_by(runs.c.position.desc()).limit(limit)
    return [int(count) for count in connection.execute(query).scalars()]


def _row(run: Run) -> dict[str, object]:
    disposed = run.counts.get("disposed")
    # A run without counts gets null and is left out of the median: a zero that nobody counted would widen the breaker's grip or loosen it.
    counted = disposed if run.is_over and isinstance(disposed, dict) else {}
    return {
        "id": run.id,
        "kind": run.kind.value,
        "plan": run.plan,
        "state": run.state.value,
        "units": counted.get("units"),
        "recordings": counted.get("recordings"),
        "doc": msgspec.json.encode(run).decode(),
    }


def _unknown(run: str) -> UsageError:
    return UsageError(f"there is no run {run}", hint="crm-compliance history list")
