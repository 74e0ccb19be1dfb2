"""The nightly jobs: plan and apply at once, one kind of unit each, and reading a run back."""

from collections.abc import Callable
from datetime import datetime

from jobs.checks.kill_switch import refuse_if_stopped, unless_stopped
from jobs.model.outcome import Outcome
from jobs.model.plan import Alarm, Kind, Plan, PlanState
from jobs.model.run import ActionState, Run, alarms_of, run_document
from jobs.plans.earlier_plans import NO_RUN
from jobs.plans.make import make_plan
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from jobs.residual.documents import documents_left
from jobs.residual.recording_content import objects_left
from jobs.restores.detect import replay_if_restored
from jobs.runs.apply import HELD_NOTHING, RULES_CHANGED, apply_plan, unfinished
from jobs.writing.outside_objects import Outside
from jobs.writing.read_back import not_checkable, traces_left, verify_actions
from rules.errors import Refused, UsageError
from rules.hints import hint_to


def run_retention(context: JobContext) -> Run:
    """Enforce the retention schedule on dossiers, lone fiches and contacts, once. What was interrupted is
    finished first; then, if the CRM was restored, what that has brought back is erased again; then the plan
    that people have approved is carried out. If the circuit breaker trips, the plan stays stored and waits.
    Raises Refused: the plan, or that of a replay, needs approval; `where` is its id."""
    return _run(context, Kind.RETENTION)


def run_recordings(context: JobContext) -> Run:
    """Delete recordings past their six months, once (policy §6.2: every day). Raises like `run_retention`."""
    return _run(context, Kind.RECORDINGS)


def carried_out(night: Callable[[JobContext], Run]) -> Callable[[JobContext], Outcome]:
    """Return a night's run as a job: its alarms are those of its plan and its own, each code once, in the
    order in which they came up; that nights were missed is said before a run."""

    def run(context: JobContext) -> Outcome:
        done = night(context)
        plan = context.store.plans.get(done.plan)
        found = [*(alarm for alarm in plan.alarms if alarm.code != NO_RUN), *alarms_of(done)]
        alarms: dict[str, Alarm] = {}
        for alarm in found:
            alarms.setdefault(alarm.code, alarm)
        return Outcome(done.id, done.state, run_document(done), tuple(alarms.values()), plan.id, tuple(map(str, plan.warnings)))

    return run


def _run(context: JobContext, kind: Kind) -> Run:
    refuse_if_stopped(context.store)
    with unless_stopped(context):
        for run in unfinished(context):
            apply_plan(context, run.plan)
        replay_if_restored(context)  # before anything else is done in a CRM that was restored (ERA-13)
        _carry_out_approved(context, kind)
        plan = make_plan(context, kind)
    return apply_plan(context, plan.id)


def _carry_out_approved(context: JobContext, kind: Kind) -> None:
    """Carry out the last plan of a kind that waited for people and has their words: a night enforces it, for
    no person does (section 9.4). Where somebody has rejected a later one, none is carried out. Neither is one
    of which schedule or mapping are others by now, or that was approved before it was known that a hold is on
    nothing; it expires, and the plan of this night says what they want."""
    plan = approved_plan(context.store, kind, context.crm, context.clock())
    if plan is None:
        return
    try:
        apply_plan(context, plan.id)
    except Refused as error:
        if error.code not in (RULES_CHANGED, HELD_NOTHING):
            raise


def approved_plan(store: Store, kind: Kind, crm: str, now: datetime) -> Plan | None:
    """Return the plan that a night of this kind carries out before its own; None where there is none."""
    for plan in store.plans.newest((kind, Kind.ALL), is_applied=False):
        if now >= plan.valid_until:
            return None
        if plan.as_of_given or plan.crm != crm or not plan.needed:
            continue
        if plan.state(now) is PlanState.REJECTED:
            return None
        if plan.state(now) is PlanState.READY:
            return plan
    return None


def verify_run(context: JobContext, run_id: str) -> dict[str, object]:
    """Read back every row that a run disposed of, and every place that can hold residual data of it.

    Return how many rows were checked, what is still there, which places cannot be read back. What is kept of
    a row beside it is named by the table of the CRM that holds it, with the id of the row (ERA-12). A
    recording whose object outside the CRM is still there counts as still there itself, and so does the row
    that named a folder of documents. A maintenance job
    carries out no plan: it has written no row, and there is nothing to read back."""
    context.store.journal.check()
    if any(made.id == run_id for made in context.store.runs.maintenance()):
        return {"run": run_id, "checked": 0, "still_there": [], "not_checkable": []}
    if context.store.runs.get(run_id).is_journal_gone:
        raise UsageError(
            "the journal of this run has expired, so nobody knows its rows any more",
            hint=hint_to("certificates_of_run", run=run_id),
            where=run_id,
        )
    actions = [action for action in context.store.journal.of_run(run_id) if action.state in (ActionState.DONE, ActionState.PARTIAL)]
    left = verify_actions(context.connector, actions)
    objects = objects_left(context, Outside(context), actions)
    documents = documents_left(context, actions)
    there = {row for found in (*left.values(), *objects.values(), *documents.values()) for row in found}
    rows = sorted(there | traces_left(context.connector, actions, there))
    return {
        "run": run_id,
        "checked": sum(len(action.gone) + len(action.rows) for action in actions),
        "still_there": [{"table": table, "id": row} for table, row in rows],
        "not_checkable": not_checkable(context.connector, actions),
    }
