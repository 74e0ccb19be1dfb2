"""All plans, the newest first."""

from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans.new_plan import MADE_BY_PEOPLE, making
from crm_compliance.wiring.mapping import rules_in_force
from jobs.inbox.of_no_use import why_of_no_use
from jobs.model.plan import Kind
from rules.errors import UsageError
from rules.model.roles import Act

A_PAGE: Final = 25
APPLIED: Final = {"": None, "open": False, "applied": True}


def show(visit: Visit) -> Response:
    """Show a page of plans. Raises UsageError: a kind that there is not."""
    kind, state, before = visit.query("kind"), visit.query("state"), visit.query("before")
    if (kind and kind not in set(Kind)) or state not in APPLIED:
        raise UsageError("plans cannot be filtered by that", hint="choose in the list", where="kind, state")
    store, rules = visit.services.listed, rules_in_force(visit.services.settings)
    kinds = (Kind(kind),) if kind else ()
    found = list(islice(store.plans.newest(kinds, is_applied=APPLIED[state], before=before), A_PAGE + 1))
    asked = {name: value for name, value in (("kind", kind), ("state", state)) if value}
    shown = found[:A_PAGE]
    return visit.page(
        "plans/index.html.j2",
        plans=[(plan, plan.state(visit.now).value, why_of_no_use(store, plan, visit.now, rules)) for plan in shown],
        kind=kind,
        chosen=state,
        kinds=list(Kind),
        newest=f"/plans?{urlencode(asked)}" if before else "",
        older=f"/plans?{urlencode(asked | {'before': shown[-1].id})}" if len(found) > A_PAGE else "",
        is_filtered=bool(asked or before),
        stopped_since=store.kill_switch.stopped_since(),
        making=making(visit),
        made_by_people=MADE_BY_PEOPLE,
    )


ENDPOINTS: Final = (get("/plans", show, Act.SEE_REPORTS),)
