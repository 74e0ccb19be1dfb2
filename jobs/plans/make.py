"""Makes a plan: reads everything, decides on every unit, and stores what would become of each. Writes nothing
to the CRM (R-061)."""

from __future__ import annotations

import hashlib
from collections import Counter as Counts
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.checks.ledger_drift import refuse_altered
from jobs.checks.same_clock import refuse_other_clock
from jobs.checks.whole_view import permitted
from jobs.holds.active import active_holds
from jobs.holds.look_up import look_up_unseen, not_found
from jobs.ledger.plan_lines import digest_head
from jobs.model.plan import LINE_COLUMNS, LOOKING_AT_DOSSIERS, Alarm, CategoryTotal, HoldChange, Kind, LinesRemoved, Plan, PlanLine
from jobs.model.run import TRIM
from jobs.model.sentence import Sentence
from jobs.model.work_queue import WorkQueue
from jobs.plans.approval_reasons import Planned, breaker_of, why
from jobs.plans.cascade_preview import cascade_counts_among
from jobs.plans.category_names import is_of_the_crm, totals_with_names
from jobs.plans.draft import Draft
from jobs.plans.earlier_plans import BACKLOG, EarlierPlans
from jobs.plans.lines.pages import is_disposal, lines_of
from jobs.plans.observations import CANARY, Observations, missed_changes, nothing_due, shrunk, unaccounted
from jobs.plans.recovered_store import recovered_store
from jobs.plans.undecided_units import alarm_of, look_at_queue
from jobs.plans.undone_writes import undone_writes
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.reading.tables.night import gather
from jobs.writing.bypass import bypass_planned
from jobs.writing.contact_check import STILL_REFERRED
from rules.errors import PolicyError
from rules.holds.placements import PlacedHold
from rules.model.data_map import DataMap
from rules.model.decisions import Flag, with_flags
from rules.model.records import Contact, Note, UnitKind
from rules.model.roles import SERVICE, Act, needed
from rules.retention.contacts import orphan_contact, removed_contact
from rules.retention.relations import relation_terms

if TYPE_CHECKING:
    import polars as pl

    from jobs.plans.decided_units import Decided
    from jobs.reading.tables.whole_tables import WholeTables


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


