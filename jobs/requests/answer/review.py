"""A person's decisions on the items of an answer, one line each, all or nothing; there is no "all at once".

`APPROVED` releases an item as it is proposed: that shows less than the CRM has, never more.
`APPROVED_REDACTED` releases the text that the person wrote instead; `WITHHELD` leaves the item out, with a
code. On the console `PENDING_REVIEW` takes a decision back, and may keep a text that the person is still at
work on: it releases nothing, and is checked once it is to be released; a file of decisions does not have it.
Of a right other than access an item is a proposal that the DPO grants or not
(`requests/decisions/decide.py`): looking at it says no more than that somebody did, and one that is withheld
is not granted unless it is named.

Source: EXP-07, EXP-09, EXP-14, RGT-09; contract 3.6."""

from functools import partial
from typing import Any

import msgspec

from jobs.model.answer import Compilation, Item, ItemStatus
from jobs.model.request import COMPILATION, SubjectRequest
from jobs.ports.context import JobContext
from jobs.register.decision import PUT_ASIDE, is_settled
from jobs.register.request_steps import Actor, authorised, check_role, of_this_crm, save_transition
from jobs.requests.answer.compile import compiled, drafted
from jobs.requests.answer.completeness import rows_counted
from jobs.requests.answer.decisions_file import Decision, read_decisions, wrong_line
from rules.hints import hint_to
from rules.model.requests import COPIES, Step
from rules.model.roles import Act


def items_of(actor: Actor, request_id: str) -> tuple[Item, ...]:
    """Return the current items of the answer, for the two people who approve. Raises Refused: with code
    `role` or `not_compiled`."""
    check_role(actor, Step.REVIEW, Act.SEE_ANSWER)
    return compiled(actor.store, of_this_crm(actor, request_id, Step.REVIEW)).items


def for_looking(actor: Actor, request_id: str) -> tuple[SubjectRequest, Compilation]:
    """Return a request and its whole answer, for the two people who approve. Raises UsageError: an unknown
    request; Refused: with code `role`, `other_crm` or `not_compiled`."""
    check_role(actor, Step.REVIEW, Act.SEE_ANSWER)
    request = of_this_crm(actor, request_id, Step.REVIEW)
    return request, compiled(actor.store, request)


def for_page(actor: Actor, request_id: str) -> tuple[SubjectRequest, Compilation]:
    """Return a request and its whole answer, for the page on which it is reviewed. Raises Refused: with code
    `role` or `not_compiled`."""
    check_role(actor, Step.REVIEW)
    request = actor.store.requests.get(request_id)
    return request, compiled(actor.store, request)


def decide_items(actor: Actor, request_id: str, text: str, *, takes_back: bool = False) -> tuple[Item, ...]:
    """Take a file of decisions, whole or not at all, and give the items as they then stand; `takes_back`: a
    decision may also be taken back.

    Raises:
        UsageError: a line that is wrong, by its number; what it says is not repeated.
        Refused: with code `role`, `state` or `not_compiled`."""
    request = authorised(actor, request_id, Step.REVIEW)
    compilation = compiled(actor.store, request)
    decisions = read_decisions(text, compilation, takes_back=takes_back)
    decide = _decided if request.right in COPIES else partial(_looked_at, compilation)
    items = tuple(decide(item, decisions.get(item.item)) for item in compilation.items)
    parts = {COMPILATION: msgspec.json.encode(msgspec.structs.replace(compilation, items=items))}
    save_transition(actor, request, {}, Step.REVIEW, {"decisions": len(decisions)}, parts=parts)
    return items


def completeness(context: JobContext, actor: Actor, request_id: str) -> dict[str, Any]:
    """Count again in which of three places every row is (completeness.py), for the two people who approve. It
    is stored nowhere (EXP-14). Raises Refused: with code `role`, or `not_confirmed`."""
    check_role(actor, Step.REVIEW, Act.SEE_ANSWER)
    draft = drafted(context, of_this_crm(actor, request_id, Step.REVIEW), with_files=False)
    return {"request": request_id} | rows_counted(draft.compilation, draft.found, draft.scope, draft.files_of_others)


def _decided(item: Item, decision: Decision | None) -> Item:
    if decision is None:
        return item
    return msgspec.structs.replace(item, status=decision.status, code=decision.code, text=decision.text)


def _looked_at(compilation: Compilation, item: Item, decision: Decision | None) -> Item:
    """Return a proposal that somebody has looked at. Once it is decided, the decision remains and looking
    changes nothing. Raises UsageError: it was granted already and shall be withheld."""
    if decision is None:
        return item
    is_withheld = decision.status is ItemStatus.WITHHELD
    if is_withheld and item.item in compilation.granted:
        hint = hint_to("decide_again", request=compilation.request)
        raise wrong_line(decision.line, "withholds an item that is granted", hint)
    if is_settled(compilation):
        return item
    is_open = decision.status is ItemStatus.PENDING_REVIEW
    status = decision.status if is_withheld or is_open else ItemStatus.APPROVED
    return msgspec.structs.replace(item, status=status, code=decision.code, withholds=PUT_ASIDE if is_withheld else "")
