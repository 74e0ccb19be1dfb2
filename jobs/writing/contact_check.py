"""Looks again at contacts just before they are removed or trimmed: does anything refer to them now
(RET-20)?"""

from collections import Counter as Counts
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from heapq import heappop, heappush
from typing import cast

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import CHANGED
from jobs.reading.few_rows import PARTY_FIELDS, rows_anywhere, rows_of
from jobs.reading.gather import TIES, add_relations
from jobs.reading.long_term import retained_rows_of
from jobs.reading.out_of_reach import LONG_TERM
from jobs.reading.participations import naming_kinds, participations
from jobs.reading.relations import relations_after
from jobs.reading.units import Gathering
from jobs.writing.row_writes import TRIMMED_FIELDS
from rules.model.decisions import Reason
from rules.model.records import Contact, Donation, Party, UnitKind
from rules.retention.relations import RelationTerms

STILL_REFERRED = "STILL_REFERRED"


@dataclass(frozen=True, slots=True)
class Situation:
    """What a run knows of people beside what the CRM says of them.

    `going` are others that are about to be removed as well: they keep nobody. `held` are under a hold,
    `half_done` had a role in a unit of which a part remains. People who have `given_up` what ties them, on
    their own request, are not subscribers or contacts of an organisation any more, and not donors where gifts
    have a term of their own. `leaving` are ids of units, fiches and roles that are about to be deleted."""

    going: Collection[str] = ()
    held: Mapping[str, Reason] = field(default_factory=dict)
    half_done: Collection[str] = ()
    given_up: Collection[str] = ()
    leaving: Collection[str] = ()


class ContactCheck:
    """What refers to some contacts at this moment, and so which of them may be deleted."""

    def __init__(
        self,
        contacts: dict[str, Contact],
        removals: Collection[str],
        situation: Situation,
        *,
        with_party: Collection[str],
        taking_part: dict[str, list[tuple[str | None, str | None]]],
        children: dict[str, list[str]],
        related: Collection[str],
        retained: Collection[str],
        bound: Collection[str],
        trimmed: Collection[str] = TRIMMED_FIELDS,
    ) -> None:
        self.retained = set(retained)
        self.etags = {contact: row.etag for contact, row in contacts.items()}
        self.already_empty = {contact for contact, row in contacts.items() if all(getattr(row, name, None) is None for name in trimmed)}
        self._contacts = contacts
        self._removals = set(removals)
        self._going = {*situation.going, *removals}
        self._held = situation.held
        self._with_party, self._half_done = set(with_party), set(situation.half_done)
        self._taking_part, self._children = taking_part, children
        self._related, self._bound = set(related), set(bound)
        self._given_up, self._leaving = set(situation.given_up), set(situation.leaving)
        self._kept: set[str] = set()
        # A contact that stays keeps those that it points to, and those that take part in activities about it.
        while newly := {contact for contact in self._removals - self._kept if self._code(contact)}:
            self._kept |= newly

    def keeps(self, contact: str) -> str:
        """Return why this contact may not be written now; empty where it may."""
        return self._code(contact)

    def is_of_another(self, contact: str) -> bool:
        """Return whether a role leads to this contact from a unit of which nothing has gone."""
        return contact in self._with_party - self._half_done

    def pointing_first(self, contacts: Collection[str]) -> list[str]:
        """Return the contacts in an order in which one that leads to another comes before it: it points
        there, or has a row that names it or an activity in which it takes part. Of two that lead to each
        other only the first can go in one run: its deletion empties a lookup of the other, or of a row of
        the other, which then has a version that nobody has looked at and that might as well be somebody's
        change. The other one is skipped as changed, and goes by the next plan."""
        leads_to: dict[str, set[str]] = {contact: set() for contact in contacts}
        for contact in contacts:
            row = self._contacts.get(contact)
            pairs = [(contact, row.parent if row is not None else None)]
            pairs += [(regarding or "", contact) for kind, regarding in self._taking_part.get(contact, ()) if kind == "contact"]
            for one, other in pairs:
                if one in leads_to and other in leads_to and one != other:
                    leads_to[one].add(other)
        led = Counts(other for others in leads_to.values() for other in others)
        ready = [contact for contact in sorted(contacts) if not led[contact]]
        found: dict[str, None] = {}
        while len(found) < len(leads_to):
            contact = heappop(ready) if ready else min(leads_to.keys() - found.keys())  # in a circle whoever comes first
            found[contact] = None
            for other in leads_to[contact]:
                led[other] -= 1
                if not led[other] and other not in found:
                    heappush(ready, other)
        return [*found]

    def _code(self, contact: str) -> str:
        row = self._contacts.get(contact)
        if row is None:
            return CHANGED
        if contact in self._held:
            return self._held[contact].value
        in_role = contact in self._with_party | self._half_done
        if in_role or self._keeps_by_activity(contact) or any(map(self._stays, self._children.get(contact, ()))):
            return STILL_REFERRED
        if contact in self._bound:
            return LONG_TERM
        is_known = contact not in self._given_up and (bool(row.newsletter) or row.parent_kind == "account")
        related = contact in self._related or is_known
        return CHANGED if related == (contact in self._removals) else ""

    def _stays(self, contact: str) -> bool:
        return contact not in self._going or contact in self._kept

    def _keeps_by_activity(self, contact: str) -> bool:
        return any(
            kind != "contact" or regarding is None or (regarding != contact and self._stays(regarding))
            for kind, regarding in self._taking_part.get(contact, ())
            if regarding not in self._leaving
        )


