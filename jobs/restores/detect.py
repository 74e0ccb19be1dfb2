"""Notices that the CRM was restored from a backup, and makes good what that has brought back (ERA-13, R-091).
What runs had begun whose database was lost is finished by recover.py."""

from itertools import islice

from jobs.erasures.register import load_register, reconcile, refuse_if_behind
from jobs.erasures.rows_back import returned_rows
from jobs.holds.look_up import look_up_unseen
from jobs.model.plan import Kind, Plan, PlanState
from jobs.model.run import Run
from jobs.model.sentence import Sentence
from jobs.ports.context import JobContext
from jobs.requests.decisions.lost_writes import repeat_lost
from jobs.restores.lost_places import finish_lost_places
from jobs.restores.replay_plan import plan_replay
from jobs.runs.apply import apply_plan, unfinished
from jobs.writing.read_back import still_there

RESTORED = "RESTORED"
SAMPLE = 200  # rows: whatever backup was restored, the rows that were erased last are back


def rows_back(context: JobContext) -> int:
    """Return how many of the rows last erased by completed runs, a bounded sample, are in the CRM again. A
    half-done unit is not a sign: what remains of it was never deleted. A database that was lost and recovered
    has no such runs until the next night. In that case every row is searched for by the register."""
    if context.erased.last() is not None and not any(run.is_over for run in context.store.runs.newest()):
        return len(returned_rows(context, load_register(context)))
    crms: dict[str, bool] = {}
    writes = []
    for run, action in context.store.journal.last_done(SAMPLE):
        if run not in crms:
            crms[run] = context.store.plans.get(context.store.runs.get(run).plan).crm == context.crm
        if crms[run]:
            writes += [write for write in reversed(action.rows) if write.operation == "delete" and not write.retained]
    return len(still_there(context.connector, islice(writes, SAMPLE)))


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
    back = rows_back(context)
    if not back:
        return None
    context.store.ledger.append([("alarm", {"code": RESTORED, "rows": back})])
    _begin(context)
    plan = _awaited(context)
    if plan is None:
        repeat_lost(context)
        plan = plan_replay(context, only_if_due=True)
    return apply_plan(context, plan.id) if plan is not None else None


def warning_of_rows_back(context: JobContext) -> Sentence | None:
    """Record what a restore has brought back, and return the warning for a plan that is made meanwhile; None
    where there is nothing to warn of."""
    back = note_rows_back(context)
    return Sentence.of("rows_back", rows=back) if back else None


def note_rows_back(context: JobContext) -> int:
    """Return how many rows that had been erased are back in the CRM, because it was restored: a person who
    makes a plan is told, and the ledger keeps the alarm."""
    back = rows_back(context)
    if back:
        context.store.ledger.append([("alarm", {"code": RESTORED, "rows": back})])
    return back


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
