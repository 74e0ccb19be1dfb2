"""One unit of a plan: what the plan says of it, and why."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from crm_compliance.console.endpoint import get
from crm_compliance.console.pages.plans.plan import category_name, head_of
from crm_compliance.console.visit import Visit
from crm_compliance.reports.parts.links import safe_link
from jobs.model.plan import PlanLine
from jobs.plans.lines.query import MOST_LINES, LineQuery
from rules.errors import UsageError
from rules.model.roles import Act


def line_in(visit: Visit, plan: str, table: str, row: str) -> PlanLine | None:
    """Return the line of a plan about a row; None where it has none. Raises LinesRemoved."""
    if len(row) < len("00000000"):  # a part of an id is no id: what it leads to could be many
        return None
    page = visit.services.lines.of(plan).page(LineQuery(table=table, id=row, limit=MOST_LINES))
    return next((line for line in page.lines if line.id == row.lower()), None)


def show(visit: Visit) -> Response:
    """Show one line. Raises UsageError: the plan has none of this row; LinesRemoved."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    line = line_in(visit, plan.id, visit.path("table"), visit.path("row"))
    if line is None:
        raise UsageError("this plan has no such unit", hint="look for it among its units", where=plan.id)
    link = safe_link(visit.services.links(plan.crm)(line.table, line.id))
    return visit.page(
        "plans/unit.html.j2", **head_of(visit, plan), line=line, link=link, category_name=lambda key: category_name(visit, key)
    )


ENDPOINTS: Final = (get("/plans/{plan}/units/{table}/{row}", show, Act.SEE_REPORTS),)
