"""The holds in a list: in force, past their review, over; the hold flags of the CRM; and for whoever may see
it what pending requests keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.endpoint import get
from crm_compliance.console.visit import Visit
from crm_compliance.reports.documents import flag_documents, request_hold_documents
from crm_compliance.wiring import mapped_tables
from rules.errors import UsageError
from rules.holds.placements import PlacedHold
from rules.model.roles import Act

ON_A_PAGE: Final = 50
IN_FORCE: Final = "in_force"
FLAGS: Final = "crm"
OF_REQUESTS: Final = "requests"
PLACED: Final[Mapping[str, Callable[[PlacedHold, date], bool]]] = {
    IN_FORCE: PlacedHold.is_in_force,
    "review": PlacedHold.is_overdue,
    "over": lambda hold, day: not hold.is_in_force(day),
}


def show(visit: Visit) -> Response:
    """Show one of the lists, fifty holds on a page."""
    store, day = visit.services.store, visit.services.calendar.day(visit.now)
    wanted = visit.query("show", IN_FORCE)
    if wanted not in (*PLACED, FLAGS, OF_REQUESTS):
        raise UsageError("there is nothing of that name", where="show")
    if wanted == OF_REQUESTS:
        visit.refuse(Act.SEE_HOLDS_OF_REQUESTS)
    holds = store.holds.all()
    lists: dict[str, Sequence[Any]] = {name: [hold for hold in reversed(holds) if fits(hold, day)] for name, fits in PLACED.items()}
    lists["review"] = sorted((hold for hold in holds if hold.is_overdue(day)), key=lambda hold: hold.review_on)
    lists[FLAGS] = flag_documents(store.plans.newest(), visit.services.settings.crm_url)
    if wanted == OF_REQUESTS:
        lists[OF_REQUESTS] = request_hold_documents(store, mapped_tables(visit.services.settings))
    found = lists[wanted]
    page = visit.page_number(len(found), ON_A_PAGE)
    first = (page - 1) * ON_A_PAGE
    return visit.page(
        "holds/register.html.j2",
        wanted=wanted,
        counts={name: len(each) for name, each in lists.items() if name != OF_REQUESTS},
        sees_requests=visit.may(Act.SEE_HOLDS_OF_REQUESTS),
        may_place=visit.may(Act.PLACE_HOLD),
        found=found[first : first + ON_A_PAGE],
        today=day,
        first=first + 1,
        last=min(first + ON_A_PAGE, len(found)),
        total=len(found),
        before=_address(wanted, page - 1) if page > 1 else "",
        after=_address(wanted, page + 1) if first + ON_A_PAGE < len(found) else "",
    )


def _address(wanted: str, page: int) -> str:
    return f"/holds?{urlencode({'show': wanted, 'page': str(page)})}"


ENDPOINTS: Final = (get("/holds", show, Act.SEE_HOLDS),)
