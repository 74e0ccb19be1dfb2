"""Holds: list, place and release."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from crm_compliance.console.api.answers import INSTEAD, MOST, HoldAnswer, HoldsAnswer
from crm_compliance.console.api.caller import Caller, acting
from crm_compliance.console.api.idempotency import MADE_BEFORE, IdempotencyKey, ids_of, made_before
from crm_compliance.reports.holds import held_by_flags, held_by_requests, hold_document
from crm_compliance.wiring.keys import register_key
from crm_compliance.wiring.mapping import mapped_tables
from jobs.holds.place import Wanted, place_hold, without_categories
from jobs.holds.release import release_hold
from jobs.model.hold_query import HoldList, HoldQuery
from rules.errors import Refused
from rules.holds.placements import HoldType
from rules.model.roles import Act

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_compliance.reports.holds import HeldRows

router = APIRouter(tags=["holds"], responses=INSTEAD)
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
    unseen: bool = Field(False, description="place it even if the CRM does not answer: a mistyped id then keeps nothing")


class Release(BaseModel):
    """Why a hold ends, and who asks for that: neither who placed it nor who releases it."""

    model_config = ConfigDict(extra="forbid")
    asked_by: Line
    reason: Line
    notified_on: date | None = None


@router.get("/holds")
def list_holds(
    caller: Annotated[Caller, acting(Act.SEE_HOLDS)],
    which: Annotated[HoldList, Query(alias="list", description="review: in force, and past the day of review")] = HoldList.ALL,
    source: Annotated[
        Literal["", "placed", "crm", "request"], Query(description="who holds: people, the hold flags of the CRM, requests; empty: all")
    ] = "",
    type: Annotated[Literal["", "legal", "judicial", "complaint", "request", "restriction", "objection"], Query()] = "",
    table: Annotated[str, Query(max_length=100)] = "",
    id: Annotated[str, Query(max_length=60, description="a part of the id of a hold that was placed, or of a row")] = "",
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> HoldsAnswer:
    """One page of the holds: what people have placed, the newest first, released ones too; then the hold
    flags of the CRM as the last plan saw them; then, for whoever may see them, what requests keep."""
    services = caller.services
    store, day = services.listed, services.calendar.day(services.clock())
    total, documents = 0, list[dict[str, object]]()
    if source in ("", "placed"):
        total, placed = store.holds.page(HoldQuery(day, which, type, table, id), offset=offset, limit=limit)
        documents += [hold_document(hold, day) for hold in placed]
    for rows in _kept_by_others(caller, source, type) if which in (HoldList.ALL, HoldList.IN_FORCE) else ():
        fitting = rows.filtered(table, id)
        documents += fitting.documents(max(0, offset - total), limit - len(documents)) if offset < total + len(fitting) else []
        total += len(fitting)
    following = offset + len(documents) if offset + len(documents) < total else None
    return HoldsAnswer(total=total, next=following, holds=[HoldAnswer.model_validate(each) for each in documents])


@router.post("/holds", status_code=201, responses=MADE_BEFORE)
def place(
    caller: Annotated[Caller, acting(Act.PLACE_HOLD)], wanted: Placed, response: Response, idempotency_key: IdempotencyKey = ""
) -> HoldAnswer:
    """Place a hold; it takes effect at once, also on a run that is under way."""
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
        even_unseen=wanted.unseen,
    )
    with caller.services.desk(asks_crm=not wanted.unseen) as desk:
        context, day = replace(desk.context, new_id=ids_of(caller, idempotency_key, wanted)), desk.context.today
        try:
            placed = place_hold(context, asked, caller.person.who, caller.person.role)
        except Refused as error:
            placed, response.status_code = caller.services.store.holds.get(made_before(error)), 200
        silent = without_categories(context.connector, placed)
    return HoldAnswer.model_validate({**hold_document(placed, day), "without_categories": silent})


def _kept_by_others(caller: Caller, source: str, type: str) -> Iterator[HeldRows]:
    """Yield what flags and requests keep, as far as the caller asks for it and may see it."""
    services = caller.services
    if source in ("", "crm") and type in ("", "legal"):
        yield held_by_flags(services.store.plans.newest(), services.settings.crm_url)
    if source in ("", "request") and type in ("", "request") and caller.may(Act.SEE_HOLDS_OF_REQUESTS):
        yield held_by_requests(services.store, mapped_tables(services.settings))


@router.post("/holds/{hold}/release")
def release(caller: Annotated[Caller, acting(Act.RELEASE_HOLD)], hold: Annotated[str, Path(max_length=100)], wanted: Release) -> HoldAnswer:
    """Release a hold; what has expired meanwhile goes in the next run."""
    services, now = caller.services, caller.services.clock()
    released = release_hold(
        services.store,
        hold,
        who=caller.person.who,
        role=caller.person.role,
        asked_by=caller.person.who if caller.person.is_called(wanted.asked_by) else wanted.asked_by,
        reason=wanted.reason,
        notified_on=wanted.notified_on,
        now=now,
        calendar=services.calendar,
        reference=register_key(services.settings).reference,
    )
    return HoldAnswer.model_validate(hold_document(released, services.calendar.day(now)))
