"""What a plan says differently from an earlier one of its kind, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.list_page import Pages
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans.head import head_of
from crm_compliance.console.pages.plans.plan import category_name
from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.plan.changes import COUNTS, fate
from crm_compliance.reports.plan.headings import heading
from jobs.model.plan import LinesRemoved, Plan, PlanLine
from jobs.plans.lines.compare import ADDED, CHANGED, REMOVED, Change, Comparison
from rules.errors import UsageError
from rules.model.roles import Act

A_PAGE: Final = 50
EARLIER: Final = 15  # plans that can be chosen to compare with
LOOKED_BACK: Final = 60  # plans that are looked at for them
KINDS: Final = ("", ADDED, REMOVED, CHANGED)
WORDS_OF: Final = {"fate": "outcome", "reason": "reason", "reasons": "reason", "flags": "flag"}  # the kind of their codes

Said = tuple[str, str]  # in words, with the code


class Move(NamedTuple):
    """One thing that a plan says differently of a unit: what it is, and what was and is said."""

    name: str
    before: list[Said]
    after: list[Said]


def earlier(visit: Visit, plan: Plan) -> list[Plan]:
    """Return the plans of its kind and CRM before a plan, the newest first: what it may be compared with.
    Plans for another day are not among them."""
    before = islice(visit.services.store.plans.newest((plan.kind,), before=plan.id), LOOKED_BACK)
    return list(islice((each for each in before if each.crm == plan.crm and not each.as_of_given), EARLIER))


def compared_with(visit: Visit, plan: Plan, since: str) -> Comparison:
    """Compare a plan with an earlier one. Raises UsageError: there is no such plan; LinesRemoved: the lines
    of one of them have expired."""
    before = visit.services.store.plans.get(since)
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
        chosen=chosen,
        changes=[(each, list(_moves(visit, each))) for each in shown],
        at=address,
        link=lambda change: safe_link(link(change.table, change.id)),
        pages=Pages(
            at + 1 if shown else 0,
            at + len(shown),
            total,
            address(place=max(0, at - A_PAGE)) if at else "",
            address(place=at + A_PAGE) if at + len(shown) < total else "",
        ),
        files={suffix: f"/plans/{plan.id}/changes.{suffix}?{urlencode({'since': since})}" for suffix in ("xlsx", "csv")},
    )


def _moves(visit: Visit, change: Change) -> Iterator[Move]:
    """Yield what becomes of the unit where that is another thing, then why and when; of a unit that one of
    the plans does not have, what the other says."""
    names = ["reason"]
    if change.before is not None and change.after is not None:
        passed = {"outcome", "disposition", *(("reasons",) if "reason" in change.differs else ())}
        names = [name for name in change.differs if name not in passed]
    if change.before is None or change.after is None or fate(change.before) != fate(change.after):
        names = ["fate", *names]
    for name in names:
        before, after = ([] if line is None else list(_said(visit, line, name)) for line in (change.before, change.after))
        yield Move(heading("outcome" if name == "fate" else name, visit.language), before, after)


def _said(visit: Visit, line: PlanLine, name: str) -> Iterator[Said]:
    value = fate(line) if name == "fate" else getattr(line, name)
    for code in value if isinstance(value, tuple) else (value,) if value else ():
        if name in WORDS_OF:
            yield visit.word(WORDS_OF[name], code), "" if name == "fate" else code
        elif name == "retention_end":
            yield visit.formats.day(code), ""
        elif name == "categories":
            yield category_name(visit, code), ""
        else:
            yield code, ""


ENDPOINTS: Final = (get("/plans/{plan}/changes", show, Act.SEE_REPORTS),)
