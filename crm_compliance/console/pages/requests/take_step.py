"""Who acts on a request from a page, and how an act is answered: with the request as it then stands, or with
why it was not possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.requests.page import shown
from crm_compliance.console.work.act_under_way import Ended, Work
from crm_compliance.console.work.process import Asked
from crm_compliance.console.work.progress import telling_reads
from crm_compliance.console.work.step_note import noting
from crm_compliance.wiring.crm import Patience
from crm_compliance.wiring.desk import Desk
from jobs.checks.same_zone import refuse_other_zone
from jobs.register.request_steps import Actor
from rules.errors import ComplianceError, Refused

DONE: Final = "request_moved"


def actor_of(visit: Visit) -> Actor:
    """Return the person of a visit as somebody who moves a request now. Raises PolicyError, Refused: the
    store keeps days of another time zone."""
    services, policy = visit.services, visit.services.policy()
    refuse_other_zone(services.store, policy)
    return Actor(services.store, visit.person.who, visit.person.role, visit.now, services.keys().reference, policy.calendar)


def refuse_old_page(visit: Visit) -> None:
    """Refuse a step that goes by what a page has shown, or undoes it, where somebody has taken another step
    since: the page says which it was made after (`since`). Raises UsageError: there is no such request;
    Refused: with code `changed`."""
    request, since = visit.services.store.requests.get(visit.path("request")), visit.given("since")
    if since and since != request.version:
        raise Refused("the request is not any more as this page has shown it", hint="look at it again", where=request.id, code="changed")


def moved(visit: Visit, act: Callable[[Actor, str], object], note: str = DONE) -> Response:
    """Take a step that needs no CRM, and answer with the page of the request."""
    request = visit.path("request")
    try:
        with noting(visit.services.store, request, note) as said:
            refuse_old_page(visit)
            act(actor_of(visit), request)
    except ComplianceError as error:
        return shown(visit, request, error)
    return visit.see(f"/requests/{request}", note=said[0])


def done_at_desk(visit: Visit, name: str, act: Callable[[Desk, str], object], note: str, *, is_shown: bool = False) -> Response:
    """Take a step that reads the CRM. Where it takes long, the page of the request shows progress, and the
    result. `is_shown`: the page shows what it found, once."""
    services, request, person = visit.services, visit.path("request"), visit.person
    work = Work(request, name, person.who, visit.now)

    def whole() -> Ended:
        with (
            services.desk(patience=Patience.OF_A_PERSON) as desk,  # nobody waits: the page shows how far it is
            telling_reads(desk, work.tell),
            noting(services.store, request, note) as said,
        ):
            refuse_old_page(visit)
            found = act(desk, request)
        work.found = found if is_shown else None
        return Ended(said[0])

    return _begun(visit, request, lambda: services.background.begin(work, whole))


def done_apart(visit: Visit, name: str) -> Response:
    """Take a step that reads much of the CRM, in a process of its own; else as `done_at_desk`."""
    request, person = visit.path("request"), visit.person
    asked = Asked(act=name, subject=request, who=person.who, role=person.role, now=visit.now)
    return _begun(visit, request, lambda: visit.services.begin(asked))


def _begun(visit: Visit, request: str, begin: Callable[[], Work]) -> Response:
    """Begin a step, and answer with how it ended, or with the page that says how it stands."""
    services = visit.services
    try:
        refuse_old_page(visit)
        work = begin()
    except ComplianceError as error:
        return shown(visit, request, error)
    if not work.is_over or work.found is not None:
        return visit.see(f"/requests/{request}")
    services.background.forget(work)
    if work.error is not None:
        return shown(visit, request, work.error)
    return visit.see(f"/requests/{request}", note=work.note)
