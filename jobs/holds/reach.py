"""Extends holds from the rows they are on to the units and rows that they cover, by small reads of the CRM.

Downwards a hold needs no reading (rules/holds/coverage.py): a unit carries its fiches, and what depends on it
is deleted or stays with it. What is read here is the way up and across: from a person to the files in which
they have a role, from a note, a call, an e-mail or a role to the file that it belongs to, from a fiche to its
dossier. Source: HLD-04."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Protocol, TypeVar

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.decoy_reads import always, ids_or_nobody
from jobs.reading.few_rows import ACTIVITY_FIELDS, ACTIVITY_PARTY_FIELDS, PARTY_FIELDS, rows_anywhere
from rules.holds.holds import Hold
from rules.model.kinds import ACTIVITIES, DEPENDENT, ROW_KINDS, Kind
from rules.model.records import KINDS, ActivityParty, Fiche, Party, Record

R = TypeVar("R", bound=Record)


class OnRow(Protocol):
    """A hold as it stands on one row."""

    def __call__(self, kind: str, row: str) -> Hold: ...


class HoldReach:
    """Holds by the rows that they cover: `placed` covers the unit of the row, `kept` the row alone."""

    def __init__(self, connector: Connector, *, always: bool) -> None:
        """Begin with no holds. With `always` the CRM is queried the same, with nothing to reach too
        (SUS-07)."""
        self._connector, self._always = connector, always
        self.placed: list[Hold] = []
        self.kept: list[Hold] = []
        self._rows: defaultdict[str, defaultdict[str, list[OnRow]]] = defaultdict(lambda: defaultdict(list))
        self._people: defaultdict[str, list[OnRow]] = defaultdict(list)  # everything of these contacts, activities too
        self._removed: list[tuple[str, str, str]] = []

    def add(self, kind: str, row: str, hold: OnRow, *, everything: bool = False) -> None:
        """Put a hold on a row; with `everything` on all of a person, also activities they take part in."""
        self._rows[kind][row].append(hold)
        if everything:
            self._people[row].append(hold)

    def add_role(self, contact: str, kind: str, row: str) -> None:
        """Add a role that the CRM shows no more: a run has removed it and left the rest of its unit."""
        self._removed.append((contact, kind, row))

    @property
    def has_people(self) -> bool:
        return bool(self._rows["contact"])

    def extend(self) -> None:
        """Reach every unit and row that the holds cover. Raises ConnectorError: the CRM could not be read."""
        self._from_merged_people()
        for contact, kind_of_file, file in self._removed:
            self._reach(kind_of_file, file, self._rows["contact"].get(contact, ()))
        self._from_activities_of_people()
        self._from_rows_that_name_people()
        kinds = self._connector.all_kinds
        # A row of a dependent table may belong to a note or an activity, and one of those to it.
        for kind in (*DEPENDENT, *reversed(kinds.own), *(DEPENDENT if kinds.own else ())):
            self._from_dependent(kind)
        self._from_roles()  # a note may be about one
        self._from_fiches()
        for kind_of_row, rows in self._rows.items():
            for row, holds in rows.items():
                self.placed += [hold(kind_of_row, row) for hold in holds]

    def _from_merged_people(self) -> None:
        """Extend holds to whom a held person was merged into since: what was held refers to that one now."""
        contacts, people = self._rows["contact"], self._people
        merged = self._connector.merged_into(ids_or_nobody(contacts) if self._always else [*contacts])
        for contact, into in merged.items():
            for other in into:
                contacts[other] += contacts[contact]
                people[other] += people.get(contact, ())

    def _from_roles(self) -> None:
        """Extend holds to every file in which a held person has a role, a suspect's included. A role is held
        with its file."""
        contacts, parties = self._rows["contact"], self._rows["party"]
        rows = [*self._read(Party, PARTY_FIELDS, "contact", contacts), *self._read(Party, PARTY_FIELDS, "id", parties)]
        for row in {row.id: row for row in rows}.values():
            holds = [*contacts.get(row.contact or "", ()), *parties.get(row.id, ())]
            self._reach("dossier", row.dossier, holds)
            self._reach("fiche", row.fiche, holds)

    def _from_activities_of_people(self) -> None:
        """Extend holds on everything of a person. They reach the activities in which the person takes part,
        those of dependent tables among them, and so the files to which these belong."""
        taking = self._read(ActivityParty, ACTIVITY_PARTY_FIELDS, "party", self._people)
        holds_of: defaultdict[str, list[OnRow]] = defaultdict(list)
        for row in taking:
            if row.activity is not None:
                holds_of[row.activity] += self._people[row.party or ""]
        for word in ACTIVITIES:
            for activity in self._read(KINDS[word], ACTIVITY_FIELDS, "id", holds_of):
                self._reach_owners(ROW_KINDS[word], activity, holds_of[activity.id])
                self._reach(word, activity.id, holds_of[activity.id])
        for kind in self._connector.all_kinds.own:
            if self._connector.is_activity(kind.full):
                for own in self._read(kind.full, kind.links, "id", holds_of):
                    self._reach(kind.word, own.id, holds_of[own.id])

    def _from_rows_that_name_people(self) -> None:
        """Extend holds on everything of a person to the rows of dependent tables that name the person."""
        for kind in self._connector.all_kinds.own:
            for name in kind.people:
                for row in self._read(kind.full, (name,), name, self._people):
                    self._reach(kind.word, row.id, self._people[getattr(row, name)])

    def _from_dependent(self, kind: Kind) -> None:
        """Hold what held rows of a dependent kind belong to: a note, a call or an e-mail cannot do without
        what it belongs to."""
        held = self._rows[kind.word]
        for row in self._read(kind.record, kind.links, "id", held):
            self._reach_owners(kind, row, held[row.id])

    def _from_fiches(self) -> None:
        """Hold the dossiers too: none can be deleted without its fiches."""
        held = self._rows["fiche"]
        for row in self._read(Fiche, ("dossier",), "id", held):
            for dossier in row.dossiers:
                self._reach("dossier", dossier, held[row.id])

    def _reach_owners(self, kind: Kind, row: Record, holds: Iterable[OnRow]) -> None:
        """Hold what a held row belongs to, too; of a contact the row alone, since the hold is on the note and
        not on the person."""
        for owner_kind, owner in kind.owners(row):
            if owner_kind == "contact":
                self.kept += [hold("contact", owner) for hold in holds]
            else:
                self._reach(owner_kind, owner, holds)

    def _reach(self, kind: str, row: str | None, holds: Iterable[OnRow]) -> None:
        if row is not None:
            self._rows[kind][row] += holds

    def _read(self, record: type[R], fields: tuple[str, ...], field: str, ids: Collection[str]) -> list[R]:
        among = always(field, ids) if self._always else Among(field, sorted(ids))
        return rows_anywhere(self._connector, record, fields, among, self._retaining) if among.ids else []

    @cached_property
    def _retaining(self) -> Collection[type[Record]]:
        """The kinds of which rows may be in long-term retention: a role there leads from a person to a file
        as any other does."""
        retaining = self._connector.retaining((*(kind.record for kind in self._connector.all_kinds.depending), Party, Fiche))
        return retaining if retaining.isdisjoint(KINDS[word] for word in ACTIVITIES) else retaining | {ActivityParty}
