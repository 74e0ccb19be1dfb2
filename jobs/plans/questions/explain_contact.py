"""Says what would become of one contact now, and why. Whoever leads to it is looked at too, since one may
keep another, and one that goes may take another along. Source: RET-04, RET-20."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.holds.active import active_holds
from jobs.model.plan import PlanLine
from jobs.model.run import TRIM
from jobs.plans.draft import line_of
from jobs.ports.context import JobContext
from jobs.reading.few_rows import CONTACT_FIELDS, PARTY_FIELDS, rows_anywhere
from jobs.reading.gather import FILE_ROWS, NOBODY, TIES, add_relations, gather_units
from jobs.reading.participations import naming_kinds, participations
from jobs.reading.relations import relations_after
from jobs.reading.row_kinds import UnitTables
from jobs.reading.units import Gathering, is_anonymised
from rules.errors import NotFound
from rules.law.of_units import decisions
from rules.model.decisions import Decision, Disposition, Reason, Step
from rules.model.records import Contact, Party, Record, UnitKind
from rules.retention.contacts import ContactFacts, contact_decision, contact_outcomes
from rules.retention.relations import RelationTerms, relation_terms

MOST_PEOPLE = 200  # who lead to one contact; of more nobody is looked at, and all of them count as staying

Owner = tuple[str | None, str | None]


@dataclass
class _Circle:
    """A contact and those who lead to it, directly or over others: whose parent one of them is, or about whom
    an activity is in which one of them takes part. `taking` is, for each, what these activities belong to, as
    (kind, id); `is_whole`: nobody was left out."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    parties: list[Party] = field(default_factory=list)
    taking: dict[str, list[Owner]] = field(default_factory=dict)
    is_whole: bool = True

    def leading_to(self, row: str) -> tuple[set[str], set[str]]:
        """Return who has this contact as a parent, and about whom it takes part in activities."""
        pointing = {one.id for one in self.contacts.values() if one.parent == row and one.id != row}
        return pointing, {about for kind, about in self.taking.get(row, ()) if kind == "contact" and about and about != row}

    def in_shared(self, row: str, found: Gathering) -> int:
        """Return how many roles and activities of a contact are in a fiche of several dossiers: in no unit
        either, but they go with the last of these."""
        roles = sum(party.contact == row and found.is_shared(party.fiche) for party in self.parties)
        return roles + sum(kind == "fiche" and found.is_shared(regarding) for kind, regarding in self.taking.get(row, ()))

    def wanted(self, own: list[str]) -> Mapping[UnitKind, list[str]]:
        """Return the ids of all that refers to one of them, by kind; `own` are the kinds of dependent tables
        that have a term."""
        taking = [owner for owners in self.taking.values() for owner in owners]
        dossiers = {party.dossier for party in self.parties} | {row for kind, row in taking if kind == "dossier"}
        fiches = {party.fiche for party in self.parties} | {row for kind, row in taking if kind == "fiche"}
        rows = {row for kind, row in taking if kind in own}
        recordings = {row for kind, row in taking if kind == "recording"}
        ids = {UnitKind.DOSSIER: dossiers, UnitKind.FICHE: fiches, UnitKind.RECORDING: recordings, UnitKind.OWN_TABLE: rows}
        return {kind: sorted(row for row in found if row is not None) for kind, found in ids.items()}


