"""Carries out what was granted, once a second person has released the answer: corrections and notes, then the
plan of what is deleted.

The letter states that it is done or under way (DDL-12). What is kept for now, by a hold, by the person's own
access request that is answered first, or by a CRM that cannot be reached, is done by a later maintenance of
`run requests`. Source: HLD-12, DDL-12, R-078, R-079, R-102 to R-104."""

from collections.abc import Collection

import msgspec

from jobs.checks.same_crm import is_of_other_crm
from jobs.holds.granted_erasure import erasure_of, giving_way
from jobs.holds.look_up import look_up_unseen
from jobs.model.plan import Kind, Plan, PlanState
from jobs.model.request import SubjectRequest
from jobs.model.run import Run
from jobs.ports.context import JobContext
from jobs.register.decision import AT_ONCE, DISPOSING, Decision, Task, change_decision, decision_of
from jobs.requests.decisions import correct
from jobs.requests.decisions.correct import WRITING
from jobs.requests.decisions.decide import take_effect
from jobs.requests.decisions.plan_erasure import lines_of_decision, plan_erasure, tasks_of_recordings
from jobs.runs.apply import apply_plan
from rules.errors import ComplianceError
from rules.model.requests import RequestState

FULFILLED = (RequestState.RELEASED, RequestState.CLOSED)


def fulfil(context: JobContext, request_id: str) -> Run | None:
    """Carry out what remains of one released request, and return the run of what was deleted, if any.
    Repeating it does what remains.

    Raises:
        Refused: the kill switch is set, another run is under way, or the circuit breaker needs two
            people first; `where` is the plan.
        ConnectorError: the CRM cannot be read or reached; the next request maintenance continues from
            there."""
    request = context.store.requests.get(request_id)
    decision = decision_of(context.store, request_id)
    if decision is None or not decision.tasks or request.state not in FULFILLED or is_of_other_crm(context.store, request.crm):
        return None
    if decision.of(AT_ONCE):  # the CRM was out of reach when it was decided
        decision = take_effect(context, request, decision)
    if writes := decision.of(WRITING):
        left = correct.write(giving_way(context, erasure_of(request, decision)), writes)
        decision = _done(context, request, decision, [task for task in writes if task not in left])
    run = None
    if decision.of(DISPOSING):
        decision = _with(context, request, decision, tasks_of_recordings(context, decision))
        plan = _pending(context, request) or plan_erasure(context, request, decision)
        if plan is not None:
            run = apply_plan(context, plan.id)
        decision = _without_gone(context, request, decision)
    if not decision.tasks:
        context.store.ledger.append([("request_fulfilled", {"request": request.id})])
    return run


def fulfil_later(context: JobContext, request_id: str) -> str:
    """Carry out a request at its release, and return the code of what has to wait for `run requests`. The
    release has happened whether or not this succeeds."""
    try:
        fulfil(context, request_id)
    except ComplianceError as error:
        return error.code
    return ""


def fulfil_all(context: JobContext) -> dict[str, str]:
    """Continue every released request of which something remains, an interrupted run first. Return, by
    request, the code of what still prevents completion."""
    waiting: dict[str, str] = {}
    for request in reversed(context.store.requests.all()):
        if request.state in FULFILLED and (code := fulfil_later(context, request.id)):
            waiting[request.id] = code
    return waiting


def _pending(context: JobContext, request: SubjectRequest) -> Plan | None:
    """Return a plan of this request made and not completed, to continue before another one is made."""
    now = context.clock()
    for plan in context.store.plans.newest([Kind.REQUEST]):
        if plan.request == request.id and plan.crm == context.crm:
            run = context.store.runs.of_plan(plan.id)
            if run is not None and not run.is_over:
                return plan
            if run is None and plan.state(now) in (PlanState.READY, PlanState.WAITING) and _is_current(context, plan):
                return plan
    return None


def _is_current(context: JobContext, plan: Plan) -> bool:
    is_by_these_rules = (plan.policy_digest, plan.mapping_digest) == (context.policy.digest, context.mapping_digest)
    return is_by_these_rules and not look_up_unseen(context, plan)


def _without_gone(context: JobContext, request: SubjectRequest, decision: Decision) -> Decision:
    """Return the decision without rows that no longer exist. A person still needed for something else counts
    as done as well (RET-20)."""
    trims, lines = lines_of_decision(context, request, decision)
    open_rows = {line.id for line in lines} | set(trims)
    if not open_rows:
        return _done(context, request, decision, decision.of(DISPOSING))
    return decision


def _done(context: JobContext, request: SubjectRequest, decision: Decision, tasks: Collection[Task]) -> Decision:
    """Return the decision once these tasks are done; others may have taken steps meanwhile."""
    day = context.today
    return change_decision(context.store, request.id, lambda now: now.without(tasks, day)) or decision.without(tasks, day)


def _with(context: JobContext, request: SubjectRequest, decision: Decision, tasks: tuple[Task, ...]) -> Decision:
    """Return the decision with more tasks."""

    def change(now: Decision) -> Decision:
        return msgspec.structs.replace(now, tasks=(*now.tasks, *(task for task in tasks if task not in now.tasks)))

    return change_decision(context.store, request.id, change) or decision
