"""Removes what has had its day in the state store itself (ACC-04, ACC-07)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, or_, select

from crm_compliance.store import journal
from crm_compliance.store import runs as runs_
from crm_compliance.store.heads import Heads
from crm_compliance.store.plans import read_plans
from crm_compliance.store.tables import actions, holds, plan_pages
from jobs.ports import Expired, PastTerms
from jobs.runs import ActionState


def expire(connection: Connection, past: PastTerms, now: datetime, heads: Heads) -> Expired:
    """Remove it all; gives how much there was."""
    for run in past.reckoned:
        runs_.replace_run(connection, run)
    lines = _drop_lines(connection, past, now)
    units = _drop_journals(connection, past.journals, past.contacts, heads)
    connection.execute(delete(holds).where(holds.c.id.in_(past.holds)))
    return Expired(lines, len(past.journals), units, len(past.holds))


def _drop_lines(connection: Connection, past: PastTerms, now: datetime) -> int:
    """Remove the lines of old plans that cannot get a run any more, and of those whose run is over and reckoned.

    The plan itself stays, with its counts, words and digest.
    """
    having = set(connection.execute(select(plan_pages.c.plan).distinct()).scalars())
    unfinished = {run.plan for run in runs_.read_runs(connection) if not run.reckoned}
    old = [
        plan.id
        for plan in read_plans(connection)
        if plan.id in having - unfinished and plan.created_at < past.lines_before and (plan.applied or plan.valid_until <= now)
    ]
    for plan in old:
        connection.execute(delete(plan_pages).where(plan_pages.c.plan == plan))
    return len(old)


def _drop_journals(connection: Connection, journals: Sequence[str], contacts: str, heads: Heads) -> int:
    """Remove the units of these runs from the journal, but for what still has to be done: the last action of a unit that is half done, and
    of a contact that was not removed (`Store.partials`, `Store.undone`)."""
    last = select(func.max(actions.c.position)).group_by(actions.c.unit_table, actions.c.unit_id)
    open_ones = or_(
        actions.c.state == ActionState.PARTIAL.value,
        (actions.c.unit_table == contacts) & (actions.c.state != ActionState.DONE.value),
    )
    still_due = select(actions.c.position).where(open_ones, actions.c.position.in_(last))
    # Asked before anything goes: once the last action of a unit is gone, an earlier one would look like it.
    kept = set(connection.execute(still_due).scalars())
    units = 0
    for run in journals:
        found = connection.execute(select(actions.c.position).where(actions.c.run == run)).scalars()
        gone = [position for position in found if position not in kept]
        heads.note_journal(*journal.remove(connection, gone, heads.seals))
        units += len(gone)
        runs_.replace_run(connection, msgspec.structs.replace(runs_.read_run(connection, run), is_journal_gone=True))
    return units
