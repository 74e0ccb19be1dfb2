"""The search for the person, who it is, and the answer that is compiled and approved."""

from __future__ import annotations

from starlette.responses import Response

from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.requests.take_step import done_apart, done_at_desk, moved
from crm_compliance.console.work.acts import COMPILE, MATCH
from jobs.register.request_steps import Actor, actor_of
from jobs.requests.answer.release import approve_content
from jobs.requests.answer.review import completeness as count_rows
from jobs.requests.search.confirm import confirm_candidates
from rules.errors import UsageError


def match(visit: Visit) -> Response:
    """Search the CRM for the person, and for the child."""
    return done_apart(visit, MATCH)


def confirm(visit: Visit) -> Response:
    """Record which candidates are the person; none of them is an answer too, and is said as such."""
    chosen, is_nobody = visit.all_given("candidate"), bool(visit.given("none"))

    def act(actor: Actor, request: str) -> object:
        if is_nobody == bool(chosen):
            raise UsageError(visit.say("Mark who the person is, or say that nobody is."))
        return confirm_candidates(actor, request, chosen)

    return moved(visit, act, note="request_confirmed" if chosen else "request_moved")


def compile_(visit: Visit) -> Response:
    """Read everything about the person again, and compile the answer."""
    return done_apart(visit, COMPILE)


def completeness(visit: Visit) -> Response:
    """Count again how many rows are in the answer, withheld and excluded; it is shown once, and stored
    nowhere."""
    who, role = visit.person.who, visit.person.role
    return done_at_desk(
        visit, "count", lambda desk, request: count_rows(desk.context, actor_of(desk.context, who, role), request), note="", is_shown=True
    )


def approve(visit: Visit) -> Response:
    """Approve the content of the answer."""
    who, role = visit.person.who, visit.person.role
    return done_at_desk(visit, "approve", lambda desk, request: approve_content(desk.context, request, who, role), note="request_approved")
