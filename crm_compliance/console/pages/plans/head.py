"""What every page of a plan shows at its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.model.plan import Plan, PlanState
from jobs.runs.run_states import run_and_state

if TYPE_CHECKING:
    from crm_compliance.console.frame.visit import Visit


def head_of(visit: Visit, plan: Plan) -> dict[str, Any]:
    """Return what every page of a plan shows at its head."""
    day = visit.services.calendar.day(plan.as_of)
    at = visit.formats.day(day) if plan.as_of_given else visit.formats.clock(plan.as_of)  # several are made on one day
    return {"plan": plan, "plan_state": _state_of(visit, plan), "day_of": day, "plan_of": visit.say("Plan of %(day)s") % {"day": at}}


def _state_of(visit: Visit, plan: Plan) -> str:
    """Return the state of a plan; while it is carried out, that of its run, and applied once that is over:
    it may have ended since the plan was read."""
    store, state = visit.services.store, plan.state(visit.now)
    run = store.runs.of_plan(plan.id) if state is not PlanState.APPLIED else None
    if run is None:
        return state.value
    run, told = run_and_state(store, run)
    return PlanState.APPLIED.value if run.is_over else told
