"""The lines of a plan: filtered, sorted, page by page."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.list_page import Pages
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans.head import head_of
from crm_compliance.console.pages.plans.plan import category_name
from crm_compliance.reports.parts.links import safe_link
from jobs.model.plan import LinesRemoved, Plan
from jobs.plans.lines.query import FILTERS, SORTS, LinePage, LineQuery
from rules.errors import UsageError
from rules.model.roles import Act

A_PAGE: Final = 50
NONE: Final = "-"  # stands for "" in an address: an empty field of a form is a filter that is not set
COLUMNS: Final = ("table", "outcome", "retention_end", "reason", "categories")


def query_of(visit: Visit) -> LineQuery:
    """Read what is asked from the address. Raises UsageError: a sort or a place that there is not."""
    filters = {name: "" if value == NONE else value for name in FILTERS if (value := visit.query(name))}
    offset = visit.query("offset", "0")
    if not offset.isdecimal() or len(offset) > 9:
        raise UsageError("this is not a place in the list", hint="begin at the first page", where="offset")
    return LineQuery(
        **filters,
        id=visit.query("id")[:64],
        sort=visit.query("sort"),
        descending=visit.query("descending") == "1",
        offset=int(offset),
        limit=A_PAGE,
    )


def asked(query: LineQuery) -> dict[str, str]:
    """Return what an address says of filters and order, without the page."""
    found = {name: value or NONE for name in FILTERS if (value := getattr(query, name)) is not None}
    if query.id:
        found["id"] = query.id
    if query.sort:
        found["sort"] = query.sort
    if query.descending:
        found["descending"] = "1"
    return found


def show(visit: Visit) -> Response:
    """Show a page of lines; for htmx the list alone."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    query = query_of(visit)
    try:
        page = visit.services.lines.of(plan.id).page(query)
    except LinesRemoved:
        return visit.page("plans/lines.html.j2", **head_of(visit, plan), is_gone=True)
    link = visit.services.links(plan.crm)
    values: dict[str, Any] = {
        "page": page,
        "ask": query,
        "address": lambda line: safe_link(link(line.table, line.id)),
        "options": {name: list(_options(visit, query, page, name)) for name in FILTERS},
        "category_name": lambda key: category_name(visit, key),
        "columns": [(name, *_column(plan, query, name)) for name in COLUMNS],
        "is_gone": False,
        "pages": _pages(plan, query, page),
        "is_filtered": any(name in asked(query) for name in (*FILTERS, "id")),
        "files": {suffix: f"/plans/{plan.id}/lines.{suffix}?{urlencode(asked(query))}" for suffix in ("xlsx", "csv")},
    }
    if visit.is_part:
        return visit.part("plans/lines_list.html.j2", **head_of(visit, plan), **values)
    return visit.page("plans/lines.html.j2", **head_of(visit, plan), **values)


def _pages(plan: Plan, query: LineQuery, page: LinePage) -> Pages:
    after = page.next_offset(query)
    return Pages(
        query.offset + 1 if page.lines else 0,
        query.offset + len(page.lines),
        page.total,
        _at(plan, query, offset=max(0, query.offset - A_PAGE)) if query.offset and page.total else "",
        _at(plan, query, offset=after) if after is not None else "",
    )


def _at(plan: Plan, query: LineQuery, *, offset: int = 0, **other: str) -> str:
    said = asked(query) | other | ({"offset": str(offset)} if offset else {})
    return f"/plans/{plan.id}/lines?{urlencode({name: value for name, value in said.items() if value})}"


def _column(plan: Plan, query: LineQuery, name: str) -> tuple[str, str]:
    """Return where the head of a column leads, and how it is sorted now: upwards, then downwards, then as the
    plan has it."""
    assert name in SORTS
    if query.sort != name:
        return _at(plan, query, sort=name, descending=""), ""
    if not query.descending:
        return _at(plan, query, descending="1"), "ascending"
    return _at(plan, query, sort="", descending=""), "descending"


def _options(visit: Visit, query: LineQuery, page: LinePage, name: str) -> Iterator[tuple[str, str]]:
    """Yield what can be chosen for a filter, with how many lines there are of it; what is chosen is always
    among it."""
    found: dict[str, int] = dict(getattr(page.facets, name))
    chosen = getattr(query, name)
    if chosen is not None:
        found.setdefault(chosen, 0)
    for value, number in found.items():
        yield value or NONE, f"{_word(visit, name, value)} ({visit.formats.number(number)})"


def _word(visit: Visit, name: str, value: str) -> str:
    if name == "category":
        return category_name(visit, value)
    if not value:
        return visit.say("none")
    if name in ("outcome", "disposition"):
        return visit.word("outcome", value)
    if name == "table":
        return visit.word("table", value)
    return f"{visit.word(name, value).rstrip('.')} · {value}"  # of a reason or a flag


ENDPOINTS: Final = (get("/plans/{plan}/lines", show, Act.SEE_REPORTS),)
