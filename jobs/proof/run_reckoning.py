"""Proof that a run left nothing out: units read have one outcome each, which add up (ACC-03, R-143)."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from jobs.model.plan import Plan, PlanLine
from jobs.model.run import Action, ActionState, Run
from jobs.plans.lines.pages import lines_of
from jobs.ports.store.store import Store
from rules.dates.calendar import Calendar
from rules.decoders import converted
from rules.model.decisions import Reason

DISPOSED, PARTIAL, SKIPPED, HELD, OPEN = "disposed", "partial", "skipped", "held", "open"
# A unit of which nothing was written is skipped, whatever the reason.
OUTCOMES = {ActionState.DONE: DISPOSED, ActionState.PARTIAL: PARTIAL, ActionState.SKIPPED: SKIPPED, ActionState.FAILED: SKIPPED}


class Completeness(msgspec.Struct, frozen=True):
    """The units of a run. `outcomes` are disposed, partial, skipped and `retained:REASON`, and add up to
    `units`; so do disposed, partial, skipped, held and open of `past_end` to its `units`."""

    units: int
    outcomes: dict[str, int]
    past_end: dict[str, int]

    @property
    def adds_up(self) -> bool:
        parts = sum(count for name, count in self.past_end.items() if name != "units")
        return sum(self.outcomes.values()) == self.units and parts == self.past_end["units"]


def reckon(plan: Plan, lines: Iterable[PlanLine], journal: Iterable[Action], calendar: Calendar) -> Completeness:
    """Assign each line of a plan its one outcome. What a run did beside its plan (trims, units of an earlier
    plan) is not included."""
    states: Mapping[tuple[str, str], ActionState] = {action.key: action.state for action in journal}
    day = calendar.day(plan.as_of).isoformat()
    units, outcomes = 0, Counter[str]()
    past_end = Counter(dict.fromkeys(("units", DISPOSED, PARTIAL, SKIPPED, HELD, OPEN), 0))
    for line in lines:
        units += 1
        state = states.get(line.key) if line.is_disposal else None
        # Of a unit that an unfinished run has not come to, or is at, nothing is known to be gone.
        outcome = OUTCOMES.get(state, PARTIAL) if state is not None else SKIPPED if line.is_disposal else f"retained:{line.reason}"
        outcomes[outcome] += 1
        if line.retention_end is not None and line.retention_end < day:
            past_end["units"] += 1
            past_end[outcome if line.is_disposal else _why_kept(line.reason)] += 1
    return Completeness(units, dict(sorted(outcomes.items())), dict(past_end))


def reckoning_of(store: Store, run: Run, calendar: Calendar) -> Completeness:
    """Return a run's completeness: as noted if lines or journal have expired (ACC-07), else counted."""
    if run.reckoned:
        return converted(run.reckoned, Completeness)
    plan = store.plans.get(run.plan)
    return reckon(plan, lines_of(store.plans.pages(plan.id)), store.journal.of_run(run.id), calendar)


def _why_kept(reason: str) -> str:
    """Return why a unit past its end is kept: by a hold, or because it is open (4.2)."""
    if reason.startswith("HOLD_"):
        return HELD
    return OPEN if reason == Reason.OPEN_DOSSIER else f"retained:{reason}"
