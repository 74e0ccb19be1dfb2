"""The lines of a large plan, opened for the first time: that takes seconds, so the page says so and goes on
by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.endpoint import get
from crm_compliance.console.pages.plans.head import head_of
from crm_compliance.console.work.large_plan import Opening, subject_of
from rules.model.roles import Act

if TYPE_CHECKING:
    from crm_compliance.console.visit import Visit
    from jobs.plans.lines.view import LinesView

AGAIN: Final = {"HX-Refresh": "true"}


def lines_of(visit: Visit, plan: str) -> LinesView:
    """Return the lines of a plan for a page; raises as `Services.lines_of`."""
    return visit.services.lines_of(plan, visit.person, visit.now)


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
    work = visit.services.background.of(subject_of(plan))
    if not visit.is_part:
        return visit.see(f"/plans/{plan}/lines")
    if work is None or work.is_over:
        return Response(status_code=204, headers={**PAGE, **AGAIN})
    return visit.part("plans/opening_part.html.j2", work=work, address=f"/plans/{plan}/opening")


ENDPOINTS: Final = (get("/plans/{plan}/opening", status, Act.SEE_REPORTS),)
