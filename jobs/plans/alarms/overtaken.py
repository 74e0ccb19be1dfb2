"""What became of other plans after a plan was made: carried out, so that what it counts is no longer so, or
rejected."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from jobs.model.plan import Kind, Plan, PlanState
from jobs.model.run import Run
from jobs.ports.store.store import Store

NIGHTS: Final = frozenset({Kind.RETENTION, Kind.RECORDINGS})  # both of which a plan of everything looks at


def looked_at(plan: Plan) -> frozenset[Kind]:
    """Return the kinds of nights whose units a plan looks at; for any other plan its own kind."""
    return NIGHTS if plan.kind is Kind.ALL else frozenset({plan.kind})


def is_replaced(plan: Plan, newer: Iterable[Plan]) -> bool:
    """Return whether newer plans that were carried out have together looked at all that this one does."""
    same = [other for other in newer if other.request == plan.request]
    return looked_at(plan) <= frozenset().union(*map(looked_at, same))


def overtaken_by(store: Store, plan: Plan) -> Run | None:
    """Return the last run that has disposed of units which a plan of the nights looks at, after that was made
    and not for it; None where there is none."""
    if not looked_at(plan) <= NIGHTS:
        return None
    for run in store.runs.newest():
        if run.ended_at is not None and run.ended_at <= plan.created_at:
            return None  # one run ends before the next begins
        if run.plan == plan.id or not _has_disposed(run):
            continue
        other = store.plans.get(run.plan)
        if other.crm == plan.crm and not looked_at(plan).isdisjoint(looked_at(other)):
            return run
    return None


def is_passed_over(store: Store, plan: Plan, now: datetime) -> bool:
    """Return whether no night carries this plan out, whoever approves it, since of each kind that it looks at
    a later one was rejected (`approved_plan`)."""
    kinds = set(looked_at(plan))
    if not kinds <= NIGHTS:
        return False
    for other in store.plans.newest((*kinds, Kind.ALL), is_applied=False):
        if other.id == plan.id:
            return False
        if other.needed and not other.as_of_given and other.crm == plan.crm and other.state(now) is PlanState.REJECTED:
            kinds -= looked_at(other)
            if not kinds:
                return True
    return False


def _has_disposed(run: Run) -> bool:
    """Return whether anything has gone with a run; of one that is at work, whether anything may have."""
    return not run.is_over or any(run.counts.get(name) for name in ("deleted", "anonymised", "partial"))
