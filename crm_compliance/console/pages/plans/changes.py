"""What a plan says differently from an earlier one of its kind, unit by unit."""

from __future__ import annotations

from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.endpoint import get
from crm_compliance.console.pages.plans.opening import lines_of
from crm_compliance.console.pages.plans.plan import head_of
from crm_compliance.console.visit import Visit
from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.plan.changes import COUNTS, why_changed
from jobs.model.plan import LinesRemoved, Plan
from jobs.plans.lines.compare import ADDED, CHANGED, REMOVED, Comparison
from rules.errors import UsageError
from rules.model.roles import Act

A_PAGE: Final = 50
EARLIER: Final = 15  # plans that can be chosen to compare with
LOOKED_BACK: Final = 60  # plans that are looked at for them
KINDS: Final = ("", ADDED, REMOVED, CHANGED)


def earlier(visit: Visit, plan: Plan) -> list[Plan]:
    """Return the plans of its kind and CRM before a plan, the newest first: what it may be compared with.
    Plans for another day are not among them."""
    before = islice(visit.services.store.plans.newest((plan.kind,), before=plan.id), LOOKED_BACK)
    return list(islice((each for each in before if each.crm == plan.crm and not each.as_of_given), EARLIER))


def compared_with(visit: Visit, plan: Plan, since: str) -> Comparison:
    """Compare a plan with an earlier one. Raises UsageError: there is no such plan; LinesRemoved: the lines
    of one of them have had their day."""
    before = visit.services.store.plans.get(since)
    lines_of(visit, before.id)
    lines_of(visit, plan.id)
    return visit.services.lines.compared(before.id, plan.id)


def show(visit: Visit) -> Response:
    """Show what changed since the plan before, or since another that the address names. Raises UsageError: a
    filter or a place that there is not."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    chosen, offset = visit.query("change"), visit.query("offset", "0")
    if chosen not in KINDS or not offset.isdecimal() or len(offset) > 9:
        raise UsageError("changes cannot be shown by that", hint="choose in the list", where="change, offset")
    choices = earlier(visit, plan)
    since = visit.query("since") or (choices[0].id if choices else "")
    values = {**head_of(visit, plan), "choices": choices, "since": since}
    if not since:
        return visit.page("plans/changes.html.j2", **values, found=None, is_gone=False)
    try:
        found = compared_with(visit, plan, since)
    except LinesRemoved:
        return visit.page("plans/changes.html.j2", **values, found=None, is_gone=True)
    at, link = int(offset), visit.services.links(plan.crm)
    numbers = {name: int(getattr(found, name)) for name in COUNTS}
    total = numbers[chosen] if chosen else sum(numbers[name] for name in KINDS if name)
    shown = list(found.changes(chosen, offset=at, limit=A_PAGE))

    def address(change: str = chosen, place: int = 0) -> str:
        asked = {"since": since, "change": change, "offset": str(place) if place else ""}
        return f"/plans/{plan.id}/changes?{urlencode({name: value for name, value in asked.items() if value})}"

    return visit.page(
        "plans/changes.html.j2",
        **values,
        found=found,
        is_gone=False,
        numbers=numbers,
        total=total,
        chosen=chosen,
        changes=[(each, why_changed(each, visit.language)) for each in shown],
        at=address,
        link=lambda change: safe_link(link(change.table, change.id)),
        first=at + 1 if shown else 0,
        last=at + len(shown),
        before=address(place=max(0, at - A_PAGE)) if at else "",
        after=address(place=at + A_PAGE) if at + len(shown) < total else "",
        files={suffix: f"/plans/{plan.id}/changes.{suffix}?{urlencode({'since': since})}" for suffix in ("xlsx", "csv")},
    )


ENDPOINTS: Final = (get("/plans/{plan}/changes", show, Act.SEE_REPORTS),)
