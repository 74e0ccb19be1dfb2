"""Plans: list, show, compare, approve and reject; and why one unit is kept or goes."""

import threading
from contextlib import nullcontext
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from crm_compliance.console.api.answers import INSTEAD, MOST, ChangesAnswer, LineAnswer, LinesAnswer, PlanAnswer, WhyAnswer
from crm_compliance.console.api.caller import Caller, acting
from crm_compliance.console.api.idempotency import IdempotencyKey
from crm_compliance.reports.plan.changes import difference_document
from crm_compliance.reports.why import hidden_from, without
from crm_compliance.wiring.mapping import rules_in_force
from crm_compliance.wiring.say_on_plan import say_on_plan
from jobs.inbox.of_no_use import why_of_no_use
from jobs.plans.approve import has_said
from jobs.plans.lines.compare import compare
from jobs.plans.lines.query import MOST_LINES, LineQuery
from jobs.plans.questions.explain import explain_unit
from rules.errors import UsageError
from rules.model.roles import Act

router = APIRouter(tags=["plans"], responses=INSTEAD)
Sees = Annotated[Caller, acting(Act.SEE_REPORTS)]
PlanId = Annotated[str, Path(max_length=100, description="the id of a plan")]
MOST_CHANGES = 1_000
_KEYED = threading.Lock()


class PlanComment(BaseModel):
    """What somebody says of a plan."""

    model_config = ConfigDict(extra="forbid")
    comment: str = Field("", max_length=500, description="no personal data; needed to reject")


@router.get("/plans")
def list_plans(caller: Sees, limit: Annotated[int, Query(ge=1, le=MOST)] = 50) -> list[PlanAnswer]:
    """The newest plans."""
    found = islice(caller.services.listed.plans.newest(), limit)
    return [_answer(caller, plan) for plan in found]


@router.get("/plans/{plan}")
def show(caller: Sees, plan: PlanId) -> PlanAnswer:
    """One stored plan."""
    return _answer(caller, caller.services.store.plans.get(plan))


@router.get("/plans/{plan}/lines")
def lines(
    caller: Sees,
    plan: PlanId,
    outcome: Literal["dispose", "retain"] | None = None,
    disposition: Annotated[Literal["", "delete", "anonymise"] | None, Query(description="empty: of what is kept")] = None,
    reason: Annotated[str | None, Query(max_length=100)] = None,
    category: Annotated[str | None, Query(max_length=100)] = None,
    flag: Annotated[str | None, Query(max_length=100)] = None,
    table: Annotated[str | None, Query(max_length=100)] = None,
    id: Annotated[str, Query(max_length=40, description="a part of an id")] = "",
    sort: Annotated[str, Query(max_length=40, description="a column of the plan file; empty: the order of the plan")] = "",
    descending: bool = False,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 50,
) -> LinesAnswer:
    """One page of the lines of a plan: a decision for each unit, with its reason."""
    query = LineQuery(
        outcome=outcome,
        disposition=disposition,
        reason=reason,
        category=category,
        flag=flag,
        table=table,
        id=id,
        sort=sort,
        descending=descending,
        offset=offset,
        limit=limit,
    )
    page = caller.services.lines.of(plan).page(query)
    shown = [LineAnswer.model_validate(msgspec.to_builtins(line)) for line in page.lines]
    return LinesAnswer(total=page.total, next=page.next_offset(query), lines=shown, facets=msgspec.to_builtins(page.facets))


@router.get("/plans/{before}/changes/{after}")
def changes(
    caller: Sees, before: PlanId, after: PlanId, limit: Annotated[int, Query(ge=0, le=MOST_CHANGES)] = MOST_CHANGES
) -> ChangesAnswer:
    """What a newer plan says differently, unit by unit and in words; no more changes than `limit`."""
    old, new = caller.services.lines.of(before), caller.services.lines.of(after)
    document: dict[str, Any] = difference_document(compare(old, new))
    document["lines"] = document["lines"][:limit]
    return ChangesAnswer.model_validate(document)


@router.post("/plans/{plan}/approve")
def approve(
    caller: Annotated[Caller, acting(Act.APPROVE_PLAN)], plan: PlanId, said: PlanComment, idempotency_key: IdempotencyKey = ""
) -> PlanAnswer:
    """Approve a plan that waits for two people."""
    return _said(caller, plan, said, idempotency_key, approves=True)


@router.post("/plans/{plan}/reject")
def reject(
    caller: Annotated[Caller, acting(Act.APPROVE_PLAN)], plan: PlanId, said: PlanComment, idempotency_key: IdempotencyKey = ""
) -> PlanAnswer:
    """Reject a plan for good; the comment says why."""
    if not said.comment.strip():
        raise UsageError("why a plan is rejected must be said", hint="a comment without personal data", where="comment")
    return _said(caller, plan, said, idempotency_key, approves=False)


@router.get("/units/{table}/{id}/why")
def why(
    caller: Annotated[Caller, acting(Act.PLAN)],
    table: Annotated[str, Path(max_length=100)],
    id: Annotated[str, Path(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")],
) -> WhyAnswer:
    """What would become of one unit now, step by step; reads the CRM. Days of birth are left out, and holds
    for whoever may not see them."""
    with caller.services.question() as context:
        line, steps = explain_unit(context, table, id.lower())
    hidden = hidden_from(sees_holds=caller.may(Act.SEE_HOLDS))
    trace = [{"rule": step.rule, "inputs": without(step.inputs, hidden), "result": without(step.result, hidden)} for step in steps]
    return WhyAnswer.model_validate(msgspec.to_builtins(line) | {"trace": trace})


def _said(caller: Caller, plan: str, said: PlanComment, key: str, *, approves: bool) -> PlanAnswer:
    """Approve or reject a plan. With a key, what this person has said already is not recorded again: each
    person has one say on a plan, so that nothing need be kept to know it. The same call that is sent again
    before the first is answered waits for it."""
    services, person = caller.services, caller.person
    with _KEYED if key else nullcontext():
        if key:
            before = services.store.plans.get(plan)
            if has_said(before, person.who, person.role, said.comment, approves=approves, now=services.clock()):
                return _answer(caller, before)
        store, clock = services.store, services.clock
        after = say_on_plan(services.settings, store, clock, plan, person.who, person.role, said.comment, approves=approves)
    return _answer(caller, after)


def _answer(caller: Caller, plan: Any) -> PlanAnswer:
    from crm_compliance.reports.documents import plan_document

    services, now = caller.services, caller.services.clock()
    of_no_use = why_of_no_use(services.store, plan, now, rules_in_force(services.settings))
    return PlanAnswer.model_validate(plan_document(plan, now, state=True, of_no_use=of_no_use))
