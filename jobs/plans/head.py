"""The head of a plan: totals, what the guards say of all that was decided, and who has to review it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.holds.look_up import not_found
from jobs.model.plan import LOOKING_AT_DOSSIERS, Alarm, HoldChange, Kind, LinesRemoved, Plan
from jobs.model.work_queue import WorkQueue
from jobs.plans.alarms.approval_reasons import Planned, breaker_of, why
from jobs.plans.alarms.earlier_plans import BACKLOG, EarlierPlans
from jobs.plans.alarms.observations import CANARY, Observations, missed_changes, nothing_due, shrunk, unaccounted
from jobs.plans.alarms.restore_alarms import recovered_store, undone_writes
from jobs.plans.alarms.undecided_units import alarm_of
from jobs.plans.alarms.warnings import from_lake, kept_for_ever, of_no_unit, overlooked, unmapped
from jobs.plans.category_names import totals_with_names
from jobs.plans.draft import Draft
from jobs.plans.lines.pages import is_disposal, lines_of
from jobs.ports.context import JobContext
from jobs.writing.bypass import bypass_planned
from rules.holds.placements import PlacedHold
from rules.model.data_map import DataMap
from rules.model.records import Contact
from rules.model.roles import Act, needed


@dataclass(frozen=True, slots=True)
class Decided:
    """What a plan is made of, once every unit is decided on. `as_of` is the moment of which was decided, and
    `is_look` says that it is another one than the plan's own: such a plan is never applied, and what is odd
    about it is that day's own. `lost` are holds on rows that the CRM does not have."""

    context: JobContext
    kind: Kind
    now: datetime
    as_of: datetime
    is_look: bool
    earlier_plans: EarlierPlans
    draft: Draft
    observations: Observations
    trims: set[str]
    queue: WorkQueue
    lost: Sequence[PlacedHold]

    def head(self, digest: str, proposer: str) -> Plan:
        """Return the head of the plan whose lines have this digest."""
        context, draft, observations = self.context, self.draft, self.observations
        policy, categories, planned = context.policy, totals_with_names(context, draft.by_category()), Planned(draft, observations)
        breaker = breaker_of(context, self.earlier_plans, self.kind, planned)
        late = () if self.is_look else self._backlog()
        places = None if self.is_look else context.connector.data_map()
        alarms = (*not_found(self.lost), *self._alarms(late, places)) if places is not None else ()
        reasons = why(context, self.earlier_plans, planned, breaker, observations, alarms)
        retained, unmapped_columns = draft.retained_rows, context.connector.unaccounted_columns()
        return Plan(
            id=context.new_id("plan"),
            kind=self.kind,
            created_at=self.now,
            proposer=proposer,
            as_of=self.as_of,
            as_of_given=self.is_look,
            crm=context.crm,
            policy_name=policy.name,
            policy_version=policy.version,
            policy_digest=policy.digest,
            mapping_digest=context.mapping_digest,
            software_version=context.software_version,
            digest=digest,
            units=draft.units,
            dispose=draft.dispositions(),
            retain=draft.retained(),
            flags=draft.flagged(),
            breaker=breaker,
            valid_until=self.now + timedelta(hours=policy.plan_valid_hours),
            needed=needed(Act.APPROVE_PLAN) if reasons else (),
            categories=categories,
            due_soon=tuple(sorted(draft.due.items())),
            trims=tuple(sorted(self.trims)),
            held_contacts=tuple(sorted(draft.held_contacts)),
            crm_holds=tuple(sorted(draft.crm_holds)),
            hold_changes=_hold_changes(context, self.kind, draft.crm_holds),
            warnings=(
                *from_lake(draft.lake_instant),
                *unmapped(categories),
                *overlooked(retained, unmapped_columns, self.earlier_plans.columns_known(self.now)),
                *kept_for_ever(draft),
                *of_no_unit(draft, places, observations, context.connector),
            ),
            notes_on_trimmed=draft.notes_on_trimmed,
            victims=draft.victims,
            taken_along=tuple(sorted(context.connector.taken_along())),
            why=reasons,
            approval_hours=policy.approvals.valid_hours,
            alarms=alarms,
            seen=observations.rows(context.connector),
            waiting=dict(sorted(observations.waiting.items())),
            backlog=late,
            retained_rows=retained,
            lake_instant=draft.lake_instant,
            unaccounted=unmapped_columns,
            queue=self.queue,
            bypass=bypass_planned(policy, draft.going(), len(self.trims), context.connector.table(Contact)),
        )

    def _alarms(self, late: Sequence[tuple[str, str]], places: DataMap) -> Iterator[Alarm]:
        """Yield what looks wrong before anything is written."""
        context, observations = self.context, self.observations
        policy, connector = context.policy, context.connector
        due = sum(self.draft.planned().values()) - observations.waiting[CANARY]
        yield from observations.odd_canaries(connector)
        yield from shrunk(self.earlier_plans, self.kind, observations.rows(connector), policy.watch, connector)
        yield from nothing_due(self.earlier_plans, self.kind, self.draft.units, due, policy, context.day(self.now))
        if late:
            yield Alarm.of(BACKLOG, "backlog_planned", units=len(late), days=policy.watch.backlog_days)
        if old := alarm_of(self.queue):
            yield old
        context.tables_seen(places)
        yield from unaccounted(places)
        yield from missed_changes(self.draft.missed)
        yield from recovered_store(context)
        yield from undone_writes(context.store, self.kind)
        yield from self.earlier_plans.missing_runs(self.kind, self.now, policy.watch.no_run_hours)

    def _backlog(self) -> tuple[tuple[str, str], ...]:
        """Return the units far past their end that an old plan already disposed of, without those that wait
        by design. Before there is such a plan, nothing is late."""
        if not self.observations.late:
            return ()
        before = self.earlier_plans.old_plan(self.kind, self.now - timedelta(days=self.context.policy.watch.backlog_days))
        if before is None:
            return ()
        try:
            planned = {line.key for line in lines_of(self.context.store.plans.pages(before.id), is_disposal)}
        except LinesRemoved:
            return ()
        late = planned & self.observations.late
        return tuple(sorted(late - self.earlier_plans.waiting_there())) if late else ()


def _hold_changes(context: JobContext, kind: Kind, holds: Iterable[tuple[str, str]]) -> tuple[HoldChange, ...]:
    """Return what changed in the CRM's hold flags since the last plan of dossiers (HLD-14, R-154)."""
    if kind is Kind.RECORDINGS:
        return ()
    before = next((plan for plan in context.store.plans.newest(LOOKING_AT_DOSSIERS) if plan.crm == context.crm), None)
    if before is None:
        return ()
    old, new = set(before.crm_holds), set(holds)
    changes = [HoldChange(*hold, "set") for hold in new - old] + [HoldChange(*hold, "cleared") for hold in old - new]
    return tuple(sorted(changes, key=lambda change: (change.change, change.table, change.id)))
