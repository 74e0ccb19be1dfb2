"""What earlier plans and runs on one CRM show: what is usual, what was seen, what is missing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connectors.interface.connector import Connector
from jobs.model.plan import Alarm, Kind, Plan
from jobs.model.run import AWAITS_TURN, CHANGED, Action, ActionState, Run
from jobs.ports.store.store import Store
from jobs.reading.out_of_reach import LONG_TERM
from rules.dates.calendar import Calendar

VIEW_SHRANK, NOTHING_DUE, NO_RUN, BACKLOG = "VIEW_SHRANK", "NOTHING_DUE", "NO_RUN", "BACKLOG"
NEWS_DAYS = 30  # for so long every plan names a column that is new


@dataclass(frozen=True, slots=True)
class EarlierPlans:
    """The plans and runs of one CRM, each newest first; those that another CRM had in the same store are not
    among them."""

    store: Store
    plans: tuple[Plan, ...]
    runs: tuple[Run, ...]

    @classmethod
    def of(cls, store: Store, crm: str) -> "EarlierPlans":
        """Read them all."""
        plans = {plan.id: plan for plan in store.plans.all() if plan.crm == crm}
        return cls(store, tuple(plans.values()), tuple(run for run in store.runs.all() if run.plan in plans))

    def completed(self, kind: Kind) -> list[Run]:
        """Return the completed runs of this kind."""
        return [run for run in self.runs if run.is_over and run.kind is kind]

    def disposals(self, kind: Kind) -> list[int]:
        """Return what completed runs of this kind disposed of, units and recordings together. Runs that did
        not count are left out."""
        counted = (run.counts.get("disposed") for run in self.completed(kind))
        return [sum(numbers.values()) for numbers in counted if isinstance(numbers, dict)]

    def disposals_of(self, category: str, kind: Kind) -> list[int]:
        """Return what completed runs of this kind disposed of in one category, zeros included."""
        return [numbers.get(category, 0) for run in self.completed(kind) if (numbers := _by_category(run)) is not None]

    def disposed_categories(self) -> set[str]:
        """Return the categories of which some completed run has disposed."""
        return {category for run in self.runs if run.is_over for category, number in (_by_category(run) or {}).items() if number}

    def drifted(self) -> set[tuple[str, str]]:
        """Return the units, as (table, id), that had changed after two people approved their disposal. No run
        has dealt with them since."""
        approved = {plan.id for plan in self.plans if plan.needed}
        of_approved = {run.id for run in self.runs if run.plan in approved}
        return {action.key for run, action in self.store.journal.last_skips() if run in of_approved and action.code == CHANGED}

    def waiting_there(self) -> set[tuple[str, str]]:
        """Return the units, as (table, id), that the last run left since a row of theirs in long-term
        retention belongs to something that stays as well: they wait by design, perhaps for years. One that
        waits for what should go itself is none."""
        skips = (action for _, action in self.store.journal.last_skips())
        return {action.key for action in skips if action.code == LONG_TERM and AWAITS_TURN not in action.flags}

    def columns_known(self, now: datetime) -> tuple[str, ...] | None:
        """Return the unmapped columns that are not new; None if there was no plan yet. They are those of a
        plan older than the days for which a new column is reported, or of the first plan of all."""
        older = (plan for plan in self.plans if plan.created_at <= now - timedelta(days=NEWS_DAYS))
        plan = next(older, self.plans[-1] if self.plans else None)
        return None if plan is None else plan.unaccounted

    def last_view(self, kind: Kind) -> Plan | None:
        """Return the last plan of this kind whose view is fit for comparison. It has no alarm about its view,
        or was applied."""
        doubted = (VIEW_SHRANK, NOTHING_DUE)
        return next(
            (plan for plan in self.plans if plan.kind is kind and (plan.applied or not any(each.code in doubted for each in plan.alarms))),
            None,
        )

    def old_plan(self, kind: Kind, before: datetime) -> Plan | None:
        """Return the last plan of this kind that was made at `before` or earlier, for its own day."""
        return next((plan for plan in self.plans if plan.kind is kind and plan.created_at <= before and not plan.as_of_given), None)

    def removed_since(self, plan: Plan, crm: Connector) -> Counter[str]:
        """Return how many rows our own runs have deleted since a plan was made, by table. What a run counted
        at its end has those of units that it left half done too, each once; of one that has not ended its
        journal tells."""
        removed: Counter[str] = Counter()
        for run in self._since(plan):
            if isinstance(counted := run.counts.get("rows"), dict):
                removed.update(counted)
            else:
                removed.update(write.key(crm)[0] for action in self._written(run) for write in action.rows if write.operation == "delete")
        return removed

    def disposed_since(self, plan: Plan) -> int:
        """Return how many units our own runs have disposed of since a plan was made, contacts included."""
        return sum(1 for run in self._since(plan) for _ in self._written(run))

    def has_run_on(self, day: date, kind: Kind, calendar: Calendar) -> bool:
        """Return whether a run that looks at units of this kind was completed for this day."""
        kinds = (kind, Kind.ALL)
        return any(run.is_over and run.kind in kinds and calendar.day(run.as_of) == day for run in self.runs)

    def missing_runs(self, wanted: Kind, now: datetime, hours: int) -> list[Alarm]:
        """Return an alarm for each kind without a completed run for so many hours, after one before."""
        alarms = []
        for kind in (Kind.RETENTION, Kind.RECORDINGS) if wanted is Kind.ALL else (wanted,):
            ends = [run.ended_at for run in self.runs if run.is_over and run.ended_at is not None and run.kind in (kind, Kind.ALL)]
            if ends and now - max(ends) > timedelta(hours=hours):
                gone = int((now - max(ends)).total_seconds() // 3600)
                alarms.append(Alarm.of(NO_RUN, "no_run", kind=kind.value, hours=gone))
        return alarms

    def _since(self, plan: Plan) -> Iterator[Run]:
        """Yield the runs that were at work after a plan was made. Its own was, and those of later plans were,
        also where the clock was set back in between."""
        ids = [each.id for each in self.plans]
        later = {*ids[: ids.index(plan.id) + 1]}
        yield from (run for run in self.runs if run.plan in later or run.ended_at is None or run.ended_at >= plan.created_at)

    def _written(self, run: Run) -> Iterator[Action]:
        """Yield the units whose rows are deleted, even if another place is still to be cleaned (ERA-12)."""
        for action in self.store.journal.of_run(run.id):
            if (action.removed_at or action.state is ActionState.DONE) and action.disposition != "trim":
                yield action


def _by_category(run: Run) -> dict[str, int] | None:
    """Return what a run disposed of by category; None if it was not counted."""
    counted = run.counts.get("by_category")
    return counted if isinstance(counted, dict) else None
