"""Decides on every unit and every contact of the CRM, for a plan."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.holds.active import active_holds
from jobs.model.plan import Kind
from jobs.model.run import TRIM
from jobs.plans.alarms.observations import Observations
from jobs.plans.cascade_preview import cascade_counts_among
from jobs.plans.draft import Draft
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.reading.tables.night import gather
from jobs.writing.contact_check import STILL_REFERRED
from rules.model.decisions import Flag, Reason, with_flags
from rules.model.records import Contact, Note, UnitKind
from rules.retention.contacts import orphan_contact, removed_contact
from rules.retention.relations import relation_terms

if TYPE_CHECKING:
    import polars as pl

    from jobs.plans.decided_units import Decided
    from jobs.reading.tables.whole_tables import WholeTables


def decide_all(context: JobContext, draft: Draft, kind: Kind, day: date, observations: Observations) -> set[str]:
    """Read everything and decide on every unit, by kind and id so that the order of reading does not matter;
    give the contacts to trim."""
    from jobs.plans.decided_units import Decided
    from jobs.plans.possible_duplicates import possible_duplicates
    from jobs.reading.tables.out_of_reach import retained_units, unreachable

    connector, policy, terms = context.connector, context.policy, relation_terms(context.policy)
    context.workers.ready()
    told = Counts(connector.stats.missed)
    found = gather(connector, kind, progress=observations.seen, terms=terms)
    draft.missed = Counts(connector.stats.missed) - told
    draft.retained_rows, draft.lake_instant = found.retained_rows, found.lake_instant
    anonymised, draft.left_in_anonymised = found.anonymised.units, found.left_in_anonymised
    draft.out_of_scope = sum(not may_stay for may_stay in found.beyond.values())
    if kind is not Kind.RECORDINGS:
        draft.fiches_in_anonymised, draft.reopened_anonymised = found.anonymised.live_fiches, found.anonymised.open_dossiers
    draft.notes_about_nothing = found.notes_about_nothing
    holds = active_holds(context, day)
    same = set[int]()

    def forget() -> None:
        found.forget_facts()
        if kind is not Kind.RECORDINGS:
            same.update(possible_duplicates(found, as_of=day, scheme=policy.defaults.national_number))
        found.particulars.forget_births()

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
    draft.without_term, draft.calls_about_nothing = found.without_term(anonymised), found.calls_about_nothing
    return decide_on_contacts(context, draft, kind, day, observations, found, going, holds.on_contacts())


def decide_on_contacts(
    context: JobContext,
    draft: Draft,
    kind: Kind,
    day: date,
    observations: Observations,
    found: WholeTables,
    going: pl.Series,
    held: Mapping[str, Reason],
) -> set[str]:
    """Decide on every contact, knowing which units go; give those to trim."""
    import polars as pl

    from jobs.plans.contact_outcomes import all_contact_outcomes
    from jobs.reading.tables.names import Names
    from jobs.reading.tables.row_numbers import BASE

    connector, terms = context.connector, relation_terms(context.policy)
    # A contact whose removal or trim was planned before and has not happened would look like one that was
    # never linked (RET-20).
    people = connector.table(Contact)
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


def about_contacts(connector: Connector, kind: Kind, found: WholeTables, contacts: Collection[str]) -> int:
    """Return how many notes and activities belong to these contacts: they stay, and a person should check
    them (RET-20)."""
    number = found.number_about(contacts)
    if kind is Kind.RETENTION:  # such a plan has read no notes
        pages = connector.read(Note, ("regarding",), among=Among("regarding", sorted(contacts)))
        number += sum(len(page) for page in pages)
    return number
