"""A plan that somebody makes from a page."""

from datetime import datetime, time
from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.work.act_under_way import Work
from crm_compliance.console.work.acts import PLAN
from crm_compliance.console.work.process import Asked
from jobs.model.plan import Kind
from rules.errors import UsageError
from rules.model.roles import Act

SUBJECT: Final = "plan"  # one at a time is made for people
MADE_BY_PEOPLE: Final = (Kind.ALL, Kind.RETENTION, Kind.RECORDINGS)  # the others follow from a restore or a release


def start(visit: Visit) -> Response:
    """Have a plan made. Raises UsageError: a kind that people do not make, a day that is none; Refused: with
    code `busy`, one is being made."""
    kind, day = visit.given("kind"), visit.given_day("as_of", visit.say("Another day"))
    if kind not in MADE_BY_PEOPLE:
        raise UsageError("a plan is of another kind", hint="choose one of those named", where="kind")
    moment = datetime.combine(day, time(12), visit.services.calendar.zone).isoformat() if day else ""
    person = visit.person
    details = {"kind": kind, "as_of": moment}
    asked = Asked(act=PLAN, subject=SUBJECT, who=person.who, role=person.role, now=visit.now, details=details)
    visit.services.begin(asked, kind=kind, alone=True, patience_s=0)
    return visit.see("/plans", note="plan_begun")


def making(visit: Visit) -> Work | None:
    """Return the plan that goes on, whoever has it made, else the one of a page that has ended last."""
    background = visit.services.background
    return background.at_work(PLAN) or background.of(SUBJECT)


def status(visit: Visit) -> Response:
    """Show how far the plan is, as a piece of the list."""
    return visit.part("plans/making.html.j2", making=making(visit))


ENDPOINTS: Final = (get("/plans/making", status, Act.PLAN), post("/plans/making", start, Act.PLAN))
