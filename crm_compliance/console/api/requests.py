"""Subject requests: the register, taking one in, and the steps that need no look at anybody's data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from crm_compliance.console.api.answers import INSTEAD, MOST, RequestAnswer
from crm_compliance.console.api.caller import Caller, acting
from crm_compliance.console.api.idempotency import MADE_BEFORE, IdempotencyKey, ids_of, made_before
from crm_compliance.reports.requests.register import by_urgency, request_document
from crm_compliance.wiring.keys import register_key
from jobs.checks.same_zone import refuse_other_zone
from jobs.register import transitions
from jobs.register.answer_blocks import blocks_of
from jobs.register.decision import waits_for
from jobs.register.intake import IntakeForm, open_request, read_form
from jobs.register.request_steps import Actor
from jobs.requests.decisions.notices import counts_of
from jobs.requests.search.preserve import preserve
from rules.errors import ComplianceError, Refused, UsageError
from rules.holds.of_requests import REASON_OF_RIGHT
from rules.model.requests import IdentityMethod, Mandate
from rules.model.roles import Act

if TYPE_CHECKING:
    from jobs.model.request import SubjectRequest

router = APIRouter(tags=["requests"], responses=INSTEAD)
Sees = Annotated[Caller, acting(Act.SEE_REQUESTS)]
Handles = Annotated[Caller, acting(Act.HANDLE_REQUEST)]
RequestId = Annotated[str, Path(max_length=100, description="the id of a request")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Identified(Body):
    """How the person was identified, and for whom they may act."""

    method: IdentityMethod
    mandate: Mandate | None = None
    child_agrees: bool = False


class Asked(Body):
    """A question to the person."""

    reason: Literal["identity", "scope"]
    asked_on: date


class Answered(Body):
    """The person's answer to a question."""

    answered_on: date
    reason: Literal["", "identity", "scope"] = ""


class Extended(Body):
    """Two more months, of which the person was told."""

    reason: Annotated[str, Field(max_length=100)]
    notified_at: datetime


class Closed(Body):
    """How a request ends: DELIVERED, REFUSED:RF-08 and so on."""

    outcome: Annotated[str, Field(max_length=100)]


@router.get("/requests")
def list_requests(caller: Sees, limit: Annotated[int, Query(ge=1, le=MOST)] = 100) -> list[RequestAnswer]:
    """The register: what is due first comes first, closed requests last. Nothing in it is about anybody."""
    services, now = caller.services, caller.services.clock()
    found = islice(by_urgency(services.listed.requests.all(), services.calendar), limit)
    return [RequestAnswer.model_validate(request_document(each, now, services.calendar)) for each in found]


@router.post("/requests", status_code=201, responses=MADE_BEFORE)
def open_(caller: Handles, form: IntakeForm, response: Response, idempotency_key: IdempotencyKey = "") -> RequestAnswer:
    """Register a request that has come in, and keep from now on what may be about the person. The receipt is
    registered even where the CRM cannot be reached; the next plan then looks up what is kept."""
    services = caller.services
    text = json.dumps(form.model_dump(mode="json", by_alias=True)).encode()
    days = services.calendar
    ids = ids_of(caller, idempotency_key, form)
    try:
        request = open_request(services.store, read_form(text, services.clock(), days), calendar=days, new_id=ids)
    except Refused as error:
        response.status_code = 200
        return _answer(caller, services.store.requests.get(made_before(error)))
    warning = ""
    if request.right in REASON_OF_RIGHT:
        try:
            with services.desk() as desk:
                preserve(desk.context, request)
        except ComplianceError as error:
            warning = f"what the request keeps is not looked up yet: {error}"
    return _answer(caller, services.store.requests.get(request.id), {"warning": warning} if warning else {})


@router.get("/requests/{request}")
def show(caller: Sees, request: RequestId) -> RequestAnswer:
    """One request as it stands, and what stops its release."""
    return _answer(caller, caller.services.listed.requests.get(request))


@router.post("/requests/{request}/identify")
def identify(caller: Handles, request: RequestId, word: Identified) -> RequestAnswer:
    """Record how the person was identified; the steps are the same for everybody, whatever is in the file."""
    return _moved(
        caller, lambda actor: transitions.identify(actor, request, word.method, mandate=word.mandate, child_agrees=word.child_agrees)
    )


@router.post("/requests/{request}/suspend")
def suspend(caller: Handles, request: RequestId, word: Asked) -> RequestAnswer:
    """Record a question to the person; it stops the clock if it was asked in time."""
    return _moved(caller, lambda actor: transitions.suspend(actor, request, word.reason, word.asked_on))


@router.post("/requests/{request}/resume")
def resume(caller: Handles, request: RequestId, word: Answered) -> RequestAnswer:
    """Record that the person has answered; the due date moves by the days in between."""
    return _moved(caller, lambda actor: transitions.resume(actor, request, word.answered_on, reason=word.reason))


@router.post("/requests/{request}/extend")
def extend(caller: Handles, request: RequestId, word: Extended) -> RequestAnswer:
    """Add two months, of which the person was notified in time."""
    if word.notified_at.tzinfo is None:
        raise UsageError("the instant has no time zone", hint="for example 2026-11-25T09:30:00Z", where="notified_at")
    return _moved(caller, lambda actor: transitions.extend(actor, request, word.reason, word.notified_at))


@router.post("/requests/{request}/close")
def close(caller: Handles, request: RequestId, word: Closed) -> RequestAnswer:
    """Close a request with the code of its outcome; what leads from it to files is removed."""
    return _moved(caller, lambda actor: transitions.close(actor, request, word.outcome))


def _moved(caller: Caller, move: Callable[[Actor], SubjectRequest]) -> RequestAnswer:
    """Take one step, and answer with the request as it then stands."""
    services, person, policy = caller.services, caller.person, caller.services.policy()
    refuse_other_zone(services.store, policy)
    reference = register_key(services.settings).reference
    actor = Actor(services.store, person.who, person.role, services.clock(), reference, policy.calendar)
    return _answer(caller, move(actor))


def _answer(caller: Caller, request: SubjectRequest, more: dict[str, Any] | None = None) -> RequestAnswer:
    services = caller.services
    handles = caller.may(Act.HANDLE_REQUEST)
    document = request_document(
        request,
        services.clock(),
        services.calendar,
        blocks=blocks_of(services.store, request),
        notices=counts_of(services.store, request) if handles else None,
        waits_for=waits_for(services.store, request) if handles else "",
    )
    return RequestAnswer.model_validate(document | (more or {}))
