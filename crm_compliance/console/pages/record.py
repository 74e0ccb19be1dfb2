"""One record of the CRM, as a button on its form asks for it: why it is kept and until when, and what holds
it, as far as the role may see."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans.plan import category_name
from crm_compliance.console.pages.plans.unit import gone_by, line_in
from crm_compliance.console.pages.why import row_of
from crm_compliance.reports.parts.links import safe_link
from jobs.checks.same_crm import is_of_other_crm
from jobs.model.hold_query import HoldList, HoldQuery
from jobs.model.plan import Kind, LinesRemoved, Plan, PlanLine
from jobs.model.request import PRESERVED, Preserved, SubjectRequest
from jobs.runs.quarantine import marks_of
from rules.decoders import decoder_of
from rules.errors import ComplianceError
from rules.holds.placements import PlacedHold
from rules.model.roles import Act
from rules.retention.quarantine import Mark

LOOKED_AT: Final = ((Kind.RETENTION, Kind.ALL), (Kind.RECORDINGS, Kind.ALL))
LOOKED_BACK: Final = 5  # plans of each kind of which the lines may be gone


def show(visit: Visit) -> Response:
    """Show what is known of a record. The parameters are those that a form of Dynamics passes to a web
    resource: `typename`, the table, and `id`, with or without braces; whatever else it passes is of no use
    here. Raises UsageError: they name no record."""
    table, row = row_of(visit.query("typename"), visit.query("id"))
    values: dict[str, Any] = {"table": table, "row": row, "plan": None, "line": None, "gone_by": "", "link": ""}
    if visit.may(Act.SEE_REPORTS):
        values |= _said(visit, table, row)
    if not values["link"]:
        values["link"] = safe_link(visit.services.links(visit.services.settings.crm_url or "")(table, row))
    return visit.page(
        "record.html.j2",
        **values,
        holds=list(_holds(visit, row)) if visit.may(Act.SEE_HOLDS) else None,
        requests=list(_requests(visit, row)) if visit.may(Act.HANDLE_REQUEST) else None,
        mark=_mark(visit, row) if visit.may(Act.SEE_REPORTS) else None,
        category_name=lambda key: category_name(visit, key),
    )


def _said(visit: Visit, table: str, row: str) -> dict[str, object]:
    """Return the newest plan that says something of the record, with what it says."""
    for plan, line in _lines(visit, table, row):
        return {
            "plan": plan,
            "line": line,
            "gone_by": gone_by(visit.services.store, plan, line),
            "day_of": visit.services.calendar.day(plan.as_of),
            "link": safe_link(visit.services.links(plan.crm)(table, row)),
        }
    return {}


def _lines(visit: Visit, table: str, row: str) -> Iterator[tuple[Plan, PlanLine]]:
    """Yield the line of the last plan of each kind that has its lines, where it has one of this row."""
    store, seen = visit.services.store, set()
    for kinds in LOOKED_AT:
        for plan in islice(store.plans.newest(kinds), LOOKED_BACK):
            if plan.as_of_given or is_of_other_crm(store, plan.crm):
                continue
            if plan.id in seen:
                break
            seen.add(plan.id)
            try:
                line = line_in(visit, plan.id, table, row)
            except LinesRemoved:
                continue
            if line is not None:
                yield plan, line
            break


def _mark(visit: Visit, row: str) -> Mark | None:
    try:
        policy = visit.services.policy()
    except ComplianceError:  # without a schedule nothing goes, and there is no day to tell
        return None
    return next((mark for mark in marks_of(visit.services.listed, policy) if mark.id == row), None)


def _holds(visit: Visit, row: str) -> list[PlacedHold]:
    """Return the holds in force that were placed on this very record."""
    query = HoldQuery(visit.services.calendar.day(visit.now), HoldList.IN_FORCE, text=row)
    return [hold for hold in visit.services.listed.holds.page(query).holds if hold.row == row]


def _requests(visit: Visit, row: str) -> Iterator[SubjectRequest]:
    """Yield the pending requests that keep this record. Only who handles requests is told: a file must not
    tell anybody else who has asked about it (SUS-07)."""
    register = visit.services.listed.requests
    pending = [request for request in register.all(unclosed=True) if request.closed_at is None]
    parts = register.some_parts([request.id for request in pending], PRESERVED)
    for request in pending:
        if request.id in parts:
            preserved = decoder_of(Preserved).decode(parts[request.id])
            if row in preserved.contacts or any(kept == row for _, kept in preserved.rows):
                yield request


ENDPOINTS: Final = (get("/open", show),)
