"""What every page of a plan shows at its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm_compliance.console.visit import Visit
    from jobs.model.plan import Plan


def head_of(visit: Visit, plan: Plan) -> dict[str, Any]:
    """Return what every page of a plan shows at its head."""
    return {"plan": plan, "plan_state": plan.state(visit.now).value, "day_of": visit.services.calendar.day(plan.as_of)}
