"""Notices that the CRM was restored from a backup, and makes good what that has brought back (ERA-13, R-091)."""

from __future__ import annotations

from itertools import islice

from jobs.apply import apply_plan, unfinished
from jobs.erasures import reconcile
from jobs.plan import Kind, Plan, PlanState
from jobs.ports import JobContext
from jobs.replaying import plan_replay
from jobs.runs import Run
from jobs.verify import still_there

RESTORED = "RESTORED"
SAMPLE = 200  # rows: whatever backup was restored, the rows that were erased last are back


def rows_back(context: JobContext) -> int:
    """How many of the rows that completed runs erased last, a bounded sample, are in the CRM again.

    A unit that is half done is no sign: what is left of it never went.
    """
    crms: dict[str, bool] = {}
    writes = []
    for run, action in context.store.last_done(SAMPLE):
        if run not in crms:
            crms[run] = context.store.plan(context.store.run(run).plan).crm == context.crm
        if crms[run]:
            writes += [write for write in reversed(action.rows) if write.operation == "delete"]
    return len(still_there(context.connector, islice(writes, SAMPLE)))


def replay(context: JobContext) -> Run:
    """Erase again what had been erased and is back, once, and give database and journal of the register what only one of them had.

    Raises:
        Refused: so much is back that the plan needs approval; `where` is its id.
    """
    _begin(context)
    plan = plan_replay(context)
    assert plan is not None
    return apply_plan(context, plan.id)


def replay_if_restored(context: JobContext) -> Run | None:
    """Replay where the CRM was restored, before anything else is done in it; None where it was not, or holds keep all that is back.

    A database that lacks what the journal has was lost or restored itself and knows no rows to look for: then all are looked for. A replay
    plan that waits for approval is taken up again instead of a new one.

    Raises:
        Refused: a replay plan waits for approval; `where` is its id.
    """
    back = rows_back(context)
    last = context.erased.last()
    if not back and (last is None or context.store.has_erasure(last)):
        return None
    if back:
        context.store.append([("alarm", {"code": RESTORED, "rows": back})])
    _begin(context)
    plan = _awaited(context) or plan_replay(context, only_if_due=True)
    return apply_plan(context, plan.id) if plan is not None else None


def restored_warning(context: JobContext) -> str:
    """What a person who makes a plan is told of a CRM that was restored; empty where it was not. The ledger keeps the alarm."""
    back = rows_back(context)
    if not back:
        return ""
    context.store.append([("alarm", {"code": RESTORED, "rows": back})])
    return f"{RESTORED}: {back} rows that had been erased are back in the CRM; replay before anything is planned: crm-compliance replay"


def _begin(context: JobContext) -> None:
    for run in unfinished(context):
        apply_plan(context, run.plan)
    with context.store.exclusive():
        reconcile(context)
    context.forget_memory()


def _awaited(context: JobContext) -> Plan | None:
    """The replay plan that needed approval and is still valid, approved meanwhile or not."""
    now = context.clock()
    for plan in context.store.plans():
        if plan.kind is Kind.REPLAY and plan.crm == context.crm and plan.needed:
            return plan if plan.state(now) in (PlanState.WAITING, PlanState.READY) else None
    return None
