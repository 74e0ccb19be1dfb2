"""The retention job and the recordings job, which enforce the schedule on one kind of unit each: both plan
and apply at once. Source: policy §6.2 (recordings every day)."""

from collections.abc import Callable
from datetime import datetime

from jobs.checks.kill_switch import refuse_if_stopped, unless_stopped
from jobs.model.outcome import Outcome
from jobs.model.plan import RULES_CHANGED, Alarm, Kind, Plan, PlanState
from jobs.model.run import Run, alarms_of, run_document
from jobs.plans.alarms.earlier_plans import NO_RUN
from jobs.plans.make import make_plan
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from jobs.restores.replay import replay_if_restored
from jobs.runs.apply import HELD_NOTHING, apply_plan, unfinished
from rules.errors import Refused


def plan_and_apply(context: JobContext, kind: Kind) -> Run:
    """Enforce the retention schedule once, on units of a kind. What was interrupted is finished first; then,
    if the CRM was restored, what that has brought back is erased again; then the plan that people have
    approved is carried out. If the circuit breaker trips, the plan stays stored and waits.

    Raises:
        Refused: the plan, or that of a replay, needs approval; `where` is its id."""
    refuse_if_stopped(context.store)
    with unless_stopped(context):
        for run in unfinished(context):
            apply_plan(context, run.plan)
        replay_if_restored(context)  # before anything else is done in a CRM that was restored (ERA-13)
        _carry_out_approved(context, kind)
        plan = make_plan(context, kind)
    return apply_plan(context, plan.id)


def _carry_out_approved(context: JobContext, kind: Kind) -> None:
    """Carry out the last plan of a kind that waited for people and has their approval: a night enforces it,
    for no person does (section 9.4). Where somebody has rejected a later one, none is carried out. Neither is
    one of which schedule or mapping are others by now, or that was approved before it was known that a hold
    is on nothing; it expires, and the plan of this night says what they want."""
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


def carried_out(kind: Kind) -> Callable[[JobContext], Outcome]:
    """Return such a job for units of a kind. Its alarms are those of its plan and its own, each code once, in
    the order in which they came up; that nights were missed is said before a run."""

    def run(context: JobContext) -> Outcome:
        done = plan_and_apply(context, kind)
        plan = context.store.plans.get(done.plan)
        found = [*(alarm for alarm in plan.alarms if alarm.code != NO_RUN), *alarms_of(done)]
        alarms: dict[str, Alarm] = {}
        for alarm in found:
            alarms.setdefault(alarm.code, alarm)
        return Outcome(done.id, done.state, run_document(done), tuple(alarms.values()), plan.id, tuple(map(str, plan.warnings)))

    return run
