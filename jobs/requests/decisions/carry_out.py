"""Carries out what was granted, once a second person has released the answer: corrections and notes, then the
plan of what is deleted.

The letter states that it is done or under way (DDL-12). What is kept for now, by a hold, by the person's own
access request that is answered first, or by a CRM that cannot be reached, is done by a later maintenance of
`run requests`. Source: HLD-12, DDL-12, R-078, R-079, R-102 to R-104."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, cast

import msgspec

from connectors.interface.rows import Among
from jobs.checks.same_crm import is_of_other_crm
from jobs.holds.granted_erasure import erasure_of, giving_way
from jobs.holds.look_up import look_up_unseen
from jobs.model.plan import GRANTED_NO_MORE, Kind, Plan, PlanState
from jobs.model.request import DECISIONS, GIVEN, SubjectRequest
from jobs.model.run import Run
from jobs.plans.lines.pages import is_disposal, lines_of
from jobs.ports.context import JobContext
from jobs.reading.few_rows import CONTACT_FIELDS, rows_of
from jobs.reading.out_of_reach import IN_BIN, LONG_TERM
from jobs.register.confirmed_people import confirmed_people, given_of
from jobs.register.decision import (
    AT_ONCE,
    DISPOSING,
    Decision,
    Task,
    Told,
    What,
    change_decision,
    decision_of,
)
from jobs.requests.decisions import correct
from jobs.requests.decisions.correct import WRITING
from jobs.requests.decisions.decide import take_effect
from jobs.requests.decisions.lost_writes import repeat_lost
from jobs.requests.decisions.plan_erasure import kept_rows, left_of_decision, plan_erasure, tasks_of_recordings
from jobs.requests.decisions.suspicions import CLOSED_TO_SUSPECTS, KeptItems, is_looked_at, kept_items, linked_to_others, merged_into
from jobs.requests.search.assess import stated_birth
from jobs.runs.apply import apply_plan, granted_no_more
from jobs.writing.send import TECHNICAL
from rules.dates.ages import has_reached
from rules.errors import ComplianceError, Refused
from rules.holds.precedence import HOLD_REASONS
from rules.model.records import Contact
from rules.model.requests import ANSWERED, Outcome, RequestState
from rules.model.roles import SERVICE
from rules.people.birthdates import born_by, sentinels_of
from rules.rights.authority import ADULT_AGE

# What a released request waits for and a night tells of: where the rows lie. Of holds the decision tells.
_TOLD: Final = frozenset({LONG_TERM, IN_BIN, TECHNICAL})
_NOTED: Final = _TOLD | HOLD_REASONS  # for who handles the request, and nobody else


def fulfil(context: JobContext, request_id: str) -> tuple[Run | None, str]:
    """Carry out what remains of one released request. Return the run of what was deleted, if any, and where
    something waits, a code of what it waits for. Repeating it does what remains.

    Raises:
        Refused: the kill switch is set, another run is under way, or the circuit breaker needs two
            people first; `where` is the plan. With code `MANDATE_LAPSED`: it was granted in the name of a
            child that is of age by now, and what remained is not carried out any more.
        ConnectorError: the CRM cannot be read or reached; the next request maintenance continues from
            there."""
    request = context.store.requests.get(request_id)
    decision = decision_of(context.store, request_id)
    if decision is None or not decision.tasks or request.state not in ANSWERED or is_of_other_crm(context.store, request.crm):
        return None, ""
    if not _has_begun(context, request):
        _refuse_lapsed(context, request, decision)
    decision, found = _noted(context, request, decision)
    kept = found.items
    decision = decision_of(context.store, request_id) or decision  # the CRM took its time, and somebody may have ended what waits
    decision = take_effect(
        context, request, decision, _looked_at_first(decision, found), told=_once_fulfilled
    )  # where the CRM was out of reach when it was decided
    code, held = "", ""
    if writes := [task for task in decision.of(WRITING) if task.item not in kept]:
        _end_earlier_corrections(context, request, writes)
        left = correct.write(
            giving_way(context, erasure_of(request, decision)), writes, decision.contacts, _confirmed_rows(context, request, decision)
        )
        waiting = [task for task, _ in left]
        code = next((each for _, each in left if each in _TOLD), "")
        held = next((each for _, each in left if each in _NOTED), "")
        decision = _done(context, request, decision, [task for task in writes if task not in waiting])
    run = None
    if decision.of(DISPOSING):
        decision = _with(context, request, decision, tasks_of_recordings(context, decision))
        plan = _pending(context, request, decision) or plan_erasure(context, request, decision)
        if plan is not None:
            run = apply_plan(context, plan.id)
            code = next((each for each in cast("Mapping[str, int]", run.counts["skipped"]) if each in _TOLD), code)
        decision, kept_by = _without_gone(context, request, decision)
        code = next((each for each in kept_by if each in _TOLD), code)
        held = next((each for each in kept_by if each in _NOTED), held)
    waits_for = code or held
    change_decision(context.store, request_id, lambda now: msgspec.structs.replace(now, waits_for=waits_for if now.tasks else ""))
    return run, code if decision.tasks else ""


def apply_by_hand(context: JobContext, plan_id: str) -> Run:
    """Carry out one plan at somebody's word and return its run, as `apply_plan` does. Of a request it is
    asked again, as by the night, whether what is in its plan is still granted; a run that has begun goes on.
    With a replay the uses end again that requests had ended.

    Raises:
        Refused: also with code `MANDATE_LAPSED` (`fulfil`), or `granted_no_more`: of the request other things
            are carried out by now than this plan says."""
    plan = context.store.plans.get(plan_id)
    if plan.kind in (Kind.REQUEST, Kind.REPLAY) and plan.crm == context.crm and context.store.runs.of_plan(plan.id) is None:
        plan.refuse_unless_ready(context.clock())
        if plan.kind is Kind.REQUEST:
            _refuse_unless_granted(context, plan)
        else:
            repeat_lost(context)
    return apply_plan(context, plan_id)


def _refuse_unless_granted(context: JobContext, plan: Plan) -> None:
    request, decision = context.store.requests.get(plan.request), decision_of(context.store, plan.request)
    if decision is not None:
        _refuse_lapsed(context, request, decision)
    if decision is None or request.state not in ANSWERED or not _is_granted(context, request, decision, plan):
        raise granted_no_more(plan)


def fulfil_later(context: JobContext, request_id: str) -> str:
    """Carry out a request at its release, and return the code of what has to wait for `run requests`. The
    release has happened whether or not this succeeds."""
    try:
        return fulfil(context, request_id)[1]
    except ComplianceError as error:
        return error.code if error.code != GRANTED_NO_MORE else ""  # somebody has ended it meanwhile: nothing waits


def fulfil_all(context: JobContext) -> dict[str, str]:
    """Continue every released request of which something remains, an interrupted run first, and do before the
    release what takes effect at once and could not when it was decided. Return, by request, the code of what
    still prevents completion."""
    waiting: dict[str, str] = {}
    decided = context.store.requests.with_part(DECISIONS)
    for request in reversed(context.store.requests.all()):
        if request.id not in decided:
            continue
        code = fulfil_later(context, request.id) if request.state in ANSWERED else _effect_later(context, request)
        if code:
            waiting[request.id] = code
    return waiting


def _effect_later(context: JobContext, request: SubjectRequest) -> str:
    """Do what takes effect at once by the decision that stands (DDL-13), looked at again as at a release, and
    return the code of what prevents it. What was granted in the name of a child that is of age by now is left
    to the release, which ends it (RGT-07)."""
    decision = decision_of(context.store, request.id)
    if decision is None or not decision.of(AT_ONCE) or is_of_other_crm(context.store, request.crm):
        return ""
    try:
        if not (decision.on_behalf and _is_of_age(context, request, decision)):
            found = kept_items(context, decision)
            decision = decision_of(context.store, request.id)  # as in `fulfil`
            if decision is not None:
                take_effect(context, request, decision, _looked_at_first(decision, found))
    except ComplianceError as error:
        return error.code
    return ""


def _looked_at_first(decision: Decision, found: KeptItems) -> list[Task]:
    """Return what waits. What a look may still allow does, but for a restriction, which keeps the rows
    meanwhile."""
    return [task for task in decision.tasks if task.item in (found.closed if task.what is What.RESTRICT else found.items)]


def _noted(context: JobContext, request: SubjectRequest, decision: Decision) -> tuple[Decision, KeptItems]:
    """Return the items that stay for a suspicion or until somebody has looked, and the decision, which says
    since when the DPO is waited for, and which roles and files there were, whosever: of a suspicion that
    lasts nothing else is noted (SUS-07)."""
    merged = merged_into(context, decision)
    if not decision.of(CLOSED_TO_SUSPECTS) and not decision.on_behalf and not merged:
        return decision, KeptItems()
    before = decision
    if is_looked_at(decision):
        others = linked_to_others(context, decision)  # two people have seen whose they are: nothing of it is done
        decision = _done(context, request, decision, [task for task in decision.tasks if task.id in others])
        decision = msgspec.structs.replace(
            decision, asking=tuple(sorted({*decision.asking, *merged}))
        )  # the same person, as they have seen
    kept = kept_items(context, decision)
    since = (decision.looked_for_at or context.clock()) if kept.to_look_at else None
    noted = {"looked_for_at": since, "roles": kept.roles, "files": kept.files, "asking": decision.asking}
    if any(getattr(before, name) != value for name, value in noted.items()):

        def change(now: Decision) -> Decision:
            return msgspec.structs.replace(now, **noted)

        decision = change_decision(context.store, request.id, change) or change(decision)
    return decision, kept


def _confirmed_rows(context: JobContext, request: SubjectRequest, decision: Decision) -> Collection[tuple[str, str]]:
    """Return the rows without a contact that are confirmed to be the person's; a closed request knows them no
    more."""
    try:
        people = confirmed_people(context.store, request.id)
    except Refused:
        return ()
    return people.child_rows if decision.on_behalf else people.requester_rows


def _has_begun(context: JobContext, request: SubjectRequest) -> bool:
    """Return whether a run of this request was cut off, which nothing but going on makes whole."""
    return any(run is not None and not run.is_over for _, run in _plans_of(context, request))


def _refuse_lapsed(context: JobContext, request: SubjectRequest, decision: Decision) -> None:
    if decision.on_behalf and decision.tasks and _is_of_age(context, request, decision):
        raise _lapsed(context, request, decision)


def _is_of_age(context: JobContext, request: SubjectRequest, decision: Decision) -> bool:
    """Return whether the person in whose name it was decided is an adult for certain by now, or where the
    CRM has no day of birth, by what was stated at the receipt, while that is kept (RGT-07, DAT-06)."""
    people = rows_of(context.connector, Contact, CONTACT_FIELDS, Among("id", sorted(decision.contacts)))
    latest = born_by(people, sentinels_of(context.policy), context.today)
    if latest is None and context.store.requests.has_part(request.id, GIVEN):
        latest = stated_birth(context, given_of(context.store, request.id), on_behalf=True)
    return latest is not None and has_reached(ADULT_AGE, latest, context.today)


def _lapsed(context: JobContext, request: SubjectRequest, decision: Decision) -> Refused:
    """End what had been granted and waited, and return why. The mandate has ended, and what is destroyed
    cannot be had back: the adult asks for it, or not (RGT-07). Where nothing had been done, that is how the
    request ends."""

    def told(row: SubjectRequest, after: Decision) -> Told:
        is_open = row.state is RequestState.RELEASED and not (after.done or decision.has_done_something)
        ended = msgspec.structs.replace(row, outcome=Outcome.MANDATE_LAPSED if is_open else row.outcome)
        return ended, [("request", {"request": row.id, "step": "lapse", "role": SERVICE})]

    change_decision(context.store, request.id, lambda now: now.lapsed(context.today), told=told)
    message = "the child is of age now: what was granted in its name, and had not been done, is not done any more"
    return Refused(message, hint="who was the child may ask for it (RGT-07)", where=request.id, code=Outcome.MANDATE_LAPSED.value)


def _pending(context: JobContext, request: SubjectRequest, decision: Decision) -> Plan | None:
    """Return a plan of this request made and not completed, to continue before another one is made."""
    now = context.clock()
    for plan, run in _plans_of(context, request):
        if run is not None and not run.is_over:
            return plan
        is_there = run is None and plan.state(now) in (PlanState.READY, PlanState.WAITING) and _is_current(context, plan)
        if is_there and _is_granted(context, request, decision, plan):
            return plan
    return None


def _plans_of(context: JobContext, request: SubjectRequest) -> Iterator[tuple[Plan, Run | None]]:
    """Yield the plans of a request, newest first, each with its run."""
    for plan in context.store.plans.newest([Kind.REQUEST]):
        if plan.request == request.id and plan.crm == context.crm:
            yield plan, context.store.runs.of_plan(plan.id)


def _is_granted(context: JobContext, request: SubjectRequest, decision: Decision, plan: Plan) -> bool:
    """Return whether something of the decision is still to be disposed of, and nothing in the plan is of a
    file that is closed by now to who asked, or has to be looked at first."""
    if not decision.of(DISPOSING):
        return False
    kept = kept_rows(context, request, decision)
    going = chain(plan.trims, (line.id for line in lines_of(context.store.plans.pages(plan.id), is_disposal)))
    return not kept or kept.isdisjoint(going)


def _is_current(context: JobContext, plan: Plan) -> bool:
    is_by_these_rules = (plan.policy_digest, plan.mapping_digest) == (context.policy.digest, context.mapping_digest)
    return is_by_these_rules and not look_up_unseen(context, plan)


def _end_earlier_corrections(context: JobContext, request: SubjectRequest, writes: Iterable[Task]) -> None:
    """End what earlier requests still wait to write in the fields that this one corrects: the later word of
    the person counts."""
    corrected = {(task.id, name) for task in writes if task.what is What.CORRECT for name in task.values}
    if not corrected:
        return
    day = context.today

    def change(now: Decision) -> Decision:
        return now.lapsed(
            day, [task for task in now.of({What.CORRECT}) if not corrected.isdisjoint((task.id, name) for name in task.values)]
        )

    decided, before = context.store.requests.with_part(DECISIONS), context.store.requests.all()
    for earlier in before[[each.id for each in before].index(request.id) + 1 :]:
        if earlier.id in decided and earlier.state in ANSWERED and not is_of_other_crm(context.store, earlier.crm):
            change_decision(context.store, earlier.id, change, told=_once_fulfilled)


def _without_gone(context: JobContext, request: SubjectRequest, decision: Decision) -> tuple[Decision, list[str]]:
    """Return the decision without tasks of which nothing exists any more, with the codes of what the rest
    waits for. A person still needed for something else counts as done as well (RET-20); what is closed to who
    asked waits (SUS-10), or to be looked at (SUS-08)."""
    left, lines = left_of_decision(context, request, decision)
    kept = kept_items(context, decision).items
    gone = [task for task in decision.of(DISPOSING) if task.item not in kept and task not in left]
    return _done(context, request, decision, gone), [line.reason for line in lines if not line.is_disposal]


def _done(context: JobContext, request: SubjectRequest, decision: Decision, tasks: Collection[Task]) -> Decision:
    """Return the decision once these tasks are done; others may have taken steps meanwhile."""
    day, told = context.today, _once_fulfilled
    return change_decision(context.store, request.id, lambda now: now.without(tasks, day), told=told) or decision.without(tasks, day)


def _once_fulfilled(row: SubjectRequest, after: Decision) -> Told:
    """Tell the ledger once nothing that was granted is left to do."""
    return row, () if after.tasks else [("request_fulfilled", {"request": row.id})]


def _with(context: JobContext, request: SubjectRequest, decision: Decision, tasks: tuple[Task, ...]) -> Decision:
    """Return the decision with more tasks."""

    def change(now: Decision) -> Decision:
        return msgspec.structs.replace(now, tasks=(*now.tasks, *(task for task in tasks if task not in now.tasks)))

    return change_decision(context.store, request.id, change) or decision
