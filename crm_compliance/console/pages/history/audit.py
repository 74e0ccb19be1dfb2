"""What was done in a period, in words, for an auditor: to read, to print, and to follow to what proves it."""

from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from jobs.history.period import tell
from rules.model.roles import Act

USUAL: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=1100)  # three years: a longer period is read in pieces
SHOWN: Final = 200  # lines of one table; the evidence pack has all


def show(visit: Visit) -> Response:
    """Show the period in the address; without one, of the last thirty days. One that cannot be told is asked
    for again, with what was entered and a sentence beside the field."""
    today = visit.services.calendar.day(visit.now)
    last = visit.asked_day("to", visit.say("To and including")) or today
    first = visit.asked_day("from", visit.say("From")) or last - USUAL
    if problem := _problem(visit, first, last):
        asked = {"first": first, "last": last, "problem": problem, "presets": _presets(visit, today)}
        return visit.page("history/audit.html.j2", status=400, told=None, **asked)
    told = tell(visit.services.listed, first, last, visit.services.calendar)
    return visit.page(
        "history/audit.html.j2",
        told=told,
        first=first,
        last=last,
        problem="",
        made_at=visit.now,
        presets=_presets(visit, today),
        categories=[(key, visit.category(key), number) for key, number in told.categories],
        shown=SHOWN,
        sees_plans=visit.may(Act.SEE_REPORTS),
        sees_requests=visit.may(Act.SEE_REQUESTS),
        verified=visit.services.store.verifications.last(),
    )


def _problem(visit: Visit, first: date, last: date) -> str:
    """Return what is wrong with a period; empty where nothing is."""
    if first > last:
        return visit.say("This day is after the last one.")
    return visit.say("A period is no longer than three years. Choose other days.") if last - first > LONGEST else ""


def _presets(visit: Visit, today: date) -> list[tuple[str, str]]:
    """Return the periods that are asked for most, each with its address."""
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    periods = (
        (visit.say("This week"), monday, today),
        (visit.say("Last week"), monday - timedelta(days=7), monday - timedelta(days=1)),
        (visit.say("This month"), month, today),
        (visit.say("Last month"), before, month - timedelta(days=1)),
        (visit.say("This year"), today.replace(month=1, day=1), today),
    )
    return [(name, f"/history/audit?{urlencode({'from': first.isoformat(), 'to': last.isoformat()})}") for name, first, last in periods]


ENDPOINTS: Final = (get("/history/audit", show, Act.SEE_HISTORY),)