def check_contacts(
    connector: Connector,
    removals: Collection[str],
    trims: Collection[str],
    situation: Situation,
    *,
    day: date,
    terms: RelationTerms,
) -> ContactCheck:
    """Read what refers to these contacts now. A gift, course or agreement that still exists has not been
    disposed of, so it ties its contact, unless `terms` say that being a donor is over."""
    given_up = situation.given_up
    ids = sorted({*removals, *trims})
    kinds = (Contact, Party, *naming_kinds(connector), *(record for record, _, _ in TIES.values()))
    retaining = connector.retaining(kinds) if ids else frozenset()
    fields = ("parent", "parent_kind", "newsletter")
    contacts = {row.id: row for row in rows_of(connector, Contact, fields, Among("id", list(removals)))}
    trimmed = (*TRIMMED_FIELDS, *connector.all_kinds["contact"].further)
    full = cast("type[Contact]", connector.all_kinds["contact"].full)
    contacts |= {row.id: row for row in rows_of(connector, full, (*fields, *trimmed), Among("id", list(trims)))}
    moved = sorted({*ids} - contacts.keys()) if Contact in retaining else []
    retained = {row.id: row for row in retained_rows_of(connector, Contact, fields, Among("id", moved))}
    contacts |= retained
    children: dict[str, list[str]] = {}
    for child in rows_anywhere(connector, Contact, ("parent",), Among("parent", ids), retaining):
        if child.id != child.parent:  # a contact that points to itself keeps nobody
            children.setdefault(child.parent or "", []).append(child.id)
    found = Gathering(())
    tied = [contact for contact in ids if contact not in given_up]
    add_relations(connector, found, Among("contact", tied), terms=terms, retaining=retaining)
    if untied := [contact for contact in ids if contact in given_up]:
        without = (UnitKind.DONATION,) if gifts_have_a_term(terms) else ()
        add_relations(connector, found, Among("contact", untied), terms=terms, retaining=retaining, without=without)
    relations = relations_after(found, (), day=day, terms=terms)
    bound = {*retained} if retained and not connector.may_purge_retained() else {*retained} & {*trims}
    may_go = Donation in retaining and gifts_have_a_term(terms)  # without a term each gift ties its donor
    donors = sorted(contact for contact in {*removals} if terms.donor or contact in given_up) if may_go else []
    # The link of a gift in long-term retention to its donor cannot be emptied, and shows the donor's name.
    bound |= {row.contact for row in retained_rows_of(connector, Donation, ("contact",), Among("contact", donors)) if row.contact}
    parties = rows_anywhere(connector, Party, PARTY_FIELDS, Among("contact", ids), retaining)
    return ContactCheck(
        contacts,
        removals,
        situation,
        with_party=_contacts_of(parties, situation.leaving),
        taking_part=participations(connector, ids, retaining),
        children=children,
        related=relations.lasting,
        retained=retained,
        bound=bound,
        trimmed=trimmed,
    )


def gifts_have_a_term(terms: RelationTerms) -> bool:
    """Return whether a gift ends by a row of the schedule, so that it can do without its donor (R-104)."""
    return bool(terms.donor) or UnitKind.DONATION in terms.units


def _contacts_of(parties: Iterable[Party], leaving: Collection[str]) -> set[str]:
    gone = {*leaving}
    return {row.contact for row in parties if row.contact is not None and row.id not in gone and not _leaves(row, gone)}


def _leaves(row: Party, gone: set[str]) -> bool:
    """Return whether all that a role is in leaves: one that names what stays as well is a role there."""
    places = {row.dossier, row.fiche} - {None}
    return bool(places) and places <= gone
