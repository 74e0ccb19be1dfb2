"""Makes good what a restore of the CRM from a backup has brought back (ERA-13, R-091). What runs had begun
whose database was lost is finished by recover.py."""

from jobs.erasures.register import reconcile, refuse_if_behind
from jobs.holds.look_up import look_up_unseen
from jobs.model.plan import Kind, Plan, PlanState
from jobs.model.run import Run
from jobs.ports.context import JobContext
from jobs.requests.decisions.lost_writes import repeat_lost
from jobs.restores.detect import note_rows_back
from jobs.restores.lost_places import finish_lost_places
from jobs.restores.replay_plan import plan_replay
from jobs.runs.apply import apply_plan, unfinished


def replay(context: JobContext) -> Run:
    """Erase again, once, what had been erased and is back, and end again the uses that requests had ended.
    Give database and journal of the register what only one of them had. Raises Refused: so much is back that
    the plan needs approval; `where` is its id."""
    refuse_if_behind(context)
    _begin(context)
    repeat_lost(context)
    plan = plan_replay(context)
    assert plan is not None
    return apply_plan(context, plan.id)


def replay_if_restored(context: JobContext) -> Run | None:
    """Replay where the CRM was restored, before anything else is done in it; None where it was not, or holds
    keep all that is back.

    A replay plan that waits for approval is taken up again instead of a new one.

    Raises:
        StoreAltered: the database was lost, or put back to an older day, and has to be recovered first.
        Refused: a replay plan waits for approval; `where` is its id."""
    refuse_if_behind(context)
    finish_lost_places(context)
    if not note_rows_back(context):
        return None
    _begin(context)
    plan = _awaited(context)
    if plan is None:
        repeat_lost(context)
        plan = plan_replay(context, only_if_due=True)
    return apply_plan(context, plan.id) if plan is not None else None


def _begin(context: JobContext) -> None:
    for run in unfinished(context):
        apply_plan(context, run.plan)
    with context.store.leases.exclusive():
        reconcile(context)
    context.forget_memory()


def _awaited(context: JobContext) -> Plan | None:
    """Return the replay plan that needed approval and is still valid, approved meanwhile or not; none where a
    hold that was placed since is on nothing."""
    now = context.clock()
    for plan in context.store.plans.newest([Kind.REPLAY]):
        if plan.crm == context.crm and plan.needed:
            is_valid = plan.state(now) in (PlanState.WAITING, PlanState.READY)
            return plan if is_valid and not look_up_unseen(context, plan) else None
    return None
