"""All runs, those that carried out a plan and the jobs without one, filtered and page by page."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from jobs.history.wanted_runs import Wanted, listed
from jobs.ledger.maintenance_runs import HOUSEKEEPING, REQUESTS
from jobs.model.plan import Kind
from jobs.model.run import INTERRUPTED, RunState
from jobs.runs.run_states import lines_and_runs_at_work, state_of
from rules.errors import UsageError
from rules.model.roles import Act

ON_A_PAGE: Final = 50
KINDS: Final = (*(kind.value for kind in Kind), REQUESTS, HOUSEKEEPING)
STATES: Final = (*(state.value for state in RunState), INTERRUPTED)


def show(visit: Visit) -> Response:
    """Show the runs that are wanted, fifty on a page, the newest first."""
    wanted = _wanted(visit)
    lines, at_work = lines_and_runs_at_work(visit.services.listed)
    is_backwards = wanted.first is not None and wanted.last is not None and wanted.first > wanted.last
    found = lines if wanted.is_anything else listed(lines, wanted, visit.services.calendar, at_work)
    page = visit.list_page(len(found), ON_A_PAGE)
    return visit.page(
        "history/runs.html.j2",
        status=400 if is_backwards else 200,
        wanted=wanted,
        is_backwards=is_backwards,
        kinds=[(kind, visit.word("kind", kind)) for kind in KINDS],
        states=[(state, visit.word("state", state)) for state in STATES],
        runs=[(line, state_of(line, at_work)) for line in page.of(found)],
        pages=page.pages(visit.page_at("/history", "kind", "state", "from", "to")),
        of_all=len(lines),
        verified=visit.services.store.verifications.last(),
    )


def _wanted(visit: Visit) -> Wanted:
    kind, state = visit.query("kind"), visit.query("state")
    _refuse_unknown(kind, KINDS, "kind")
    _refuse_unknown(state, STATES, "state")
    first, last = visit.asked_day("from", visit.say("From")), visit.asked_day("to", visit.say("To and including"))
    return Wanted(kind=kind, state=state, first=first, last=last)


def _refuse_unknown(code: str, known: Sequence[str], where: str) -> None:
    if code and code not in known:
        raise UsageError("there is nothing of that name", where=where)


ENDPOINTS: Final = (get("/history", show, Act.SEE_HISTORY),)