def explain_contact(context: JobContext, table: str, row: str) -> tuple[PlanLine, list[Step]]:
    """Explain a contact, which has no term of its own. It is deleted with the last unit that refers to it,
    unless a relation remains. Raises NotFound."""
    connector, day, terms = context.connector, context.today, relation_terms(context.policy)
    retaining = connector.retaining((*FILE_ROWS, Contact, *naming_kinds(connector), *(record for record, _, _ in TIES.values())))
    circle = _circle_of(connector, row, retaining)
    if row not in circle.contacts:
        raise NotFound("there is no such contact", where=f"{table} {row[:64]}")
    gathering = _gathered(context, circle, terms, retaining)
    holds = active_holds(context, day)
    units = [unit for unit in gathering.every_unit() if not is_anonymised(unit)]  # the others have no term any more, and stay (ERA-07)
    decided = list(zip(units, decisions(units, context.policy, holds, day), strict=True))
    going = {unit.id for unit, verdict in decided if verdict.is_disposal}
    held = frozenset(one for one in circle.contacts if holds.on_rows([("contact", one)]))
    undone = context.store.journal.undone(table, circle.contacts)
    facts, is_tied = facts_after(gathering, going, undone, held, day=day, terms=terms, of_files=connector.all_kinds.of_files)
    verdicts = contact_outcomes(facts)
    own_holds = holds.on_rows([("contact", row)])
    kept = Decision(Disposition.KEEP, own_holds, None, (), (), "HLD-04") if own_holds else None
    decision = contact_decision(row, verdicts) or kept or Decision(Disposition.KEEP, (Reason.NOT_EXPIRED,), None, (), (), "RET-20")
    tables = UnitTables(connector)
    mine = {unit.id for person, unit in zip(gathering.people, gathering.places, strict=True) if person == row and unit is not None}
    of_mine = [(unit, verdict) for unit, verdict in decided if unit.id in mine]
    refer: dict[str, object] = {f"{tables.of(unit)} {unit.id}": verdict.reason.value for unit, verdict in of_mine}
    places = zip(gathering.people, gathering.places, strict=True)
    loose = sum(person == row and (unit is None or is_anonymised(unit)) for person, unit in places)
    loose -= circle.in_shared(row, gathering)
    pointing, about = circle.leading_to(row)
    staying = len((pointing | about) - verdicts.remove) if circle.is_whole else len(pointing | about)
    contact = circle.contacts[row]
    related = row in is_tied or bool(contact.newsletter) or contact.parent_kind == "account"
    steps = [
        Step("RET-20", refer, f"{sum(1 for _, verdict in of_mine if not verdict.is_disposal)} units that stay refer to this contact"),
        Step("RET-20", {"contacts_that_point_here": len(pointing), "activities_about_others": len(about)}, f"{staying} of these stay"),
        *([Step("RET-20", {"in_no_unit": loose}, "keep")] if loose else []),
        *([Step("RET-20", {"mentioned_by_others": staying}, "keep")] if row in verdicts.mentioned else []),
        Step("HLD-04", {"contact": "its own row"}, [reason.value for reason in own_holds]),
        Step("RET-20", {"relation": related}, "trimmed" if row in verdicts.trim else decision.disposition.value),
    ]
    return line_of(table, row, contact.etag, decision, context.policy.version), steps


def _circle_of(connector: Connector, row: str, retaining: frozenset[type[Record]]) -> _Circle:
    found, asked, waiting = _Circle(), set[str](), {row}
    while waiting:
        ids = sorted(waiting)
        asked |= waiting
        people = rows_anywhere(connector, Contact, CONTACT_FIELDS, Among("id", ids), retaining)
        found.contacts.update((contact.id, contact) for contact in people)
        there = sorted(contact.id for contact in people)
        found.parties += rows_anywhere(connector, Party, PARTY_FIELDS, Among("contact", there), retaining)
        taking = participations(connector, there, retaining)
        found.taking.update(taking)
        waiting = {child.id for child in rows_anywhere(connector, Contact, ("parent",), Among("parent", there), retaining)}
        waiting |= {about for owners in taking.values() for kind, about in owners if kind == "contact" and about is not None}
        waiting -= asked
        if len(asked) + len(waiting) > MOST_PEOPLE:
            found.is_whole = False
            break
    return found


def _gathered(context: JobContext, circle: _Circle, terms: RelationTerms, retaining: frozenset[type[Record]]) -> Gathering:
    """Read everything that refers to the people of a circle."""
    connector = context.connector
    live = circle.contacts if Contact not in retaining else NOBODY  # else they may be those of another storage
    found = gather_units(connector, circle.wanted([kind.word for kind in connector.all_kinds.termed]), retaining, live)
    found.contacts.update(circle.contacts)
    add_relations(connector, found, Among("contact", sorted(circle.contacts)), terms=terms, retaining=retaining)
    for person, owners in circle.taking.items():
        for kind, regarding in owners:
            found.take_part(person, found.recordings.get(regarding or "") if kind == "recording" else found.hook_of(kind, regarding))
    for party in circle.parties:
        if party.contact is not None and party.dossier is None and party.fiche is None:  # a role in nothing stays
            found.take_part(party.contact, None)
    if not circle.is_whole:
        for person in circle.contacts:
            found.take_part(person, None)
    return found


def facts_after(
    found: Gathering,
    going: set[str],
    undone: Mapping[str, str],
    held: frozenset[str],
    *,
    day: date,
    terms: RelationTerms,
    of_files: Collection[str],
) -> tuple[ContactFacts, set[str]]:
    """Return who refers to whom once the units of these ids are deleted, and who has a relation that lasts;
    `undone` are contacts that an earlier run should have removed or trimmed, `of_files` the dependent tables
    that belong to files."""
    relations = relations_after(found, going, day=day, terms=terms)
    again = {one for one, what in undone.items() if terms.are_off or what == TRIM}
    places = list(zip(found.people, found.places, strict=True))
    gone = [(person, unit) for person, unit in places if unit is not None and unit.id in going]
    lapsed = relations.lapsed | (undone.keys() - again) | {person for person, _ in gone}
    # An activity about a gift says nothing of the missions: the end of a relation is no reason to trim.
    leaving = {person for person, unit in gone if unit.relation is None or unit.word in of_files}
    facts = ContactFacts(
        contacts=found.contacts,
        kept={person for person, unit in places if unit is None or unit.id not in going},
        going=leaving | again,
        about=found.about,
        relations=relations.lasting,
        lapsed=lapsed,
        held=held,
    )
    return facts, relations.lasting
