"""The holds in a list: in force, past their review, over; the hold flags of the CRM; and for whoever may see
it what pending requests keep. Each is filtered, and read as far as it is shown."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.holds.new_hold import tables_to_hold
from crm_compliance.reports.holds import HeldRows, held_by_flags, held_by_requests
from crm_compliance.wiring.mapping import mapped_tables
from jobs.model.hold_query import HoldList, HoldQuery
from rules.errors import UsageError
from rules.holds.placements import HoldType
from rules.model.roles import Act

ON_A_PAGE: Final = 50
PLACED: Final = (HoldList.IN_FORCE, HoldList.REVIEW, HoldList.OVER)
FLAGS: Final = "crm"
OF_REQUESTS: Final = "requests"
FILTERS: Final = ("type", "table", "id")


def show(visit: Visit) -> Response:
    """Show a page of one of the lists. Raises UsageError: a list or a type that there is not."""
    store, day = visit.services.listed, visit.services.calendar.day(visit.now)
    wanted, chosen = visit.query("show", HoldList.IN_FORCE), {name: visit.query(name).strip() for name in FILTERS}
    if wanted not in (*PLACED, FLAGS, OF_REQUESTS) or chosen["type"] not in ("", *HoldType):
        raise UsageError("there is nothing of that name", where="show, type")
    flags = held_by_flags(store.plans.newest(), visit.services.settings.crm_url)
    counts = {each.value: store.holds.number(HoldQuery(day, each)) for each in PLACED} | {FLAGS: len(flags)}
    found: Sequence[Any]
    if wanted in PLACED:
        query = HoldQuery(day, HoldList(wanted), chosen["type"], chosen["table"], chosen["id"])
        page = visit.list_page(store.holds.number(query) if any(chosen.values()) else counts[wanted], ON_A_PAGE)
        found = store.holds.page(query, offset=page.offset, limit=ON_A_PAGE).holds
    else:
        rows = (flags if wanted == FLAGS else _of_requests(visit)).filtered(chosen["table"], chosen["id"])
        page = visit.list_page(len(rows), ON_A_PAGE)
        found = rows.documents(page.offset, ON_A_PAGE)
    asked = {"show": wanted, **{name: value for name, value in chosen.items() if value}}
    return visit.page(
        "holds/register.html.j2",
        wanted=wanted,
        is_placed=wanted in PLACED,
        counts=counts,
        chosen=chosen,
        is_filtered=any(chosen.values()),
        types=list(HoldType),
        tables=tables_to_hold(visit),
        sees_requests=visit.may(Act.SEE_HOLDS_OF_REQUESTS),
        may_place=visit.may(Act.PLACE_HOLD),
        found=found,
        today=day,
        pages=page.pages(lambda number: f"/holds?{urlencode(asked | {'page': str(number)})}"),
    )


def _of_requests(visit: Visit) -> HeldRows:
    visit.refuse(Act.SEE_HOLDS_OF_REQUESTS)
    return held_by_requests(visit.services.store, mapped_tables(visit.services.settings))


ENDPOINTS: Final = (get("/holds", show, Act.SEE_HOLDS),)
