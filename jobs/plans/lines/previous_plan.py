"""The plan that a plan is held against: the last one before it that looked at the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.model.plan import LinesRemoved
from jobs.plans.lines.compare import Comparison, compare
from jobs.plans.lines.view import LinesView

if TYPE_CHECKING:
    from jobs.model.plan import Plan
    from jobs.ports.store.store import Store


def previous_of(store: Store, plan: Plan) -> Plan | None:
    """Return the last plan before this one of the same kind and CRM, None where there is none. One that
    looked at another day than its own tells nothing of what has changed since."""
    for other in store.plans.newest([plan.kind], before=plan.id):
        if other.crm == plan.crm and not other.as_of_given:
            return other
    return None


def since_previous(store: Store, plan: Plan) -> Comparison | None:
    """Compare a plan with the one before it; None where there is none, or its lines have expired."""
    if plan.as_of_given or (previous := previous_of(store, plan)) is None:
        return None
    try:
        return compare(LinesView.of(store, previous.id), LinesView.of(store, plan.id))
    except LinesRemoved:
        return None
