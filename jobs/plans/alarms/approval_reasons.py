"""What stops a plan until two people have looked: the circuit breaker, and what else to see first."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping

from jobs.holds.look_up import HOLD_NOT_FOUND
from jobs.model.plan import Alarm, Breaker, CategoryCounter, Counter, Kind, Plan
from jobs.model.run import REQUEST_UNDONE
from jobs.plans.alarms.earlier_plans import VIEW_SHRANK, EarlierPlans
from jobs.plans.alarms.observations import CANARY, Observations
from jobs.plans.alarms.restore_alarms import STORE_RECOVERED
from jobs.plans.draft import RECORDING_KINDS, Draft
from jobs.ports.context import JobContext
from rules.model.records import UnitKind
from rules.policy.limits import Limit
from rules.retention.breaker import breaker, category_breaker

BREAKER_TRIPPED, CATEGORY_LIMIT, FIRST_RUN, DRIFTED = "BREAKER_TRIPPED", "CATEGORY_LIMIT", "FIRST_RUN", "DRIFTED"
# Alarms that a person looks at before anything is written.
NEEDS_APPROVAL = (VIEW_SHRANK, CANARY, HOLD_NOT_FOUND, STORE_RECOVERED, REQUEST_UNDONE)
WHY = (BREAKER_TRIPPED, CATEGORY_LIMIT, FIRST_RUN, DRIFTED, *NEEDS_APPROVAL)


class Planned:
    """How much a plan disposes of in earnest, by counter and by category; `read` are all units of a category,
    kept ones too."""

    def __init__(self, draft: Draft, observations: Observations) -> None:
        aside: Counts[str] = Counts()
        aside_of: Counts[str] = Counts()
        for kind, decision in observations.aside:
            aside["recordings" if kind in RECORDING_KINDS else "units"] += kind is not UnitKind.CONTACT
            aside_of.update(decision.categories)
        self.counters = {name: number - aside[name] for name, number in draft.planned().items()}
        totals = {total.category: total for total in draft.by_category()}
        self.of = {key: total.delete + total.anonymise - aside_of[key] for key, total in totals.items()}
        self.read = {key: total.delete + total.anonymise + total.retain for key, total in totals.items()}


def breaker_of(context: JobContext, earlier_plans: EarlierPlans, kind: Kind, planned: Planned) -> Breaker:
    """Return the result of the circuit breaker. It covers the whole, by the last runs of the same kind, and
    each category that the policy limits."""
    limits = context.policy.limits
    units = counter_of(context, kind, "units", planned.counters["units"], limits.units)
    recordings = counter_of(context, kind, "recordings", planned.counters["recordings"], limits.recordings)
    categories: dict[str, CategoryCounter] = {}
    for key, limit in limits.categories.items():
        found = category_breaker(planned.of.get(key, 0), planned.read.get(key, 0), earlier_plans.disposals_of(key, kind), limit)
        categories[key] = CategoryCounter(found.planned, found.limit, found.median, found.tripped)
    tripped = units.tripped or recordings.tripped or any(counter.tripped for counter in categories.values())
    return Breaker(tripped, units, recordings, categories)


def counter_of(context: JobContext, kind: Kind, counter: str, planned: int, limit: Limit) -> Counter:
    """Return a counter of the circuit breaker, against its limits and the last runs of its kind (RET-24)."""
    finding = breaker(planned, context.store.runs.disposals(kind, counter, 30), limit)
    return Counter(planned, finding.limit, finding.median, finding.tripped)


def needs_a_look(context: JobContext, plan: Plan) -> bool:
    """Return whether two people look first, by the schedule of this context, at what a plan of another
    version disposes of: by the limits of the whole and of each category (RET-24), or as the first of a
    category. What a run of it leaves aside was not noted by category, so it counts."""
    policy, counters = context.policy, plan.breaker
    whole = (("units", counters.units.planned, policy.limits.units), ("recordings", counters.recordings.planned, policy.limits.recordings))
    if any(counter_of(context, plan.kind, *counted).tripped for counted in whole):
        return True
    earlier_plans = EarlierPlans.of(context.store, plan.crm)
    planned = {total.category: total.delete + total.anonymise for total in plan.categories}
    read = {total.category: planned[total.category] + total.retain for total in plan.categories}
    return _is_first(context, earlier_plans, planned) or any(
        category_breaker(planned.get(key, 0), read.get(key, 0), earlier_plans.disposals_of(key, plan.kind), limit).tripped
        for key, limit in policy.limits.categories.items()
    )


def _is_first(context: JobContext, earlier_plans: EarlierPlans, planned: Mapping[str, int]) -> bool:
    """Return whether two people look at the first disposals of a category, and these are some."""
    going = {key for key, number in planned.items() if number > 0}
    return context.policy.approvals.first_run and bool(going - earlier_plans.disposed_categories())


def why(
    context: JobContext, earlier_plans: EarlierPlans, planned: Planned, found: Breaker, observations: Observations, alarms: Iterable[Alarm]
) -> tuple[str, ...]:
    """Return the codes of all that requires two approvals, empty if nothing does, in the order of WHY."""
    codes = {alarm.code for alarm in alarms if alarm.code in NEEDS_APPROVAL}
    if found.units.tripped or found.recordings.tripped:
        codes.add(BREAKER_TRIPPED)
    if any(counter.tripped for counter in found.categories.values()):
        codes.add(CATEGORY_LIMIT)
    if _is_first(context, earlier_plans, planned.of):
        codes.add(FIRST_RUN)
    if observations.drifted:
        codes.add(DRIFTED)
    return tuple(code for code in WHY if code in codes)
