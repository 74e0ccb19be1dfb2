"""One hold: what it keeps, why, by whom and until when, and its release by a second person."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from jobs.holds.release import release_hold
from rules.errors import Refused
from rules.holds.placements import HoldState, HoldType
from rules.model.accounts import same_person
from rules.model.roles import Act


def show(visit: Visit) -> Response:
    hold = visit.services.store.holds.get(visit.path("hold"))
    day = visit.services.calendar.day(visit.now)
    is_released = hold.state(day) is HoldState.RELEASED
    return visit.page(
        "holds/hold.html.j2",
        hold=hold,
        state=hold.state(day).value,
        is_overdue=hold.is_overdue(day),
        may_release=visit.may(Act.RELEASE_HOLD) and not is_released,
        may_place=visit.may(Act.PLACE_HOLD),
        has_placed=same_person(hold.placed_by, visit.person.who),
        sees_texts=visit.may(Act.RELEASE_HOLD),
        needs_notice=hold.type is HoldType.RESTRICTION,
        today=day,
        link=visit.services.links(hold.crm)(hold.table, hold.row) if hold.crm and hold.row else "",
    )


def release(visit: Visit) -> Response:
    """Lift a hold, as `holds release` does (HLD-02, HLD-09)."""
    services = visit.services
    asked_by = visit.needed("asked_by", visit.say("Who asks for it"))
    asked_by = visit.person.who if visit.is_own(asked_by) else asked_by  # who signs in elsewhere is known here by an id alone
    try:
        release_hold(
            services.store,
            visit.path("hold"),
            who=visit.person.who,
            role=visit.person.role,
            asked_by=asked_by,
            reason=visit.needed("reason", visit.say("Reason")),
            notified_on=visit.given_day("notified_on", visit.say("The person was told on")),
            now=visit.now,
            calendar=services.calendar,
            reference=services.keys().reference,
        )
    except Refused as error:
        if error.code != "same_person" or not same_person(visit.person.who, asked_by):
            raise
        says = visit.say("Who asks for it cannot be you. Name the account of who asks, or have somebody else lift the hold.")
        raise Refused(says, code=error.code, where=error.where, field="asked_by") from error
    return visit.see(f"/holds/{visit.path('hold')}", note="hold_released")


ENDPOINTS: Final = (get("/holds/{hold}", show, Act.SEE_HOLDS), post("/holds/{hold}/release", release, Act.RELEASE_HOLD))