def decide_all(context: JobContext, draft: Draft, kind: Kind, day: date, observations: Observations) -> set[str]:
    """Read everything and decide on every unit, by kind and id so that the order of reading does not matter;
    give the contacts to trim."""
    import polars as pl

    from jobs.plans.contact_outcomes import all_contact_outcomes
    from jobs.plans.decided_units import Decided
    from jobs.plans.possible_duplicates import possible_duplicates
    from jobs.reading.tables.names import Names
    from jobs.reading.tables.out_of_reach import retained_units, unreachable
    from jobs.reading.tables.row_numbers import BASE

    connector, policy, terms = context.connector, context.policy, relation_terms(context.policy)
    context.workers.ready()
    told = Counts(connector.stats.missed)
    found = gather(connector, kind, progress=observations.seen, terms=terms)
    draft.missed = Counts(connector.stats.missed) - told
    draft.retained_rows, draft.lake_instant = found.retained_rows, found.lake_instant
    anonymised, draft.left_in_anonymised = found.anonymised, found.left_in_anonymised
    draft.out_of_scope = sum(not may_stay for may_stay in found.beyond.values())
    if kind is not Kind.RECORDINGS:
        draft.fiches_in_anonymised, draft.reopened_anonymised = found.fiches_in_anonymised, found.reopened_anonymised
    draft.notes_about_nothing = found.notes_about_nothing
    holds = active_holds(context, day)
    same = set[int]()

    def forget() -> None:
        found.forget_facts()
        if kind is not Kind.RECORDINGS:
            same.update(possible_duplicates(found, as_of=day, scheme=policy.defaults.national_number))
        found.forget_births()

    decided = Decided.of(found, connector, policy, holds, day, context.workers, after=forget)
    staying = unreachable(connector, found, decided.told("row", "is_held", "disposition"), policy)
    decided = decided.lined(kind)
    decided = decided.flagged(Flag.POSSIBLE_DUPLICATE, same)
    decided = decided.flagged(Flag.LONG_TERM_RETENTION, staying | retained_units(found))
    going = observations.look_at(decided, staying)
    decided = decided.with_owners(found, going)
    draft.crm_holds += decided.crm_holds()
    draft.victims = cascade_counts_among(connector, going_rows(found, decided, going)) if len(going) else {}
    found.forget_all_but_names()
    for lines, shapes in decided.lines():
        draft.add(lines, shapes, decided.names.of)
    del decided
    found.forget_units()
    if kind is Kind.RECORDINGS:
        return set()
    # A contact whose removal or trim was planned before and has not happened would look like one that was
    # never linked (RET-20).
    people = connector.table(Contact)
    held = holds.on_contacts()
    draft.without_term, draft.calls_about_nothing = found.without_term(anonymised), found.calls_about_nothing
    undone = context.store.journal.undone(people)
    outcomes = all_contact_outcomes(found, going, undone, day=day, terms=terms, held=held, of_files=connector.all_kinds.of_files)
    draft.mentioned = len(outcomes.mentioned)
    draft.held_contacts += [(contact, stopped.disposition, held[stopped.by].value) for contact, stopped in outcomes.held.items()]
    # Who is mentioned is remembered by the run in which the last unit goes: once, as mentions may never end.
    draft.held_contacts += [(contact, TRIM, STILL_REFERRED) for contact in outcomes.waiting if undone.get(contact) != TRIM]
    retained = list(found.contacts.of(found.retained).values())
    lines = pl.concat(
        pl.DataFrame({"number": numbers}).select(
            row=pl.col("number") + BASE[UnitKind.CONTACT], shape=shape + pl.col("number").is_in(retained).cast(pl.UInt32)
        )
        for shape, numbers in ((0, outcomes.remove), (2, outcomes.orphans))
    )
    names = Names(found)
    lines = lines[names.order(lines["row"])]
    decisions = [with_flags(each, *flags) for each in (removed_contact(), orphan_contact()) for flags in ((), (Flag.LONG_TERM_RETENTION,))]
    nothing = pl.lit(None, pl.Date)
    draft.add(
        lines.with_columns(retention_end=nothing, anchor_on=nothing),
        [(UnitKind.CONTACT, people, decision) for decision in decisions],
        names.of,
    )
    # Contacts in long-term retention that would have to be trimmed, which no write can do, or purged where no
    # job of ours may. They are in the plan all the same: a run notes that they stay, or a later one would
    # take them for ones that were never linked.
    draft.notes_on_trimmed = about_contacts(connector, kind, found, outcomes.trim)
    trims, removals = outcomes.trim & found.retained, lines.filter(pl.col("shape") == 1).height
    if out_of_reach := len(trims) + (removals if removals and not connector.may_purge_retained() else 0):
        observations.waiting[LONG_TERM] += out_of_reach
    return set(outcomes.trim)


def going_rows(found: WholeTables, decided: Decided, going: pl.Series) -> dict[str, Iterator[str]]:
    """Return the ids of what is deleted of units that go, by table: their own rows, and those fiches of
    dossiers and lone fiches that are in no other dossier."""
    import polars as pl

    from jobs.reading.tables.row_numbers import BASE

    units = decided.told("source", "row").filter(pl.col("row").is_in(going.implode()))
    fiches = found.fiches.frame.select("source", "dossier", "is_shared").with_row_index("row", BASE[UnitKind.FICHE])
    fiches = fiches.filter(~pl.col("is_shared") & pl.col("dossier").is_in(going.implode()).fill_null(False))
    return decided.ids_by_table(pl.concat([units, fiches.select("source", "row")]))


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


def from_lake(instant: datetime | None) -> Iterator[Sentence]:
    """Yield that the rows are those of a lake, and how new it is."""
    if instant is not None:
        yield Sentence.of("plan_from_lake", at=f"{instant:%Y-%m-%dT%H:%M:%SZ}")


def unmapped(categories: Iterable[CategoryTotal]) -> tuple[Sentence, ...]:
    """Name category values that the mapping does not know (R-161)."""
    found = [total for total in categories if is_of_the_crm(total.category)]
    return tuple(Sentence.of("category_unmapped", category=total.name, units=total.retain) for total in found)


