"""Rows put together into units: what was read, and what belongs together. A fiche in several dossiers is in
the unit of each; with which of them it is deleted is decided in jobs/writing/deletion_order.py. Source:
RET-01, RET-02."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import msgspec

from connectors.interface.errors import ReadIncomplete
from rules.model.file_roles import FILE_ROLES, FileRole
from rules.model.kinds import FILES
from rules.model.kinds import Kind as RowKind
from rules.model.records import (
    KINDS,
    Contact,
    Dependent,
    Donation,
    Dossier,
    Email,
    Engagement,
    Enrolment,
    Fiche,
    Note,
    Party,
    Record,
    Recording,
    Unit,
    UnitKind,
)
from rules.retention.audio_notes import is_audio
from rules.retention.relations import RelationTerms

_CHILD = str(FileRole.CHILD)  # plain text, compared half a million times a night


@dataclass(slots=True)
class Gathering:
    """What was read, put together. Ids are keys.

    `people` and `places` run side by side: a contact, and the unit in which it has a role or a part in an
    activity (None: nothing that this product disposes of). `about` pairs the contact that an activity is
    about with a participant of it. `relations` are contacts with a relation that no row of the
    schedule decides over; the others stand in `relation_units`, with the rows of dependent tables that have a
    term of their own, and in `gifts` the days of a contact's gifts.
    `retained` are the rows that lie in the CRM's long-term retention, `named_there` the dossiers and fiches
    that a role there names, and `bound` the units that one role there ties to each other; `may_lie_there` the
    kinds of which rows do or may, where a few units were read. `beyond` are rows that belong to one which is
    out of scope, and are so with it, each with whether that one stays by a decision. The methods that add a
    page return the rows that point to something not read yet."""

    audio: tuple[str, ...]
    versions: dict[str, str] | None = None  # of the fiches and party rows that were read, where they will be written
    dossiers: dict[str, Unit] = field(default_factory=dict)
    lone: dict[str, Unit] = field(default_factory=dict)
    recordings: dict[str, Unit] = field(default_factory=dict)
    attachments: dict[str, Unit] = field(default_factory=dict)
    emails: dict[str, Unit] = field(default_factory=dict)
    fiches: dict[str, Fiche] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    places: list[Unit | None] = field(default_factory=list)
    about: list[tuple[str, str]] = field(default_factory=list)
    relations: set[str] = field(default_factory=set)
    relation_units: dict[UnitKind, dict[str, Unit]] = field(default_factory=dict)
    gifts: dict[str, list[date | None]] = field(default_factory=dict)
    retained: set[str] = field(default_factory=set)
    named_there: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    may_lie_there: frozenset[type[Record]] = frozenset()
    beyond: dict[str, bool] = field(default_factory=dict)
    retained_rows: dict[str, int] = field(default_factory=dict)  # how many of each table are there

    # -- adding pages ----------------------------------------------------------------------------------------

    def add_dossiers(self, page: Iterable[Dossier]) -> None:
        """Add a page of dossiers, each a unit. Raises ReadIncomplete: one was read twice."""
        dossiers, kind = self.dossiers, UnitKind.DOSSIER
        for row in page:
            if row.id in dossiers:
                raise ReadIncomplete("a dossier was read twice", hint="the CRM's pages overlap: try again", where=row.id)
            dossiers[row.id] = Unit(kind, row.id, row.etag, row)

    def add_fiches(self, page: Iterable[Fiche]) -> list[Fiche]:
        """Add a page of fiches, each to its dossiers or as a unit of its own. Return those of which a dossier
        has not been read yet; they are not added. Raises ReadIncomplete: one was read twice."""
        dossiers, fiches, lone, kind = self.dossiers, self.fiches, self.lone, UnitKind.FICHE
        unresolved: list[Fiche] = []
        for row in page:
            identity, dossier = row.id, row.dossier
            if identity in fiches:
                raise ReadIncomplete("a fiche was read twice", hint="the CRM's pages overlap: try again", where=identity)
            if dossier is None:
                lone[identity] = Unit(kind, identity, row.etag, None, [row])
            else:
                unit = dossiers.get(dossier)
                if unit is None or (row.also_in and not dossiers.keys() >= {*row.also_in}):
                    unresolved.append(row)
                    continue
                row.dossier = unit.id  # one string for all fiches of a dossier
                if self.versions is None:
                    row.etag = ""  # a plan does not write fiches: at a million rows their versions are megabytes
                else:
                    self.versions[identity] = row.etag
                unit.fiches.append(row)
                for other in row.also_in:
                    dossiers[other].fiches.append(row)
            fiches[identity] = row
        return unresolved

    def unit_of_fiche(self, fiche_id: str) -> Unit | None:
        fiche = self.fiches.get(fiche_id)
        if fiche is None:
            return None
        return self.lone.get(fiche_id) if fiche.dossier is None else self.dossiers.get(fiche.dossier)

    def is_shared(self, fiche: str | None) -> bool:
        """Return whether a fiche is in several dossiers: it stays as long as any of them, and goes with the
        last."""
        return fiche in self.fiches and bool(self.fiches[fiche].also_in)

    def units_of_fiche(self, fiche: str) -> list[Unit]:
        """Return the units that a fiche is in: more than one where it is shared."""
        unit = self.unit_of_fiche(fiche)
        return [unit, *(self.dossiers[other] for other in self.fiches[fiche].also_in)] if unit is not None else []

    def unit_of(self, kind: str | None, row: str | None) -> Unit | None:
        """Return the unit that a row belongs to, or None if to nothing that this product disposes of. What
        belongs to a shared fiche belongs to the first of its dossiers, and goes with none (`is_shared`)."""
        if row is None:
            return None
        if kind == "dossier":
            return self.dossiers.get(row)
        if kind == "fiche":
            return self.unit_of_fiche(row)
        of = kind if kind in KINDS else UnitKind.OWN_TABLE.value
        return next((units[row] for word, units in self.relation_units.items() if word.value == of and row in units), None)

    def add_parties(self, page: Iterable[Party]) -> list[Party]:
        contacts, dossiers, fiches, lone = self.contacts, self.dossiers, self.fiches, self.lone
        add_person, add_place = self.people.append, self.places.append
        unresolved: list[Party] = []
        for row in page:
            contact = in_dossier = in_fiche = fiche = None
            if row.contact is not None and (contact := contacts.get(row.contact)) is None:
                unresolved.append(row)
                continue
            if row.dossier is not None and (in_dossier := dossiers.get(row.dossier)) is None:
                unresolved.append(row)
                continue
            if row.fiche is not None:
                if (fiche := fiches.get(row.fiche)) is None:
                    unresolved.append(row)
                    continue
                in_fiche = lone[fiche.id] if fiche.dossier is None else dossiers[fiche.dossier]
            if contact is not None:
                if in_dossier is not None or fiche is None:
                    add_person(contact.id)
                    add_place(in_dossier)
                if fiche is not None:
                    add_person(contact.id)
                    add_place(None if fiche.also_in else in_fiche)
            if self.versions is not None:
                self.versions[row.id] = row.etag
            role = row.role
            if role is not None and (role == _CHILD or role not in FILE_ROLES):
                # A role that the mapping does not know, an option or a row of reference, may be a child's, so
                # the unit has a child of unknown age.
                child = contact if role == _CHILD else None
                in_fiches = self.units_of_fiche(fiche.id) if fiche is not None and fiche.also_in else (in_fiche,)
                for unit in (in_dossier, *in_fiches):
                    if unit is not None and (child is None or child not in unit.children):
                        unit.children.append(child)
        return unresolved

    def add_recordings(self, page: Iterable[Recording]) -> list[Recording]:
        known: tuple[tuple[str, Mapping[str, object]], ...] = (("fiche", self.fiches), ("dossier", self.dossiers))
        unresolved: list[Recording] = []
        for row in page:
            if all(getattr(row, name) is None or getattr(row, name) in there for name, there in known):
                self.recordings[row.id] = self.unit_on_fiche(UnitKind.RECORDING, row.id, row.etag, row.fiche, recording=row)
            else:
                unresolved.append(row)
        return unresolved

    def add_notes(self, page: Iterable[Note]) -> list[Note]:
        unresolved: list[Note] = []
        for row in page:
            if row.regarding_kind == "fiche" and row.regarding is not None and is_audio(row, self.audio):
                if row.regarding not in self.fiches:
                    unresolved.append(row)
                else:
                    self.attachments[row.id] = self.unit_on_fiche(UnitKind.ATTACHMENT, row.id, row.etag, row.regarding, note=row)
        return unresolved

    def unit_on_fiche(
        self, kind: UnitKind, row: str, etag: str, fiche_id: str | None, *, recording: Recording | None = None, note: Note | None = None
    ) -> Unit:
        """Return a unit that belongs to a fiche: with the fiche, and the unit of its dossier from which holds
        reach it (HLD-04); a recording may also belong to a dossier itself."""
        fiche = self.fiches.get(fiche_id) if fiche_id is not None else None
        if recording is not None and fiche is not None:
            recording.fiche = fiche.id  # one string for both
        above = self.units_of_fiche(fiche.id) if fiche is not None and fiche.dossier is not None else []
        own = self.dossiers.get(recording.dossier) if recording is not None and recording.dossier is not None else None
        if own is not None and own not in above:
            above.append(own)
        return Unit(kind, row, etag, None, [fiche] if fiche is not None else [], [], recording, note, None, chained(above))

    def add_emails(self, page: Iterable[Email]) -> None:
        for row in page:
            if row.regarding is None:
                self.emails[row.id] = Unit(UnitKind.EMAIL, row.id, row.etag, email=row)

    def missing(self, kind: str, ids: Iterable[str | None]) -> set[str]:
        """Return those of a few ids of contacts, dossiers or fiches that were not read."""
        of: Mapping[str, Mapping[str, object]] = {"contact": self.contacts, "dossier": self.dossiers, "fiche": self.fiches}
        there = of[kind]
        return {each for each in ids if each is not None and each not in there}

    def is_known(self, ids: Collection[str]) -> set[str]:
        """Return those of some ids that a contact, a dossier or a fiche has."""
        return {each for each in ids if each in self.contacts or each in self.dossiers or each in self.fiches}

    def places_of(self, kind: str, ids: Iterable[str | None]) -> dict[str, str]:
        """Return the ids of the units of a few dossiers or fiches by theirs; of a fiche in several dossiers
        the first."""
        found = {each: self.unit_of(kind, each) for each in ids if each is not None}
        return {each: unit.id for each, unit in found.items() if unit is not None}

    def add_contacts(self, page: Iterable[Contact]) -> None:
        self.contacts.update((row.id, row) for row in page)

    def add_own(
        self, kind: RowKind, page: Iterable[Dependent], tops: Mapping[tuple[str, str], Iterable[tuple[str, str]]]
    ) -> list[Dependent]:
        """Add rows of a dependent table that have a term of their own; `tops` are the files and people that
        each, by (kind, id), belongs to at the top. Who is named in such a row, and whose it is, stays with
        it."""
        units = self.relation_units.setdefault(UnitKind.OWN_TABLE, {})
        unresolved = []
        for row in page:
            of = list(tops[kind.word, row.id])
            files = {key: self._files(*key) for key in of if key[0] in (*FILES, "recording")}
            if not all(files.values()):
                unresolved.append(row)
                continue
            above = {each.id: each for file in files.values() for level in file for each in (level, *level.above())}
            people = [owner for word, owner in of if word == "contact"]
            children: list[Contact | None] = [self.contacts.get(owner) or Contact(id=owner) for owner in people]
            unit = Unit(UnitKind.OWN_TABLE, row.id, row.etag, None, [], children, relation=row, belongs_to=chained([*above.values()]))
            units[row.id] = unit
            for contact in {*people, *(getattr(row, name) for name in kind.people)} & self.contacts.keys():
                self.take_part(contact, unit)
        return unresolved

    def _files(self, kind: str, row: str) -> list[Unit]:
        """Return the units of a dossier, fiche or recording; none where it was not read."""
        found = self.units_of_fiche(row) if kind == "fiche" else [self.dossiers.get(row) if kind == "dossier" else self.recordings.get(row)]
        return [unit for unit in found if unit is not None]

    def hook_of(self, kind: str | None, regarding: str | None) -> Unit | str | None:
        """Return what an activity belongs to. That is the unit with which it is deleted, the id of the
        contact that it is about, or None if it stays."""
        if kind == "contact":
            return regarding
        return None if kind == "fiche" and self.is_shared(regarding) else self.unit_of(kind, regarding)

    def take_part(self, contact: str, hook: Unit | str | None) -> None:
        """Note that a contact takes part in an activity that belongs to this. None: it belongs to nothing, or
        is of a kind that is not mapped."""
        if isinstance(hook, str):
            self.about.append((hook, contact))
        else:
            self.people.append(contact)
            self.places.append(hook)

    def lies_in_retention(self, unit: Unit) -> bool:
        """Return whether a row of a unit is in long-term retention, where no write reaches it."""
        if not self.retained:
            return False
        rows = [unit.id]
        if unit.kind in (UnitKind.DOSSIER, UnitKind.FICHE):
            rows += [fiche.id for fiche in unit.fiches]
        return any(row in self.retained or row in self.named_there for row in rows)

    # -- what was added --------------------------------------------------------------------------------------

    @property
    def by_kind(self) -> dict[UnitKind, dict[str, Unit]]:
        """The units of each kind, by id."""
        return {
            UnitKind.DOSSIER: self.dossiers,
            UnitKind.FICHE: self.lone,
            UnitKind.RECORDING: self.recordings,
            UnitKind.ATTACHMENT: self.attachments,
            UnitKind.EMAIL: self.emails,
            **self.relation_units,
        }

    def every_unit(self) -> Iterator[Unit]:
        """Yield all units, those already anonymised included."""
        for units in self.by_kind.values():
            yield from units.values()


def chained(units: Sequence[Unit]) -> Unit | None:
    """Return units as one that belongs to the next, so that whatever holds one of them is found; the CRM's
    own hold first."""
    found: Unit | None = None
    for unit in sorted(units, key=lambda unit: bool(unit.dossier and unit.dossier.legal_hold)):
        found = unit if found is None else msgspec.structs.replace(unit, belongs_to=found)
    return found


def is_anonymised(unit: Unit) -> bool:
    """Return whether the row of a dossier or lone fiche was anonymised in place: nothing happens to it again
    (ERA-07)."""
    if unit.dossier is not None:
        return unit.dossier.anonymised_on is not None
    return unit.kind is UnitKind.FICHE and unit.fiches[0].anonymised_on is not None


class HasRelations(Protocol):
    """What was read of relations, as `Gathering` has it."""

    relations: set[str]
    relation_units: dict[UnitKind, dict[str, Unit]]
    gifts: dict[str, list[date | None]]


def sort_relations(found: HasRelations, kind: UnitKind, page: Iterable[Donation | Enrolment | Engagement], *, terms: RelationTerms) -> None:
    """Add gifts, courses or agreements to what was read: as units where a row of the schedule is in force for
    them, else as what ties a contact."""
    is_unit = kind in terms.units
    units = found.relation_units.setdefault(kind, {}) if is_unit else {}
    for row in page:
        if is_unit:
            units[row.id] = Unit(kind, row.id, row.etag, relation=row)
        if row.contact is None:
            continue
        if terms.donor and isinstance(row, Donation):
            found.gifts.setdefault(row.contact, []).append(row.booked_on)
        elif not is_unit:
            found.relations.add(row.contact)
