"""Carries out a stored plan: the only way to write to the CRM, for the clock, the DPO and the admin alike.
Nothing is written before every guard has let the plan pass, and nothing but that plan (`run.py`)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import msgspec

from jobs.checks.kill_switch import refuse_if_stopped, unless_stopped
from jobs.checks.ledger_drift import refuse_altered, unaltered_head, unaltered_plan
from jobs.checks.same_clock import refuse_other_clock
from jobs.holds.look_up import look_up_unseen
from jobs.model.plan import GRANTED_NO_MORE, RULES_CHANGED, Kind, Plan
from jobs.model.request import SubjectRequest
from jobs.model.run import Run, RunState
from jobs.plans.alarms.approval_reasons import needs_a_look
from jobs.ports.context import JobContext
from jobs.ports.store.leases import Lease
from jobs.ports.store.store import Store
from jobs.proof.checkpoint import make_checkpoint
from jobs.register.decision import DISPOSING, decision_of
from jobs.runs.journal import PlanLapsed
from jobs.runs.replay_run import Replay
from jobs.runs.request_run import Fulfilment
from jobs.runs.resume import taken_along_since
from jobs.runs.run import Application
from rules.errors import Refused
from rules.hints import hint_to

HELD_NOTHING = "hold_not_found"  # code of the refusal of one approved before a hold turned out to be on nothing
CARRYING: Mapping[Kind, type[Application]] = {Kind.REPLAY: Replay, Kind.REQUEST: Fulfilment}


def apply_plan(context: JobContext, plan_id: str) -> Run:
    """Carry out one plan and return its run. A plan that was carried out already returns the same run,
    without a write. One that lapses while it is carried out, because somebody rejects it or a hold that was
    placed meanwhile is on nothing, ends after the group at work.

    Raises:
        StoreAltered: plan, approvals, holds or other tables are not what the ledger says.
        Refused: the plan may not be applied (state, validity, approvals, policy, another CRM, a hold that is
            on nothing, a request of which nothing is granted any more), or another run is under way.
        ConnectorError: the CRM cannot be reached, or reports another time; what was done is journalled,
            and applying again continues there."""
    store = context.store
    plan = store.plans.get(plan_id)
    context = context.under(plan.policy_digest)  # a run keeps the version of its plan (RET-06)
    run = store.runs.of_plan(plan.id)
    if run is not None and run.is_over:
        make_checkpoint(store, context.notary, context.clock)  # it may have been killed before its own
        return run
    if plan.crm != context.crm:
        raise Refused("the plan was made for another CRM", hint=hint_to("name_its_crm"), where=plan.id)
    if run is None:
        plan = unaltered_head(store, context.references, plan.id)
        plan.refuse_unless_ready(context.clock())
        _refuse_other_rules(context, plan)
        _refuse_by_version_in_force(context, plan)
    with store.leases.exclusive() as lease, context.connector.guarded(lease.check), unless_stopped(context):
        context = replace(context, still_ours=lease.check)
        refuse_if_stopped(store)
        run = store.runs.of_plan(plan.id)
        if run is not None and run.is_over:
            return run
        refuse_altered(context)
        plan = unaltered_plan(store, context.references, plan.id)
        refuse_other_clock(context)
        if run is None:
            for other in unfinished(context):
                raise Refused(
                    f"run {other.id} was interrupted", hint=hint_to("apply_first", plan=other.plan), where=plan.id, code="another_run"
                )
            _refuse_more_along(context, plan)
            if look_up_unseen(context, plan):
                problem = "a hold is on a record that the CRM does not have: what was meant may be in this plan"
                raise Refused(problem, hint=hint_to("plan_again"), where=plan.id, code=HELD_NOTHING)
            run = _start(context, lease, plan)
        else:
            lease.work_on(run.id)
        with context.logged_as(run.id):
            return _carry_out(context, plan, run)


def _carry_out(context: JobContext, plan: Plan, run: Run) -> Run:
    """Carry out a plan; where it lapses meanwhile, end the run as one that was cut off ends: what was not
    begun is kept. Where the hold that was on nothing is released by then, the run goes on, and may lapse
    again by another."""
    carrying, store = CARRYING.get(plan.kind, Application), context.store
    while True:
        try:
            return carrying(context, plan, run).carry_out()
        except PlanLapsed:
            plan, run = store.plans.get(plan.id), store.runs.get(run.id)


def unfinished(context: JobContext) -> list[Run]:
    """Return the runs on this CRM that were interrupted, oldest first. They are finished before anything else
    is written."""
    store = context.store
    return [run for run in reversed(store.runs.unfinished()) if store.plans.get(run.plan).crm == context.crm]


def _refuse_other_rules(context: JobContext, plan: Plan) -> None:
    """Refuse a plan of which schedule or mapping are others by now, and say which: also an upgrade of the
    program changes what it ships."""
    policy = context.policy
    changed = []
    if plan.policy_digest != policy.digest:
        is_named = plan.policy_version != policy.version
        other = f"{plan.policy_version}, now {policy.version}" if is_named else f"{policy.version}, with another text"
        changed.append(f"the schedule ({other})")
    if plan.mapping_digest != context.mapping_digest:
        changed.append("the mapping")
    if not changed:
        return
    then, now = plan.software_version, context.software_version
    upgraded = f"; crm-compliance was {then} and is {now}, and what it ships changes with it" if then and then != now else ""
    raise Refused(
        f"{' and '.join(changed)} changed since the plan was made{upgraded}", hint=hint_to("plan_again"), where=plan.id, code=RULES_CHANGED
    )


def _refuse_by_version_in_force(context: JobContext, plan: Plan) -> None:
    """Refuse a plan of an earlier version of the schedule that would have expired by the one in force by now,
    or its approvals would, or to which nobody has looked and that disposes of what that asks two people to
    look at."""
    now = context.on(context.today)
    policy = now.policy
    if plan.policy_digest == policy.digest or plan.kind in CARRYING:
        return
    if context.clock() >= plan.created_at + timedelta(hours=policy.plan_valid_hours):
        problem = "has expired"
    elif msgspec.structs.replace(plan, approval_hours=min(plan.approval_hours, policy.approvals.valid_hours)).missing(context.clock()):
        problem = "has approvals that count no more"
    elif not plan.needed and needs_a_look(now, plan):
        problem = "disposes of what does not go without approval"
    else:
        return
    message = (
        f"the plan was made by version {plan.policy_version} of the schedule, and {problem} by {policy.version}, which is in force now"
    )
    raise Refused(message, hint=hint_to("plan_again"), where=plan.id, code=RULES_CHANGED)


def _refuse_more_along(context: JobContext, plan: Plan) -> None:
    """Refuse a plan where the CRM by now deletes rows along by a lookup by which it did not when the plan was
    made: nobody has seen that they go."""
    if more := taken_along_since(context, plan):
        message = f"since the plan was made, the CRM has begun to delete rows along with what goes, by {', '.join(more)}"
        raise Refused(message, hint=hint_to("plan_again"), where=plan.id, code=RULES_CHANGED)


def _start(context: JobContext, lease: Lease, plan: Plan) -> Run:
    now = context.clock()
    run = Run(
        id=context.new_id("run"),
        kind=plan.kind,
        plan=plan.id,
        state=RunState.RUNNING,
        as_of=now,
        started_at=now,
        software_version=context.software_version,
        policy_version=plan.policy_version,
        policy_digest=plan.policy_digest,
    )
    lease.work_on(run.id)  # before others can read of the run, which would call it interrupted
    told: dict[str, object] = {"plan": plan.id, "digest": plan.digest, "kind": plan.kind.value, "software": run.software_version}
    context.store.runs.start(run, ("run_started", told), _still_granted(context.store, plan) if plan.kind is Kind.REQUEST else None)
    return run


def _still_granted(store: Store, plan: Plan) -> SubjectRequest:
    """Return the request that a plan carries out, as it is while something of it is to be disposed of. Raises
    Refused: as `granted_no_more`."""
    request, decision = store.requests.get(plan.request), decision_of(store, plan.request)
    if decision is None or not decision.of(DISPOSING):
        raise granted_no_more(plan)
    return request


def granted_no_more(plan: Plan) -> Refused:
    """Return the refusal of a plan of which the request has come to something else since."""
    what = "of this request other things are carried out by now than the plan says"
    return Refused(what, hint=hint_to("run_requests"), where=plan.id, code=GRANTED_NO_MORE)
