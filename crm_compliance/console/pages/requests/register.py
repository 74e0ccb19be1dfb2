"""The register of requests: what is due first comes first, filtered, a page at a time; and its dates as a
calendar."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, NamedTuple

from starlette.responses import Response

from crm_compliance.console.access.headers import saved_as
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.requests.next_step import short_next
from crm_compliance.reports.requests.register import by_urgency
from jobs.model.request import GIVEN, Given, SubjectRequest
from jobs.register.dates import days_left, due_of, has_gone_overdue, target_of
from rules.decoders import decoder_of
from rules.errors import UsageError
from rules.model.references import tidied
from rules.model.requests import RequestState, Right
from rules.model.roles import Act

ROWS: Final = 25  # of one page
SOON: Final = 7  # days
OPEN, OVERDUE, DUE_SOON = "open", "overdue", "soon"
SHOWS: Final = (OPEN, OVERDUE, DUE_SOON, *(state.value for state in RequestState))


class Row(NamedTuple):
    """One request of the register; `name` is empty for who may not see it. `left` counts days."""

    request: SubjectRequest
    name: str
    due: date | None
    left: int | None
    next: str
    target: date | None
    is_late: bool  # past its internal target


def show(visit: Visit) -> Response:
    """Show one page of the register, and how much of it is open, late and soon due."""
    calendar, today, register = visit.services.calendar, visit.services.calendar.day(visit.now), visit.services.listed.requests
    open_now = register.all(unclosed=True)
    left = {request.id: days_left(request, visit.now, calendar) for request in open_now}
    overdue = {request.id for request in open_now if has_gone_overdue(request, visit.now, calendar)}
    soon = {id for id, days in left.items() if days is not None and 0 <= days <= SOON}
    shows, right, text = visit.query("show", OPEN), visit.query("right"), visit.query("q")
    right = right if right in list(Right) else ""
    if text:  # a reference or an id leads to its request, wherever that stands
        found, closed = _of_text(visit, text), 0
    else:
        found = by_urgency((request for request in open_now if _fits(request, shows, right, overdue, soon)), calendar)
        closed = register.number_closed(right) if shows == RequestState.CLOSED or shows not in SHOWS else 0
    page = visit.list_page(len(found) + closed, ROWS)  # what is closed comes last, and is read a page at a time
    shown = [*page.of(found)]
    if closed and len(shown) < ROWS:
        shown += register.closed(right, offset=max(0, page.offset - len(found)), limit=ROWS - len(shown))
    names = names_of(visit, shown)
    rows = [_row(visit, request, names.get(request.id, ""), today) for request in shown]
    counts = {
        "open": len(open_now),
        "overdue": len(overdue),
        "soon": len(soon),
        "suspended": sum(request.state is RequestState.SUSPENDED for request in open_now),
    }
    return visit.page(
        "requests/register.html.j2",
        rows=rows,
        pages=page.pages(visit.page_at("/requests", "show", "right", "q")),
        counts=counts,
        is_empty=not page.total and not open_now and not register.number_closed(),
        shows=shows,
        right=right,
        text=text,
        states=[state.value for state in RequestState],
        rights=[right.value for right in Right],
        sees_names=visit.may(Act.HANDLE_REQUEST),
    )


def calendar_file(visit: Visit) -> Response:
    """Answer with due dates, alarms and internal targets as a calendar, in the language of the page:
    references, and nothing about anybody."""
    from crm_compliance.reports.requests.calendar import DUE, dates_of  # loads a library of calendars, for this file alone

    def said(request: SubjectRequest, name: str) -> str:
        due = f"{visit.say('Last day for the answer')} ({visit.word('right', request.right)})"
        return f"{request.reference}: {visit.word('target', name) if name != DUE else due}"

    pending = [request for request in visit.services.listed.requests.all(unclosed=True) if not request.is_answered]
    headers = saved_as("requests.ics")
    return Response(dates_of(pending, visit.now, visit.services.calendar, said), media_type="text/calendar", headers=headers)


def names_of(visit: Visit, requests: Sequence[SubjectRequest]) -> dict[str, str]:
    """Return how the people of requests called themselves, by request, for who handles them; those whose
    name has been erased are left out."""
    if not visit.may(Act.HANDLE_REQUEST):
        return {}
    parts = visit.services.store.requests.some_parts([request.id for request in requests], GIVEN)
    said = {request: decoder_of(Given).decode(part).requester for request, part in parts.items()}
    return {request: f"{person.firstname} {person.lastname}".strip() for request, person in said.items()}


def _row(visit: Visit, request: SubjectRequest, name: str, today: date) -> Row:
    calendar = visit.services.calendar
    target = target_of(request, calendar)
    return Row(
        request,
        name,
        due_of(request, calendar) if not request.is_answered else None,
        days_left(request, visit.now, calendar),
        short_next(visit, request),
        target,
        target is not None and today > target,
    )


def _of_text(visit: Visit, text: str) -> list[SubjectRequest]:
    register, wanted = visit.services.store.requests, text.strip()
    found = register.named(tidied(text))
    if found is None:
        with suppress(UsageError):
            found = register.get(wanted)
    return [found] if found is not None else []


def _fits(request: SubjectRequest, shows: str, right: str, overdue: Collection[str], soon: Collection[str]) -> bool:
    """Return whether one that is not closed is among those that are asked for."""
    if right and request.right != right:
        return False
    if shows == OPEN:
        return True
    if shows in (OVERDUE, DUE_SOON):
        return request.id in (overdue if shows == OVERDUE else soon)
    return shows not in SHOWS or request.state == shows
