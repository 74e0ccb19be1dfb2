"""Makes a plan: reads everything, decides on every unit, and stores what would become of each. Writes nothing
to the CRM (R-061)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from jobs.checks.ledger_drift import refuse_altered
from jobs.checks.same_clock import refuse_other_clock
from jobs.checks.whole_view import permitted
from jobs.holds.look_up import look_up_unseen, not_found
from jobs.ledger.plan_lines import digest_head, plan_entry
from jobs.model.plan import LOOKING_AT_DOSSIERS, Alarm, HoldChange, Kind, LinesRemoved, Plan
from jobs.model.sentence import Sentence
from jobs.model.work_queue import WorkQueue
from jobs.plans.approval_reasons import Planned, breaker_of, why
from jobs.plans.category_names import totals_with_names
from jobs.plans.decide import decide_all
from jobs.plans.draft import Draft
from jobs.plans.earlier_plans import BACKLOG, EarlierPlans
from jobs.plans.lines.pages import is_disposal, lines_of
from jobs.plans.observations import CANARY, Observations, missed_changes, nothing_due, shrunk, unaccounted
from jobs.plans.recovered_store import recovered_store
from jobs.plans.undecided_units import alarm_of, look_at_queue
from jobs.plans.undone_writes import undone_writes
from jobs.plans.warnings import from_lake, kept_for_ever, of_no_unit, overlooked, unmapped
from jobs.ports.context import JobContext
from jobs.writing.bypass import bypass_planned
from rules.errors import PolicyError
from rules.holds.placements import PlacedHold
from rules.model.data_map import DataMap
from rules.model.records import Contact
from rules.model.roles import SERVICE, Act, needed


def make_plan(
    context: JobContext, kind: Kind, *, as_of: datetime | None = None, proposer: str = SERVICE, warning: Sentence | None = None
) -> Plan:
    """Decide on every unit and store the plan. `as_of` (aware) decides for another moment than now; such a
    plan can never be applied (DAT-12, R-062). `warning` is kept in the plan before its own. Raises
    ConnectorError: the CRM could not be read whole; nothing is stored."""
    now = context.clock()
    moment = as_of or now
    day = context.day(moment)
    context = context.on(day)
    refuse_altered(context)
    lost = look_up_unseen(context) if as_of is None else []
    if context.policy.valid_from > day:
        raise PolicyError(f"the policy is valid from {context.policy.valid_from} on", hint="plan a later day, or take the version in force")
    head = digest_head(kind, moment, context.crm, context.policy.digest, context.mapping_digest)
    draft = Draft(context.policy.version, day, context.policy.defaults.due_soon_days, head)
    earlier_plans = EarlierPlans.of(context.store, context.crm)
    observations = Observations(context, earlier_plans, kind, day)
    trims = decide_all(context, draft, kind, day, observations)
    refuse_other_clock(context)  # by all the answers that the plan was made of
    permitted(context.connector, context.policy)
    pages, digest = draft.finish(trims)
    queue, moves = look_at_queue(context, observations, day)
    plan = head_of(
        context,
        draft,
        kind,
        earlier_plans=earlier_plans,
        observations=observations,
        now=now,
        as_of=moment,
        given=as_of is not None,
        proposer=proposer,
        trims=trims,
        digest=digest,
        queue=queue,
        lost=lost,
    )
    if warning is not None:
        plan = msgspec.structs.replace(plan, warnings=(warning, *plan.warnings))
    if context.policy_text:
        context.store.policies.remember(context.policy.digest, context.policy.version, context.policy_text)
    context.store.plans.save(plan, pages, ("plan", plan_entry(plan)), None if plan.as_of_given else moves)
    if not plan.as_of_given:
        leave_quarantine(context, observations)
    return plan


def head_of(
    context: JobContext,
    draft: Draft,
    kind: Kind,
    *,
    earlier_plans: EarlierPlans,
    observations: Observations,
    now: datetime,
    as_of: datetime,
    given: bool,
    proposer: str,
    trims: set[str],
    digest: str,
    queue: WorkQueue,
    lost: Sequence[PlacedHold],
) -> Plan:
    """Return the head of the plan: totals, digest, what the guards say, and who has to review it."""
    policy, categories, planned = context.policy, totals_with_names(context, draft.by_category()), Planned(draft, observations)
    breaker = breaker_of(context, earlier_plans, kind, planned)
    late = () if given else backlog_of(context, earlier_plans, kind, observations, now)
    # A look at another day is never applied: what is odd about it is that day's own.
    places = None if given else context.connector.data_map()
    alarms = (
        (*not_found(lost), *alarms_of_plan(context, earlier_plans, kind, draft, observations, late, now, queue, places))
        if places is not None
        else ()
    )
    reasons = why(context, earlier_plans, planned, breaker, observations, alarms)
    retained, unmapped_columns = draft.retained_rows, context.connector.unaccounted_columns()
    return Plan(
        id=context.new_id("plan"),
        kind=kind,
        created_at=now,
        proposer=proposer,
        as_of=as_of,
        as_of_given=given,
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
        valid_until=now + timedelta(hours=policy.plan_valid_hours),
        needed=needed(Act.APPROVE_PLAN) if reasons else (),
        categories=categories,
        due_soon=tuple(sorted(draft.due.items())),
        trims=tuple(sorted(trims)),
        held_contacts=tuple(sorted(draft.held_contacts)),
        crm_holds=tuple(sorted(draft.crm_holds)),
        hold_changes=hold_changes(context, kind, draft.crm_holds),
        warnings=(
            *from_lake(draft.lake_instant),
            *unmapped(categories),
            *overlooked(retained, unmapped_columns, earlier_plans.columns_known(now)),
            *kept_for_ever(draft),
            *of_no_unit(draft, places, observations, context.connector),
        ),
        notes_on_trimmed=draft.notes_on_trimmed,
        victims=draft.victims,
        why=reasons,
        approval_hours=policy.approvals.valid_hours,
        alarms=alarms,
        seen=observations.rows(context.connector),
        waiting=dict(sorted(observations.waiting.items())),
        backlog=late,
        retained_rows=retained,
        lake_instant=draft.lake_instant,
        unaccounted=unmapped_columns,
        queue=queue,
        bypass=bypass_planned(policy, draft.going(), len(trims), context.connector.table(Contact)),
    )


def alarms_of_plan(
    context: JobContext,
    earlier_plans: EarlierPlans,
    kind: Kind,
    draft: Draft,
    observations: Observations,
    late: Sequence[tuple[str, str]],
    now: datetime,
    queue: WorkQueue,
    places: DataMap,
) -> Iterator[Alarm]:
    """Yield what looks wrong before anything is written."""
    policy, connector = context.policy, context.connector
    due = sum(draft.planned().values()) - observations.waiting[CANARY]
    yield from observations.odd_canaries(connector)
    yield from shrunk(earlier_plans, kind, observations.rows(connector), policy.watch, connector)
    yield from nothing_due(earlier_plans, kind, draft.units, due, policy, context.day(now))
    if late:
        yield Alarm.of(BACKLOG, "backlog_planned", units=len(late), days=policy.watch.backlog_days)
    if old := alarm_of(queue):
        yield old
    context.tables_seen(places)
    yield from unaccounted(places)
    yield from missed_changes(draft.missed)
    yield from recovered_store(context)
    yield from undone_writes(context.store, kind)
    yield from earlier_plans.missing_runs(kind, now, policy.watch.no_run_hours)


def backlog_of(
    context: JobContext, earlier_plans: EarlierPlans, kind: Kind, observations: Observations, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Return the units far past their end that an old plan already disposed of, without those that wait by
    design. Before there is such a plan, nothing is late."""
    if not observations.late:
        return ()
    before = earlier_plans.old_plan(kind, now - timedelta(days=context.policy.watch.backlog_days))
    if before is None:
        return ()
    try:
        planned = {line.key for line in lines_of(context.store.plans.pages(before.id), is_disposal)}
    except LinesRemoved:
        return ()
    late = planned & observations.late
    return tuple(sorted(late - earlier_plans.waiting_there())) if late else ()


def leave_quarantine(context: JobContext, observations: Observations) -> None:
    """Release from quarantine those units that are not due any more. Should they be due again, their days
    begin again."""
    left = observations.left(context.connector)
    if left:
        units = [{"ref": context.reference(mark.table, mark.id), "table": mark.table} for mark in left]
        context.store.quarantine.drop([(mark.table, mark.id) for mark in left], [("quarantine_left", {"units": units})])


def hold_changes(context: JobContext, kind: Kind, holds: Iterable[tuple[str, str]]) -> tuple[HoldChange, ...]:
    """Return what changed in the CRM's hold flags since the last plan of dossiers (HLD-14, R-154)."""
    if kind is Kind.RECORDINGS:
        return ()
    before = next((plan for plan in context.store.plans.newest(LOOKING_AT_DOSSIERS) if plan.crm == context.crm), None)
    if before is None:
        return ()
    old, new = set(before.crm_holds), set(holds)
    changes = [HoldChange(*hold, "set") for hold in new - old] + [HoldChange(*hold, "cleared") for hold in old - new]
    return tuple(sorted(changes, key=lambda change: (change.change, change.table, change.id)))
