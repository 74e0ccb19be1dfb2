"""Making a plan: by a process of its own, as from a page of the console (decision 0049), under an address
that says how far it is."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from crm_compliance.console.api.answers import AGAIN_S, INSTEAD, ROOT, MakingAnswer, wrong_of
from crm_compliance.console.api.caller import Caller, acting
from crm_compliance.console.api.idempotency import IdempotencyKey, ids_of
from crm_compliance.console.work.act_under_way import Work
from crm_compliance.console.work.acts import PLAN
from crm_compliance.console.work.process import Asked
from rules.errors import NotFound, Refused
from rules.model.roles import Act

router = APIRouter(tags=["plans"], responses=INSTEAD)
Plans = Annotated[Caller, acting(Act.PLAN)]
_HEADERS: Final = {
    "Location": {"description": "where it is said how far the plan is", "schema": {"type": "string"}},
    "Retry-After": {"description": "seconds until it is worth asking", "schema": {"type": "integer"}},
}
MADE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": MakingAnswer, "description": "an earlier call with this key has made the plan"},
    202: {"headers": _HEADERS},
}


class Wanted(BaseModel):
    """What plan to make."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["retention", "recordings", "all"] = "all"


@router.post("/plans", status_code=202, responses=MADE)
def make(caller: Plans, wanted: Wanted, response: Response, idempotency_key: IdempotencyKey = "") -> MakingAnswer:
    """Have every unit decided on and the plan stored; nothing is written to the CRM. One plan at a time is
    made for people."""
    services, person = caller.services, caller.person
    plan = ids_of(caller, idempotency_key, wanted)("plan")
    response.headers["Location"] = f"{ROOT}/plans/{plan}/making"
    if _is_stored(caller, plan):
        response.status_code = 200
        return _answer(plan)
    details = {"kind": wanted.kind, "plan": plan}
    asked = Asked(act=PLAN, subject=_subject(plan), who=person.who, role=person.role, now=services.clock(), details=details)
    try:
        work: Work | None = services.begin(asked, kind=wanted.kind, alone=True, patience_s=0)
    except Refused:
        work = services.background.of(asked.subject)
        if work is None or work.is_over:  # another plan is being made
            raise
    response.headers["Retry-After"] = AGAIN_S
    return _answer(plan, work)


@router.get("/plans/{plan}/making")
def how_far(caller: Plans, plan: Annotated[str, Path(max_length=100, description="the id of a plan that was asked for")]) -> MakingAnswer:
    """How far a plan is that somebody has had made by a call; how it ended is told for seven days, of one
    that was made as long as there is the plan."""
    work = caller.services.background.of(_subject(plan))
    if _is_stored(caller, plan):
        if work is not None and work.is_over:
            caller.services.background.forget(work)
        return _answer(plan)
    if work is None:
        raise NotFound("no such plan is being made", hint="have one made: POST /plans")
    return _answer(plan, work)


def _subject(plan: str) -> str:
    return f"plan {plan}"


def _is_stored(caller: Caller, plan: str) -> bool:
    try:
        caller.services.store.plans.get(plan)
    except NotFound:
        return False
    return True


def _answer(plan: str, work: Work | None = None) -> MakingAnswer:
    """Return how far it is; without an act it is there."""
    if work is None:
        return MakingAnswer(plan=plan, state="made", rows=0, requests=0)
    error = wrong_of(work.error) if work.error is not None else None
    state: Literal["going_on", "failed"] = "failed" if error is not None else "going_on"
    return MakingAnswer(plan=plan, state=state, rows=work.counts.rows, requests=work.counts.requests, error=error)
