"""One plan: what it would do, why it waits, and who has said what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.configuration.cron_lines import trigger_of
from crm_compliance.configuration.hours import crons_of
from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import AFRESH, Visit
from crm_compliance.console.pages.plans.approvals import approvals_of
from crm_compliance.console.pages.plans.head import head_of
from crm_compliance.console.pages.plans.progress import progress_of
from crm_compliance.reports.plan.listed_units import table_rank
from crm_compliance.wiring.mapping import rules_in_force
from jobs.inbox.of_no_use import why_of_no_use
from jobs.model.plan import CategoryCounter, Counter, Kind, LinesRemoved, Plan, PlanState
from jobs.nightly.retention import approved_plan
from jobs.plans.alarms.overtaken import is_passed_over, overtaken_by
from jobs.plans.lines.ends_by_month import ends_by_month
from rules.model.decisions import Disposition
from rules.model.roles import Act
from rules.retention.forecast import months_from

MONTHS: Final = 12
NIGHTLY: Final = (Kind.RETENTION, Kind.RECORDINGS)
_DISPOSED: Final = (Disposition.DELETE.value, Disposition.ANONYMISE.value)
SHOWN: Final = 12  # categories and flags that are shown at once; the lines have all


@dataclass(frozen=True, slots=True)
class Finding:
    """What the circuit breaker found for one counter (RET-24)."""

    name: str
    planned: int
    limit: int | None
    median: float | None
    tripped: bool


def show(visit: Visit) -> Response:
    """Show the head of a plan; whoever comes with filters is led to its lines."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    if visit.request.query_params.keys() - {AFRESH}:
        return visit.see(f"/plans/{plan.id}/lines?{visit.request.query_params}")
    store, state = visit.services.store, plan.state(visit.now)
    progress = progress_of(visit, plan)
    run = progress.run if progress is not None else None
    is_open = state in (PlanState.WAITING, PlanState.READY) and run is None
    of_no_use = why_of_no_use(store, plan, visit.now, rules_in_force(visit.services.settings))
    return visit.page(
        "plans/plan.html.j2",
        **head_of(visit, plan),
        figures=_figures(visit, plan),
        categories=_categories(visit, plan),
        reasons=sorted(plan.retain.items(), key=lambda each: (-each[1], each[0])),
        flags=sorted(plan.flags.items(), key=lambda each: (-each[1], each[0])),
        findings=list(_findings(visit, plan)),
        approvals=approvals_of(visit, plan, is_of_use=not of_no_use),
        run=run,
        progress=progress,
        sees_history=visit.may(Act.SEE_HISTORY),
        is_open=is_open,
        of_no_use=of_no_use,
        is_passed_over=is_open and not plan.as_of_given and is_passed_over(store, plan, visit.now),
        overtaken=overtaken_by(store, plan) if is_open and not plan.as_of_given else None,
        stopped_since=store.kill_switch.stopped_since(),
        carried_out_at=_next_hour(visit, plan) if is_open and state is PlanState.READY and plan.needed and not of_no_use else None,
        removed_on=visit.services.calendar.day(plan.created_at) + timedelta(days=30),
        alarms=[(alarm.code, visit.detail(alarm.sentence or alarm.message)) for alarm in plan.alarms],
        warnings=[visit.detail(each) for each in plan.warnings],
        shown=SHOWN,
        lines_at=lambda **filters: lines_address(plan, **filters),
    )


def _next_hour(visit: Visit, plan: Plan) -> datetime | None:
    """Return when a night carries out an approved plan, if it is the one that it takes; None if no night
    will."""
    services, zone = visit.services, visit.services.calendar.zone
    hours = []
    for job, cron in crons_of(services.settings).items():
        if plan.kind in (job, Kind.ALL) and job in NIGHTLY:
            taken = approved_plan(services.store, Kind(job), plan.crm, visit.now)
            hour = trigger_of(cron, zone).get_next_fire_time(None, visit.now.astimezone(zone))
            if taken is not None and taken.id == plan.id and hour is not None and hour < plan.valid_until:
                hours.append(hour)
    return min(hours, default=None)


