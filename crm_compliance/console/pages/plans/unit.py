"""One unit of a plan: what the plan says of it, and why."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans.head import head_of
from crm_compliance.console.pages.plans.plan import category_name
from crm_compliance.reports.parts.links import safe_link
from jobs.checks.same_crm import is_of_other_crm
from jobs.model.plan import Plan, PlanLine
from jobs.model.run import TRIM, ActionState
from jobs.plans.lines.query import MOST_LINES, LineQuery
from jobs.plans.questions.deletion_preview import PreviewedRow, preview_deletion
from jobs.ports.store.store import Store
from rules.errors import NotFound, UsageError
from rules.model.roles import Act

SHOWN: Final = 20  # rows of one kind whose ids are shown
GONE: Final = (ActionState.REMOVED, ActionState.DONE)


def line_in(visit: Visit, plan: str, table: str, row: str) -> PlanLine | None:
    """Return the line of a plan about a row; None where it has none. Raises LinesRemoved."""
    if len(row) < len("00000000"):  # part of an id is not an id: several rows could match it
        return None
    page = visit.services.lines.of(plan).page(LineQuery(table=table, id=row, limit=MOST_LINES))
    return next((line for line in page.lines if line.id == row.lower()), None)


def show(visit: Visit) -> Response:
    """Show one line. Raises NotFound: the plan has none of this row; LinesRemoved."""
    plan, line = _named(visit)
    return visit.page(
        "plans/unit.html.j2",
        **head_of(visit, plan),
        line=line,
        link=safe_link(visit.services.links(plan.crm)(line.table, line.id)),
        category_name=lambda key: category_name(visit, key),
        gone_by=gone_by(visit.services.store, plan, line),
        is_here=not is_of_other_crm(visit.services.store, plan.crm),
    )


def _named(visit: Visit) -> tuple[Plan, PlanLine]:
    """Return the plan and the line that the address names. Raises NotFound; LinesRemoved."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    line = line_in(visit, plan.id, visit.path("table"), visit.path("row"))
    if line is None:
        raise NotFound("this plan has no such unit", hint="look for it among its units", where=plan.id)
    return plan, line


def gone_by(store: Store, plan: Plan, line: PlanLine) -> str:
    """Return the run of the plan that disposed of a unit; empty where the journal knows of none."""
    run = store.runs.of_plan(plan.id) if plan.applied else None
    action = store.journal.of_unit(run.id, line.table, line.id) if run is not None else None
    return run.id if run is not None and action is not None and action.state in GONE and action.disposition != TRIM else ""


def along(visit: Visit) -> Response:
    """Show which rows would go with the unit, read from the CRM now: as a piece of a page, or a page of its
    own, also where it has gone meanwhile. Raises NotFound: the plan has none of this row; UsageError: the
    plan is of another CRM; Busy; ConnectorError."""
    plan, line = _named(visit)
    if is_of_other_crm(visit.services.store, plan.crm):
        raise UsageError("this plan is of another CRM", hint="look at it where that CRM is served", where=plan.id)
    with visit.services.question() as context:
        try:
            found = preview_deletion(context, line.table, line.id, disposition=line.disposition or "")
        except NotFound:
            return _answer(visit, plan, {"line": line, "along": None, "gone_by": gone_by(visit.services.store, plan, line)})
    values: dict[str, Any] = {
        "line": line,
        "along": found,
        "groups": list(_groups(visit, plan.crm, found.rows)),
        "people": list(_people(visit, plan.id, plan.crm, found.people)),
        "more_people": max(0, len(found.people) - SHOWN),
    }
    return _answer(visit, plan, values)


def _answer(visit: Visit, plan: Plan, values: Mapping[str, Any]) -> Response:
    if visit.is_part:
        return visit.part("plans/along.html.j2", **head_of(visit, plan), **values)
    return visit.page("plans/along_page.html.j2", **head_of(visit, plan), **values)


class Group(NamedTuple):
    """Rows of one kind with the same outcome; `rows` are the first of them, each with its address in the
    CRM, and `more` counts the others."""

    kind: str
    what: str
    number: int
    objects: int
    retained: int
    rows: list[tuple[str, str]]
    more: int


def _groups(visit: Visit, crm: str, rows: Iterable[PreviewedRow]) -> Iterator[Group]:
    """Yield the rows by kind, in the order in which they are written."""
    link = visit.services.links(crm)
    found: dict[tuple[str, str], list[PreviewedRow]] = {}
    for row in rows:
        found.setdefault((row.kind, row.what), []).append(row)
    for (kind, what), these in found.items():
        shown = [(row.row[1], safe_link(link(*row.row))) for row in these[:SHOWN]]
        objects, retained = sum(row.has_object for row in these), sum(row.is_retained for row in these)
        yield Group(kind, what, len(these), objects, retained, shown, len(these) - len(shown))


def _people(visit: Visit, plan: str, crm: str, people: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, PlanLine | None]]:
    """Yield the contacts who have a role in it, each with its address in the CRM and what this plan says of
    them."""
    link = visit.services.links(crm)
    for table, row in islice(people, SHOWN):
        yield row, safe_link(link(table, row)), line_in(visit, plan, table, row)


ENDPOINTS: Final = (
    get("/plans/{plan}/units/{table}/{row}", show, Act.SEE_REPORTS),
    get("/plans/{plan}/units/{table}/{row}/along", along, Act.PLAN, is_long=True),
)
