"""The lines of a large plan, opened for the first time: that takes seconds, so the page says so and goes on
by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.endpoint import get
from crm_compliance.console.pages.plans.head import head_of
from crm_compliance.console.work.acts import LINES
from crm_compliance.console.work.process import Asked
from rules.model.roles import Act

if TYPE_CHECKING:
    from crm_compliance.console.visit import Visit
    from crm_compliance.console.work.work import Work
    from jobs.plans.lines.view import LinesView

AGAIN: Final = {"HX-Refresh": "true"}


class Opening(Exception):
    """The lines of a plan are being opened."""

    def __init__(self, plan: str, work: Work) -> None:
        super().__init__(plan)
        self.plan, self.work = plan, work


def lines_of(visit: Visit, plan: str) -> LinesView:
    """Return the lines of a plan. Raises Opening: that takes long, and goes on; UsageError: no such plan;
    LinesRemoved; StoreAltered."""
    services = visit.services
    if services.lines.is_open(plan):
        return services.lines.of(plan)
    subject = _subject(plan)
    work = services.background.of(subject)
    if work is not None and work.is_over:
        services.background.forget(work)
        if work.error is not None:
            raise work.error
    elif work is None and services.lines.takes_long(plan):
        person, details = visit.person, {"plan": plan}
        asked = Asked(act=LINES, subject=subject, who=person.who, role=person.role, now=visit.now, details=details)
        work = services.begin(asked, reads_crm=False, patience_s=0)
    if work is not None and not work.is_over:
        raise Opening(plan, work)
    return services.lines.of(plan)


def waiting(visit: Visit, opening: Opening) -> Response:
    """Say that it goes on: a piece of a page asks for itself again, a whole page asks whether it is over."""
    if visit.is_part:
        return visit.part("plans/opening_part.html.j2", work=opening.work, address=visit.here)
    plan = visit.services.store.plans.get(opening.plan)
    return visit.page(
        "plans/opening.html.j2", **head_of(visit, plan), work=opening.work, address=f"/plans/{plan.id}/opening", again=visit.here
    )


def status(visit: Visit) -> Response:
    """Say how far it is; once it is over, the page that asks is loaded again."""
    plan = visit.services.store.plans.get(visit.path("plan")).id
    work = visit.services.background.of(_subject(plan))
    if not visit.is_part:
        return visit.see(f"/plans/{plan}/lines")
    if work is None or work.is_over:
        return Response(status_code=204, headers={**PAGE, **AGAIN})
    return visit.part("plans/opening_part.html.j2", work=work, address=f"/plans/{plan}/opening")


def _subject(plan: str) -> str:
    return f"lines of {plan}"


ENDPOINTS: Final = (get("/plans/{plan}/opening", status, Act.SEE_REPORTS),)
