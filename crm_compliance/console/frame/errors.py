"""What a person sees where something is refused or fails: what is wrong, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import PlainTextResponse, Response

from crm_compliance.console.language.error_codes import GENERAL
from crm_compliance.console.language.error_message import ErrorMessage
from rules.errors import ComplianceError, NotFound

if TYPE_CHECKING:
    from crm_compliance.console.frame.visit import Visit

FORBIDDEN: Final = frozenset({"no_role", "role", "same_person", "old_page"})
OURS: Final = frozenset({"disk", "key", "keys_missing", "open_to_others", "store"})  # nothing is wrong with what was asked
NOT_FOUND, CONFLICT, UNREACHABLE, BUG = 404, 409, 503, 500
STATUS_OF_CODE: Final = {"store": UNREACHABLE, "too_large": 413, "too_many": 429}
STATUS_OF_EXIT: Final = {2: 400, 3: 500, 4: UNREACHABLE, 5: CONFLICT, 6: CONFLICT, 7: BUG}
log = structlog.get_logger()


def status_of(error: ComplianceError) -> int:
    """Return the status code that says what kind of error it is."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    if error.code in OURS:
        return BUG
    return 403 if error.code in FORBIDDEN else STATUS_OF_EXIT.get(error.exit_code, BUG)


def told_when(status: int, error: ComplianceError) -> dict[str, str]:
    """Return the header that says when it may go better, where that is a matter of time."""
    return {"Retry-After": "60"} if status in (429, UNREACHABLE) or error.code == "busy" else {}


def refused(visit: Visit, error: ComplianceError) -> Response:
    """Answer with what an act raised, and say when it may go better."""
    response = _refused(visit, error)
    response.headers.update(told_when(response.status_code, error))
    return response


def _refused(visit: Visit, error: ComplianceError) -> Response:
    """Answer as a page, or for htmx as a message in its place. An id in an address that nothing has is an
    address that there is not."""
    status = NOT_FOUND if isinstance(error, NotFound) else status_of(error)
    if status >= BUG:
        log.error("a page could not be answered", code=error.code, operation=getattr(visit.request.scope.get("route"), "path", ""))
    found = visit.told(error)
    if visit.session is None and error.code in OURS:  # where our files and database are is nothing for strangers
        found = found._replace(detail="", where="")
    if status == NOT_FOUND and error.code in GENERAL:  # which says no more than that there is none
        what = visit.word("error", "not_found") if visit.is_part else visit.say("There is no such page.")
        found = ErrorMessage(what, "", str(error), "not_found", "")
    if visit.is_part:
        return visit.part("error_part.html.j2", status=status, error=found)
    came_from, path = visit.came_from, visit.request.url.path
    is_form = visit.request.method == "POST" or (came_from.partition("?")[0] == path and came_from != visit.here)  # or a filter
    return visit.page("error.html.j2", status=status, error=found, back=came_from if is_form else "")


def nothing_here(visit: Visit) -> Response:
    """Answer for an address that there is not."""
    if visit.session is None:
        return PlainTextResponse("not found\n", status_code=NOT_FOUND)
    found = ErrorMessage(visit.say("There is no such page."), "", "", "not_found", "")
    return visit.page("error.html.j2", status=NOT_FOUND, error=found)
