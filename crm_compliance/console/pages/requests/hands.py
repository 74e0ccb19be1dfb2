"""Who acts on a request from a page, and how an act is answered: with the request as it then stands, or with
why it was not possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.responses import Response

from crm_compliance.console.background import Work
from crm_compliance.console.pages.requests.page import shown
from crm_compliance.console.visit import Visit
from crm_compliance.reports.requests.review_pages import removing_pages
from crm_compliance.wiring import Desk
from jobs.checks.same_zone import refuse_other_zone
from jobs.register.decision import Undone, decision_of, undone
from jobs.register.permissions import Hand
from jobs.requests.answer.compile import compilation_of
from rules.errors import ComplianceError

DONE, UNDONE = "request_moved", "request_undone"


def hand_of(visit: Visit) -> Hand:
    """Return the person of a visit as somebody who moves a request now. Raises PolicyError, Refused: the
    store keeps days of another time zone."""
    services, policy = visit.services, visit.services.policy()
    refuse_other_zone(services.store, policy)
    return Hand(services.store, visit.person.who, visit.person.role, visit.now, services.keys().reference, policy.calendar)


def moved(visit: Visit, act: Callable[[Hand, str], object], note: str = DONE) -> Response:
    """Take a step that needs no CRM, and answer with the page of the request."""
    request = visit.path("request")
    try:
        with noting(visit, request, note) as said:
            act(hand_of(visit), request)
    except ComplianceError as error:
        return shown(visit, request, error)
    return visit.see(f"/requests/{request}", note=said[0])


def done_at_desk(visit: Visit, name: str, act: Callable[[Desk, str], object], note: str = DONE, *, is_shown: bool = False) -> Response:
    """Take a step that reads the CRM. Where it takes long, the page of the request says how it stands, and
    what came of it. `is_shown`: the page shows what it found, once."""
    services, request, person = visit.services, visit.path("request"), visit.person
    work = Work(request, name, person.who, visit.now)

    def whole() -> str:
        with services.desk() as desk, noting(visit, request, note) as said:
            found = act(desk, request)
        work.found = found if is_shown else None
        return said[0]

    try:
        services.store.requests.get(request)
        services.background.begin(work, whole)
    except ComplianceError as error:
        return shown(visit, request, error)
    if not work.is_over or work.found is not None:
        return visit.see(f"/requests/{request}")
    services.background.forget(work)
    if work.error is not None:
        return shown(visit, request, work.error)
    return visit.see(f"/requests/{request}", note=work.note)


@contextmanager
def noting(visit: Visit, request: str, note: str) -> Iterator[list[str]]:
    """Give the note of a step: another one where it has undone what people had decided on the answer. Pages
    for reviewing that have lost their answer are removed."""
    store, said = visit.services.store, [note]
    decision, old = decision_of(store, request), compilation_of(store, request)
    with removing_pages(store, only=request):
        yield said
    found = undone(decision, old, compilation_of(store, request)) if (decision, old) != (None, None) else Undone()
    if found != Undone():
        said[0] = UNDONE
