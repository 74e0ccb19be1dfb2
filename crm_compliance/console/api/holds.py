"""Holds: list, place and release."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from crm_compliance.console.api.answers import HoldAnswer
from crm_compliance.console.api.caller import Caller, acting
from crm_compliance.console.api.once import MADE_BEFORE, IdempotencyKey, ids_of, made_before
from rules.errors import Refused
from rules.model.roles import Act

router = APIRouter(tags=["holds"])
Line = Annotated[str, Field(max_length=500)]
RowId = Annotated[str, Field(pattern=r"^$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Placed(BaseModel):
    """What is to be held: one row (`table`, `id`), everything of a `person`, or what meets `where`."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["legal", "judicial", "complaint", "restriction", "objection"]
    table: Annotated[str, Field(max_length=100)] = ""
    id: RowId = ""
    person: RowId = ""
    where: list[Line] = Field([], max_length=20, description="FIELD=VALUE")
    reason: Line
    basis: Line
    obtained_by: list[RowId] = Field([], max_length=20)
    ends_on: date | None = None
    review_on: date


class Release(BaseModel):
    """Why a hold ends, and who asks for that: neither who placed it nor who releases it."""

    model_config = ConfigDict(extra="forbid")
    asked_by: Line
    reason: Line
    notified_on: date | None = None


@router.get("/holds")
def list_holds(caller: Annotated[Caller, acting(Act.SEE_HOLDS)]) -> list[HoldAnswer]:
    """All holds in the order in which they were placed, released ones too, then the hold flags of the CRM as
    the last plan saw them. Those of subject requests are for whoever may see them."""
    from crm_compliance.reports.documents import flag_documents, hold_document, request_hold_documents
    from crm_compliance.wiring import mapped_tables

    services = caller.services
    store, day = services.store, services.calendar.day(services.clock())
    documents = [hold_document(hold, day) for hold in store.holds.all()]
    documents += flag_documents(store.plans.newest(), services.settings.crm_url)
    if caller.may(Act.SEE_HOLDS_OF_REQUESTS):
        documents += request_hold_documents(store, mapped_tables(services.settings))
    return [HoldAnswer.model_validate(document) for document in documents]


@router.post("/holds", status_code=201, responses=MADE_BEFORE)
def place(
    caller: Annotated[Caller, acting(Act.PLACE_HOLD)], wanted: Placed, response: Response, idempotency_key: IdempotencyKey = ""
) -> HoldAnswer:
    """Place a hold; it takes effect at once, also on a run that is under way."""
    from crm_compliance.reports.documents import hold_document
    from jobs.holds.place import Wanted, place_hold
    from rules.holds.placements import HoldType

    asked = Wanted(
        type=HoldType(wanted.type),
        table=wanted.table,
        row=wanted.id,
        person=wanted.person,
        where=tuple(wanted.where),
        reason_code=wanted.reason,
        basis=wanted.basis,
        obtained_by=tuple(wanted.obtained_by),
        ends_on=wanted.ends_on,
        review_on=wanted.review_on,
    )
    with caller.services.desk() as desk:
        context, day = replace(desk.context, new_id=ids_of(caller, idempotency_key, wanted)), desk.context.today
        try:
            placed = place_hold(context, asked, caller.person.who, caller.person.role)
        except Refused as error:
            placed, response.status_code = caller.services.store.holds.get(made_before(error)), 200
    return HoldAnswer.model_validate(hold_document(placed, day))


@router.post("/holds/{hold}/release")
def release(caller: Annotated[Caller, acting(Act.RELEASE_HOLD)], hold: Annotated[str, Path(max_length=100)], wanted: Release) -> HoldAnswer:
    """Release a hold; what has expired meanwhile goes in the next run."""
    from crm_compliance.reports.documents import hold_document
    from crm_compliance.wiring import register_key
    from jobs.holds.place import release_hold

    services, now = caller.services, caller.services.clock()
    released = release_hold(
        services.store,
        hold,
        who=caller.person.who,
        role=caller.person.role,
        asked_by=wanted.asked_by,
        reason=wanted.reason,
        notified_on=wanted.notified_on,
        now=now,
        calendar=services.calendar,
        reference=register_key(services.settings).reference,
    )
    return HoldAnswer.model_validate(hold_document(released, services.calendar.day(now)))