def lines_address(plan: Plan, **filters: str) -> str:
    """Return the address of the lines of a plan that pass these filters."""
    query = f"?{urlencode(filters)}" if filters else ""
    return f"/plans/{plan.id}/lines{query}"


def months(visit: Visit) -> Response:
    """Show when what is kept comes to its end, as a piece of the page: it takes the lines."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    day = visit.services.calendar.day(plan.as_of)
    last = (day.replace(day=1) + timedelta(days=31 * MONTHS)).replace(day=1) - timedelta(days=1)
    try:
        found = ends_by_month(visit.services.lines.of(plan.id), day, last)
    except LinesRemoved:
        found = {}
    ahead = months_from(day, MONTHS) if found else ()
    month_of, shown = visit.formats.month, visit.formats.month_and_year
    rows = [(month_of(month), found.get(month, 0), *shown(month)) for month in ahead]
    return _counted(visit, plan, "months", rows=rows)


def kinds(visit: Visit) -> Response:
    """Show what becomes of each kind of unit, as a piece of the page: it takes the lines. Contacts have no
    category, so this alone adds up to the figures of the plan."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    try:
        found = visit.services.lines.of(plan.id).by_table()
    except LinesRemoved:
        found = {}
    ways = (*_DISPOSED, "retain")
    rows = [(visit.word("table", table), table, [found[table][way] for way in ways]) for table in sorted(found, key=table_rank)]
    return _counted(visit, plan, "kinds", rows=rows, lines_at=lambda **filters: lines_address(plan, **filters))


def _counted(visit: Visit, plan: Plan, piece: str, **values: Any) -> Response:
    """Answer with what was counted, as a piece of the page, or without script as a page of its own."""
    if visit.is_part:
        return visit.part(f"plans/{piece}.html.j2", **values)
    return visit.page("plans/counted.html.j2", piece=piece, **head_of(visit, plan), **values)


def _figures(visit: Visit, plan: Plan) -> list[tuple[str, str, str, str]]:
    number, say = visit.formats.number, visit.say
    dispose = {each: plan.dispose.get(each, 0) for each in _DISPOSED}
    return [
        (number(plan.units), say("units looked at"), "", lines_address(plan)),
        (number(dispose["delete"]), say("to delete"), "bad" if dispose["delete"] else "", lines_address(plan, disposition="delete")),
        (
            number(dispose["anonymise"]),
            say("to anonymise"),
            "warn" if dispose["anonymise"] else "",
            lines_address(plan, disposition="anonymise"),
        ),
        (number(sum(plan.retain.values())), say("kept"), "good", lines_address(plan, outcome="retain")),
        (
            number(sum(units for _, units in plan.due_soon)),
            say("of these due soon"),
            "info",
            lines_address(plan, reason="NOT_EXPIRED", sort="retention_end"),
        ),
    ]


def _categories(visit: Visit, plan: Plan) -> list[tuple[str, str, int, int, int, int]]:
    """Return key, name, and how many are deleted, anonymised, kept and due soon, the most disposed of
    first."""
    found = sorted(plan.categories, key=lambda each: (-(each.delete + each.anonymise), -each.retain, each.category))
    names = [each.name if each.called else category_name(visit, each.category) for each in found]
    return [(each.category, name, each.delete, each.anonymise, each.retain, each.due_soon) for each, name in zip(found, names, strict=True)]


def category_name(visit: Visit, key: str) -> str:
    """Return a category by its name; where a unit has none, that."""
    return visit.category(key) if key else visit.say("no category")


def _findings(visit: Visit, plan: Plan) -> Iterator[Finding]:
    breaker = plan.breaker
    if not breaker.tripped:
        return
    named: Sequence[tuple[str, Counter | CategoryCounter]] = (
        (visit.say("Units"), breaker.units),
        (visit.say("Recordings"), breaker.recordings),
        *((category_name(visit, key), counter) for key, counter in breaker.categories.items() if counter.tripped),
    )
    for name, counter in named:
        yield Finding(name, counter.planned, counter.limit, counter.median, counter.tripped)


ENDPOINTS: Final = (
    get("/plans/{plan}", show, Act.SEE_REPORTS),
    get("/plans/{plan}/kinds", kinds, Act.SEE_REPORTS),
    get("/plans/{plan}/months", months, Act.SEE_REPORTS),
)
