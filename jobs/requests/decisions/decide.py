"""The DPO's decision on a request for another right than access: what is granted, item by item, or refused
with a text of its own.

What protects or stops a use takes effect at once: a restriction, the end of direct marketing, a withdrawn
consent (DDL-13). What destroys or changes data waits until a second person has released the answer
(`carry_out.py`). A neutral answer takes this step like every other, and nothing changes by it (SUS-04,
SUS-07). Source: section 6.2, 6.4, DDL-09, DDL-12, DDL-13; contract 3.6."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import msgspec

from jobs.holds.granted_erasure import erasure_of, giving_way
from jobs.holds.place import Wanted, place_hold
from jobs.model.answer import Compilation, Item, ItemStatus
from jobs.model.request import COMPILATION, DECISIONS, SubjectRequest
from jobs.ports.context import JobContext
from jobs.reading.row_kinds import table_of
from jobs.register.confirmed_people import confirmed_people, given_of
from jobs.register.decision import (
    AT_ONCE,
    DECLINED,
    NOT_GRANTED,
    PUT_ASIDE,
    Decision,
    Notice,
    Task,
    Telling,
    What,
    alone,
    change_decision,
    decision_of,
    encoded,
    has_unsubscribed,
    told_already,
)
from jobs.register.hold_texts import request_code
from jobs.register.overrides import looks_of
from jobs.register.request_steps import Actor, authorised, has_to_be_compiled_again, save_transition, wrong_state
from jobs.requests.context.terms import TOLD_HOLDS
from jobs.requests.decisions import correct
from jobs.requests.decisions.day_of_decision import mandate_lapsed, refuse_unless_entitled
from jobs.requests.decisions.files_since import files_of_tasks
from jobs.requests.decisions.notice_recipients import recipients_told, told_of
from jobs.requests.decisions.plan_erasure import held_items
from jobs.writing.send import TECHNICAL
from rules.dates.ages import has_reached
from rules.dates.periods import add_months
from rules.decoders import decoder_of
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.holds.placements import REVIEW_MONTHS, HoldType
from rules.model.requests import Outcome, Right, Step
from rules.model.roles import Act, roles_of
from rules.rights.authority import ADULT_AGE
from rules.rights.entitlement import MANDATE_LAPSED

NOT_ENTITLED: Final = "RF-07"  # whoever asks may not act for the child
_ALWAYS: Final = ("RF-01", NOT_ENTITLED, "RF-08")
# The texts that a refusal may be written with (6.4). RF-00 is what a neutral answer says: nobody chooses it.
# RF-03 withholds parts.
FITTING: Final[Mapping[Right, tuple[str, ...]]] = MappingProxyType(
    {
        Right.RECTIFICATION: ("RF-09", *_ALWAYS),
        Right.ERASURE: ("RF-02", *_ALWAYS),
        Right.RESTRICTION: ("RF-10", *_ALWAYS),
        Right.PORTABILITY: ("RF-04", *_ALWAYS),
        Right.OBJECTION: ("RF-05", *_ALWAYS),
        Right.CONSENT_WITHDRAWAL: ("RF-06", *_ALWAYS),
    }
)
# The four cases of art. 18(1), by the word of the request.
CASES: Final = MappingProxyType({"accuracy": "A", "unlawful": "B", "claim": "C", "objection": "D"})


class Decided(msgspec.Struct, frozen=True):
    """What a decision came to. `items` are those that are granted. `waiting` are granted items that something
    keeps for now, with the code; the DPO alone sees it."""

    request: SubjectRequest
    granted: tuple[str, ...] = ()
    refusal: str = ""
    done: tuple[str, ...] = ()
    waiting: dict[str, str] = {}
    notices: tuple[Notice, ...] = ()
    items: tuple[Item, ...] = ()


def grant(context: JobContext, actor: Actor, request_id: str, items: Sequence[str]) -> Decided:
    """Grant items of the answer; none named means all that it proposes but for what a review withheld. The
    others are not granted.

    Deciding again replaces the decision before; what took effect at once stays (a hold is released by two
    people, HLD-02).

    Raises:
        UsageError: the right of access, or an item that the answer does not have.
        Refused: another role or state, no answer yet, one that the DPO has to look at first or that would be
            another one today, or nothing that could be granted.
        ConnectorError: the CRM cannot be read, or the decision stands and its effects at once do not all:
            decide again."""
    request = _authorised(actor, request_id)
    compilation = _compiled(context, request)
    _check_items(compilation, items)
    if compilation.answer == "neutral":
        return Decided(save_transition(actor, request, {}, Step.DECIDE, {}))
    if compilation.answer == "dpo_review":
        hint = hint_to("decide_reviewed", request=request.id)
        raise Refused("this answer has to be looked at before anything is decided", hint=hint, where=request.id, code="dpo_review")
    if request.right is Right.PORTABILITY and not compilation.refusal:
        _check_all(compilation, items, request)
        return Decided(save_transition(actor, request, {"refusal": ""}, Step.DECIDE, {"decision": "granted"}))
    chosen = _chosen(request, compilation, items)
    try:
        found = refuse_unless_entitled(context, request, compilation)
    except Refused as problem:
        if problem.code == MANDATE_LAPSED:  # so that the request leads to its closing, and to no decision again
            save_transition(actor, request, {"outcome": Outcome.MANDATE_LAPSED}, Step.DECIDE, {"decision": "lapsed"})
        raise
    is_grown = not found.is_on_behalf and found.born_by is not None and has_reached(ADULT_AGE, found.born_by, found.day)
    decision = _granted(context, actor, request, compilation, chosen, is_grown=is_grown)
    declined = DECLINED.get(request.right, NOT_GRANTED)
    keeping = _keeping(context, request, decision)
    items_now = tuple(_marked(item, "" if item.item in chosen else declined) for item in compilation.items)
    answer = _waiting(msgspec.structs.replace(compilation, granted=chosen, refusal="", items=items_now), decision, keeping)
    told = {"decision": "granted" if len(chosen) == len(compilation.items) else "granted_partly"}
    request = save_transition(actor, request, {"refusal": ""}, Step.DECIDE, told, parts=_parts(decision, answer))
    decision = take_effect(context, request, decision)
    waiting = {task.item: TECHNICAL for task in decision.of(AT_ONCE)} | keeping
    granted = tuple(item for item in answer.items if item.item in chosen)
    return Decided(request, chosen, "", decision.done, waiting, decision.notices, granted)


def _granted(
    context: JobContext, actor: Actor, request: SubjectRequest, compilation: Compilation, chosen: tuple[str, ...], *, is_grown: bool
) -> Decision:
    """Return the decision that grants the `chosen` items: what is to be done for it, and who is to be told of
    it."""
    tasks = tuple(task for item in compilation.items if item.item in chosen for task in _tasks(item))
    people, is_on_behalf = confirmed_people(context.store, request.id), compilation.scope.startswith("on_behalf")
    contacts = people.child if is_on_behalf else people.requester
    notices = told_already(recipients_told(context, tasks, compilation, contacts), decision_of(context.store, request.id))
    known, corrected = told_of(context, contacts, tasks) if notices else ((), {})
    return Decision(
        right=request.right,
        who=actor.who,
        at=actor.now,
        contacts=tuple(sorted(contacts)),
        asking=tuple(sorted(people.contacts if is_on_behalf else contacts)),  # nobody asks for a child for whom they may not act
        granted=chosen,
        tasks=_with_profiles(request.right, tasks),
        notices=notices,
        known=known,
        corrected=corrected,
        unsubscribed=has_unsubscribed(context.store, request.id) or any(task.what is What.UNSUBSCRIBE for task in tasks),
        on_behalf=is_on_behalf,
        is_grown=is_grown,
        looks=looks_of(request),
        files=files_of_tasks(context, tasks, contacts),
    )


def _chosen(request: SubjectRequest, compilation: Compilation, items: Sequence[str]) -> tuple[str, ...]:
    """Return the items that are granted. Raises Refused: there is nothing that could be."""
    if request.right is Right.PORTABILITY and compilation.items:  # what the review said of the data is not known any more
        raise Refused("it was refused as a whole", hint=hint_to("compile", request=request.id), where=request.id, code="nothing_to_grant")
    if not compilation.items:
        hint = hint_to("refuse", request=request.id, ground=FITTING[request.right][0])
        if not compilation.is_complete:  # who was confirmed is not there any more: it was erased at another word
            hint = hint_to("match_again", request=request.id)
        raise Refused("the answer has nothing that could be granted", hint=hint, where=request.id, code="nothing_to_grant")
    chosen = tuple(items) or tuple(item.item for item in compilation.items if item.withholds != PUT_ASIDE)
    if not chosen:
        hint = hint_to("name_item_or_refuse", request=request.id, ground=FITTING[request.right][0])
        raise Refused("the review has withheld everything that could be granted", hint=hint, where=request.id, code="nothing_to_grant")
    return chosen


def refusals_of(request: SubjectRequest) -> tuple[str, ...]:
    """Return the texts that a request can be refused with; none for access. That somebody may not act for a
    child is told to nobody who asks for themselves."""
    return tuple(code for code in FITTING.get(request.right, ()) if code != NOT_ENTITLED or request.on_behalf)


def refuse(context: JobContext, actor: Actor, request_id: str, code: str) -> Decided:
    """Refuse the request with one of the texts that fit the right (6.4); within a month, whatever extension
    there was (DDL-09, R-105). Raises UsageError: the right of access, or a code that does not fit; Refused:
    another role or state, or no answer yet."""
    request = _authorised(actor, request_id, refuses=True)
    fitting = refusals_of(request)
    if code not in fitting:
        message = f"this is not a refusal of the right of {request.right.value}"
        if code in FITTING[request.right]:
            message = "this refusal is for somebody who asks for a child"
        raise UsageError(message, hint=f"one of: {', '.join(fitting)}", field="refuse")
    compilation = _compiled(context, request)
    if compilation.answer == "neutral":
        return Decided(save_transition(actor, request, {}, Step.DECIDE, {}))
    ended = has_unsubscribed(context.store, request.id)
    decision = Decision(right=request.right, who=actor.who, at=actor.now, refusal=code, unsubscribed=ended)
    items = tuple(_marked(item, code) for item in compilation.items)
    answer = msgspec.structs.replace(compilation, granted=(), held=(), delayed=(), refusal=code, items=items)
    told = {"decision": "refused", "refusal": code}
    request = save_transition(actor, request, {"refusal": code}, Step.DECIDE, told, parts=_parts(decision, answer))
    return Decided(request, refusal=code)


def is_decided(context: JobContext, request: SubjectRequest, compilation: Compilation) -> bool:
    """Return whether the decision that an answer needs for its content has been made. It is needed for rights
    other than access, where something is to be decided."""
    if request.right in (Right.ACCESS, Right.PORTABILITY) or compilation.answer != "package" or compilation.refusal:
        return True
    return bool(compilation.granted) and decision_of(context.store, request.id) is not None


def as_it_stands(context: JobContext, request: SubjectRequest, compilation: Compilation) -> Compilation:
    """Return the answer with what of its decision has to wait now. A hold may have been placed or lifted
    since the decision, and a letter states what is so on the day it is sent. Raises ConnectorError: the CRM
    cannot be read."""
    decision = decision_of(context.store, request.id) if compilation.granted else None
    if decision is None:
        return compilation
    undone = {task.item: TECHNICAL for task in decision.of(AT_ONCE)}  # the CRM did not take it at the decision
    return _waiting(compilation, decision, undone | _keeping(context, request, decision))


def take_effect(
    context: JobContext, request: SubjectRequest, decision: Decision, waiting: Collection[Task] = (), *, told: Telling = alone
) -> Decision:
    """Do what takes effect at once, in the name of the DPO who decided, and give the decision without it;
    nothing is done twice. What is `waiting` is left. `told` is as of `change_decision`."""
    now = [task for task in decision.of(AT_ONCE) if task not in waiting]
    if not now:
        return decision
    for task in now:
        if task.what is What.RESTRICT:
            _restrict(context, request, task, decision)
    left = correct.write(context, [task for task in now if task.what is not What.RESTRICT])
    kept = [task for task, _ in left]
    done, day = [task for task in now if task not in kept], context.today
    return change_decision(context.store, request.id, lambda stored: stored.without(done, day), told=told) or decision.without(done, day)


def _keeping(context: JobContext, request: SubjectRequest, decision: Decision) -> dict[str, str]:
    """Return what keeps granted items for now, by item, with its code."""
    keeping = held_items(context, request, decision)
    return keeping | correct.kept_back(giving_way(context, erasure_of(request, decision)), decision.tasks)


def _waiting(answer: Compilation, decision: Decision, keeping: Mapping[str, str]) -> Compilation:
    """Return the answer with what has to wait: erasures with a hold that is disclosed, corrections and what
    is done at once without any reason."""
    written = {task.item for task in decision.of({What.CORRECT, *AT_ONCE})}
    held = tuple(item for item, code in keeping.items() if code in TOLD_HOLDS and item not in written)
    return msgspec.structs.replace(answer, held=held, delayed=tuple(item for item in keeping if item in written))


def _restrict(context: JobContext, request: SubjectRequest, task: Task, decision: Decision) -> None:
    """Place the hold of a restriction, once, also where two place it at the same instant: its id follows from
    the request, the row and how many were lifted before. The data are only stored until two people lift it
    and the person was informed (HLD-09), or the same person requests the erasure (4.2, rank 5). A hold
    obtained on behalf of a child belongs to both, and to the child alone once it is of age."""
    case = CASES.get(given_of(context.store, request.id).details.about, "")
    article = f"GDPR art. 18(1){f'({case.lower()})' if case else ''}"
    codes = [request_code(each) for each in context.references("request", request.id)]
    known = {
        f"{article}, {name}" for name in (request.id, *codes)
    }  # by its id in earlier holds that the nightly maintenance has not restated
    placed = [
        hold
        for hold in context.store.holds.all()
        if (hold.kind, hold.row, hold.type) == (task.kind, task.id, HoldType.RESTRICTION) and hold.basis in known
    ]
    if any(hold.released_at is None for hold in placed):
        return
    ref = context.reference("restriction", f"{request.id} {task.kind} {task.id} {len(placed)}")
    is_person = task.kind == "contact"
    wanted = Wanted(
        type=HoldType.RESTRICTION,
        table="" if is_person else table_of(context.connector, task.kind, task.id),
        row="" if is_person else task.id,
        person=task.id if is_person else "",
        reason_code=f"ART18-1-{case}" if case else "ART18",
        basis=f"{article}, {codes[0]}",
        obtained_by=decision.asking,
        obtained_for=decision.contacts if decision.on_behalf else (),
        review_on=add_months(context.today, REVIEW_MONTHS),
    )
    one = replace(context, new_id=lambda prefix: f"{prefix}-{ref[:12]}")
    try:
        place_hold(one, wanted, decision.who, roles_of(Act.HANDLE_REQUEST)[0])  # the role in which it was decided
    except Refused as error:
        if error.code != "exists":
            raise


def _authorised(actor: Actor, request_id: str, *, refuses: bool = False) -> SubjectRequest:
    request = authorised(actor, request_id, Step.DECIDE)
    if request.right is Right.ACCESS:
        hint = hint_to("close_excessive", request=request.id) if refuses else hint_to("review", request=request.id)
        raise UsageError("access is not decided about: its answer is reviewed and approved", hint=hint)
    if request.outcome is Outcome.MANDATE_LAPSED:
        raise mandate_lapsed(request)
    if has_to_be_compiled_again(request):
        raise wrong_state(request, Step.DECIDE)
    return request


def _compiled(context: JobContext, request: SubjectRequest) -> Compilation:
    part = context.store.requests.part(request.id, COMPILATION)
    if part is None:
        hint = hint_to("compile_first", request=request.id)
        raise Refused("there is no answer yet to decide about", hint=hint, where=request.id, code="not_compiled")
    return decoder_of(Compilation).decode(part)


def _check_items(compilation: Compilation, items: Sequence[str]) -> None:
    known = {item.item for item in compilation.items}
    for number, item in enumerate(items, start=1):
        if item not in known or item in items[: number - 1]:
            what = "is named twice" if item in known else "is not in the answer"
            raise UsageError(f"item {number} of those named {what}", hint=hint_to("review", request=compilation.request), field="grant")


def _check_all(compilation: Compilation, items: Collection[str], request: SubjectRequest) -> None:
    """Check that what is to be handed over is granted as a whole. It is reviewed item by item."""
    if items and set(items) != {item.item for item in compilation.items}:
        hint = hint_to("review_portable", request=request.id)
        raise UsageError("portability is granted as a whole; single items are withheld by the review", hint=hint, field="grant")


def _tasks(item: Item) -> Iterable[Task]:
    """Yield the tasks that granting one item requires."""
    what = What(item.title)
    kind, row = item.source
    if what is What.RECORDED:
        return
    values = {field.name: str(field.value) for field in item.fields if what is What.CORRECT}
    text = next((str(field.value) for field in item.fields if field.name == "statement"), "") if what is What.ANNOTATE else ""
    yield Task(item.item, what, kind, row, values, str(uuid4()) if what is What.ANNOTATE else "", text)


def _with_profiles(right: Right, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Return the tasks, with the contact too where a consent is withdrawn. Nothing without another basis is
    kept: it is deleted as RET-20 allows (6.2)."""
    if right is not Right.CONSENT_WITHDRAWAL:
        return tasks
    ended = [task for task in tasks if task.what is What.UNSUBSCRIBE]
    return (*tasks, *(Task(task.item, What.PROFILE, task.kind, task.id) for task in ended))


def _marked(item: Item, code: str) -> Item:
    return msgspec.structs.replace(item, status=ItemStatus.WITHHELD if code else ItemStatus.APPROVED, code=code)


def _parts(decision: Decision, answer: Compilation) -> dict[str, bytes | None]:
    return {DECISIONS: encoded(decision), COMPILATION: msgspec.json.encode(answer)}
