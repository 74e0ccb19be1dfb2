"""Steps that need no CRM: who it is, what was asked of the person, more time, a rule set aside, the end."""

from datetime import datetime, time
from enum import StrEnum
from typing import TypeVar

from starlette.responses import Response

from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.days import iso_hour
from crm_compliance.console.pages.requests.take_step import moved
from jobs.register import misdelivery, overrides, transitions
from rules.errors import UsageError
from rules.model.requests import IdentityMethod, Mandate

Code = TypeVar("Code", bound=StrEnum)


def identify(visit: Visit) -> Response:
    """Record how the person was identified, and for whom they may act."""
    return moved(
        visit,
        lambda actor, request: transitions.identify(
            actor,
            request,
            _one_of(visit, IdentityMethod, visit.needed("method", visit.say("The way of checking"))),
            mandate=_one_of(visit, Mandate, visit.given("mandate")) if visit.given("mandate") else None,
            child_agrees=bool(visit.given("child_agrees")),
        ),
    )


def suspend(visit: Visit) -> Response:
    """Record a question to the person."""
    asked_on = visit.needed_day("asked_on", visit.say("Asked on"))
    return moved(visit, lambda actor, request: transitions.suspend(actor, request, visit.given("reason"), asked_on))


def resume(visit: Visit) -> Response:
    """Record that the person has answered."""
    return moved(
        visit,
        lambda actor, request: transitions.resume(
            actor, request, visit.needed_day("answered_on", visit.say("The person answered on")), reason=visit.given("reason")
        ),
    )


def extend(visit: Visit) -> Response:
    """Add two months of which the person was told."""
    return moved(
        visit,
        lambda actor, request: transitions.extend(actor, request, visit.given("reason"), _notified_at(visit)),
    )


def override(visit: Visit) -> Response:
    """Record one of the two approvals that override a rule."""
    return moved(
        visit,
        lambda actor, request: overrides.override(actor, request, visit.given("rule"), visit.given("code")),
        note="request_word_given",
    )


def close(visit: Visit) -> Response:
    """Close the request with its outcome, or end what of an answered one has not been done."""
    is_closed = visit.services.store.requests.get(visit.path("request")).is_closed
    return moved(
        visit,
        lambda actor, request: transitions.close(actor, request, visit.needed("outcome", visit.say("How it ended"))),
        note="request_called_back" if is_closed else "request_closed",
    )


def misdelivered(visit: Visit) -> Response:
    """Record that the answer reached the wrong person."""
    return moved(visit, misdelivery.misdelivered, note="request_misdelivered")


def renew(visit: Visit) -> Response:
    """Let the link be used as often as at first."""
    return moved(visit, transitions.renew)


def _notified_at(visit: Visit) -> datetime:
    """Return the day and the hour of the form as an instant where the organisation works; noon where no hour
    was given. Raises UsageError: they are none."""
    try:
        at = time.fromisoformat(iso_hour(visit.given("notified_time")) or "12:00")
    except ValueError:
        raise UsageError(visit.say("This is not a time of the day."), where="notified_time") from None
    return datetime.combine(visit.needed_day("notified_on", visit.say("The person was told on")), at, visit.services.calendar.zone)


def _one_of(visit: Visit, codes: type[Code], text: str) -> Code:
    try:
        return codes(text)
    except ValueError:
        raise UsageError(visit.say("This is not one of the choices.")) from None