def overlooked(retained: Mapping[str, int], unaccounted: Collection[str], known: Collection[str] | None) -> Iterator[Sentence]:
    """Yield what is easily overlooked: rows in long-term retention, and new columns that may hold personal
    data. `known` are the columns that are not new (`Past.columns_known`)."""
    for table, rows in retained.items():
        yield Sentence.of("retained_rows", rows=rows, table=table)
    new = sorted(set(unaccounted) - set(known)) if known is not None else []
    if new:
        yield Sentence.of("new_columns", columns=", ".join(new))


def kept_for_ever(draft: Draft) -> Iterator[Sentence]:
    """Yield what stays without a line and would for ever, unless a person looks at it."""
    if draft.without_term:
        yield Sentence.of("without_term", people=draft.without_term)
    if draft.mentioned:
        yield Sentence.of("still_mentioned", people=draft.mentioned)
    if draft.fiches_in_anonymised:
        yield Sentence.of("fiches_in_anonymised", fiches=draft.fiches_in_anonymised)
    if draft.reopened_anonymised:
        yield Sentence.of("reopened_anonymised", dossiers=draft.reopened_anonymised)
    if draft.left_in_anonymised:
        yield Sentence.of("left_in_anonymised", rows=draft.left_in_anonymised)
    if draft.calls_about_nothing:
        yield Sentence.of("calls_about_nothing", calls=draft.calls_about_nothing)
    if draft.out_of_scope:
        yield Sentence.of("of_what_has_no_kind", rows=draft.out_of_scope)


def of_no_unit(draft: Draft, places: DataMap | None, observations: Observations, connector: Connector) -> Iterator[Sentence]:
    """Yield how many rows are in no unit although their table is mapped: a condition with a slip in it leaves
    out what was meant, and what a note or a dependent row belonged to may have been deleted by hand."""
    if draft.notes_about_nothing:
        yield Sentence.of("rows_about_nothing", rows=draft.notes_about_nothing, table=", ".join(connector.tables(Note)))
    looked_at = observations.tables(connector)
    for place in places.tables if places is not None else ():
        if place.loose:
            yield Sentence.of("rows_about_nothing", rows=place.loose, table=place.table)
        if place.in_anonymised:
            yield Sentence.of("rows_in_anonymised", rows=place.in_anonymised, table=place.table)
        if place.table in looked_at and place.beyond and not connector.may_stay(place.table):
            yield Sentence.of("of_no_kind", rows=place.beyond, table=place.table)


def about_contacts(connector: Connector, kind: Kind, found: WholeTables, contacts: Collection[str]) -> int:
    """Return how many notes and activities belong to these contacts: they stay, and a person should check
    them (RET-20)."""
    number = found.number_about(contacts)
    if kind is Kind.RETENTION:  # such a plan has read no notes
        pages = connector.read(Note, ("regarding",), among=Among("regarding", sorted(contacts)))
        number += sum(len(page) for page in pages)
    return number


def plan_entry(plan: Plan) -> dict[str, object]:
    """Return what the ledger keeps of a plan: digests and counts."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "kind": plan.kind.value,
        "as_of": plan.as_of.isoformat(),
        "policy_version": plan.policy_version,
        "policy_digest": plan.policy_digest,
        "units": plan.units,
        "dispose": plan.dispose,
        "retain": plan.retain,
        "trims": plan.to_trim,
        "held_contacts": len(plan.held_contacts),
        "breaker": plan.breaker.tripped,
        "why": plan.why,
        **({"lake": plan.lake_instant.isoformat()} if plan.lake_instant is not None else {}),
        "alarms": [alarm.code for alarm in plan.alarms],
        "waiting": plan.waiting,
        **({"bypass": plan.bypass} if plan.bypass else {}),
        "document": hashlib.sha256(plan.document.encode()).hexdigest(),
    }


def public_line(line: PlanLine) -> dict[str, object]:
    """Return a line as the plan file has it."""
    built = msgspec.to_builtins(line)
    return {key: built[key] for key in LINE_COLUMNS} | {key: value for key, value in built.items() if key not in LINE_COLUMNS}
