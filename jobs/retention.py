"""The nightly jobs: plan and apply at once, one kind of unit each, and reading a run back."""

from __future__ import annotations

from jobs.apply import apply_plan, unfinished
from jobs.plan import Kind
from jobs.planning import make_plan
from jobs.ports import JobContext
from jobs.runs import ActionState, Run
from jobs.verify import NOT_CHECKABLE, verify_actions


def run_retention(context: JobContext) -> Run:
    """Enforce the retention schedule on dossiers, lone fiches and contacts, once.

    Whatever was interrupted is finished first. Where the circuit breaker trips, the plan stays stored and waits.

    Raises:
        Refused: the plan needs approval; `where` is its id.
    """
    return _run(context, Kind.RETENTION)


def run_recordings(context: JobContext) -> Run:
    """Delete recordings past their six months, once (policy §6.2: every day). Raises like `run_retention`."""
    return _run(context, Kind.RECORDINGS)


def _run(context: JobContext, kind: Kind) -> Run:
    for run in unfinished(context):
        apply_plan(context, run.plan)
    return apply_plan(context, make_plan(context, kind).id)


def verify_run(context: JobContext, run_id: str) -> dict[str, object]:
    """Read back every row that a run disposed of: how many were checked, which are still there, which places cannot be read back."""
    context.store.run(run_id)
    actions = [action for action in context.store.journal(run_id) if action.state in (ActionState.DONE, ActionState.PARTIAL)]
    left = verify_actions(context.connector, actions)
    rows = sorted({row for found in left.values() for row in found})
    return {
        "run": run_id,
        "checked": sum(len(action.rows) for action in actions),
        "still_there": [{"table": table, "id": row} for table, row in rows],
        "not_checkable": list(NOT_CHECKABLE),
    }
