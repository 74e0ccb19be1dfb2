"""Plans that wait and that nothing applies any more, so that nobody need be asked for their approval."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from jobs.model.plan import GRANTED_NO_MORE, RULES_CHANGED, Kind, Plan, PlanState
from jobs.ports.store.store import Store
from jobs.register.decision import DISPOSING, decision_of
from rules.model.requests import ANSWERED

Rules = tuple[Collection[str], str]  # the digests of the versions of a schedule that are at hand, and of a mapping
OPEN: Final = (PlanState.WAITING, PlanState.READY)


def why_of_no_use(store: Store, plan: Plan, now: datetime, rules: Rules | None) -> str:
    """Return the code with which a plan that waits would be refused, whoever approves it: other `rules` are
    in force than those that made it, or of its request nothing is to be disposed of any more. Empty where it
    does not wait, or may still be applied as far as can be told without the CRM; with `rules` None nothing is
    said of them."""
    if plan.as_of_given or plan.state(now) not in OPEN or store.runs.of_plan(plan.id) is not None:
        return ""
    if rules is not None and (plan.policy_digest not in rules[0] or plan.mapping_digest != rules[1]):
        return RULES_CHANGED
    return "" if plan.kind is not Kind.REQUEST or _is_granted(store, plan.request) else GRANTED_NO_MORE


def _is_granted(store: Store, request: str) -> bool:
    if store.requests.get(request).state not in ANSWERED:
        return False
    decision = decision_of(store, request)
    return decision is not None and bool(decision.of(DISPOSING))
