"""Reads the CRM and puts rows together into units, for a whole night or for a few units just before they are written.

Nothing is dropped in silence: a row that points to a row which this account cannot see stops the run, because a view with holes in it
looks just like an organisation with less to keep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatch
from operator import attrgetter
from typing import TypeVar

from connectors.interface import Among, Connector, ReadIncomplete
from jobs.plan import Kind
from jobs.ports import Progress
from rules.records import (
    ActivityParty,
    Call,
    Contact,
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

DOSSIER_FIELDS = (
    "categories", "outcome", "opened_on", "closed_on", "reopened_on", "proceedings_ended_on", "reviewed_on", "is_active", "public_alert",
    "legal_hold", "anonymised_on",
)  # fmt: skip
FICHE_FIELDS = ("dossier", "categories", "communicated_on", "created_on", "transmitted_on", "anonymised_on")
PARTY_FIELDS = ("contact", "dossier", "fiche", "role")
CONTACT_FIELDS = (
    "birth_on", "birth_year", "birth_month", "stated_age", "stated_on", "national_number", "parent", "parent_kind", "newsletter",
    "anonymised_on",
)  # fmt: skip
RECORDING_FIELDS = ("fiche", "started_on", "ended_on", "taken_over", "evidence", "storage_uri")
NOTE_FIELDS = ("regarding", "regarding_kind", "is_document", "media_type", "evidence")
EMAIL_FIELDS = ("regarding", "regarding_kind", "sent_on", "created_on")
CALL_FIELDS = ("regarding", "regarding_kind")
ACTIVITY_PARTY_FIELDS = ("activity", "party", "party_kind")

R = TypeVar("R", bound=Record)
_ID = attrgetter("id")


@dataclass(slots=True)
class Gathering:
    """What was read, put together. Ids are keys.

    `people` and `places` run side by side: a contact, and the unit in which it has a role or a part in an activity (None: nothing that
    this product disposes of). `about` pairs the contact that an activity is about with a participant of it. The methods that add a page
    return the rows that point to something not read yet.
    """

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
    former: set[str] = field(default_factory=set)
    activities: dict[str, Unit | str | None] = field(default_factory=dict)  # what each hangs on: a unit, a contact's id, or neither

    # -- adding pages --------------------------------------------------------------------------------------------------------------

    def add_dossiers(self, page: Iterable[Dossier]) -> None:
        dossiers, kind = self.dossiers, UnitKind.DOSSIER
        for row in page:
            if row.id in dossiers:
                raise ReadIncomplete("a dossier was read twice", hint="the CRM's pages overlap: try again", where=row.id)
            dossiers[row.id] = Unit(kind, row.id, row.etag, row)

    def add_fiches(self, page: Iterable[Fiche]) -> list[Fiche]:
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
                if unit is None:
                    unresolved.append(row)
                    continue
                row.dossier = unit.id  # one string for all fiches of a dossier
                if self.versions is None:
                    row.etag = ""  # a plan does not write fiches: at a million rows their versions are megabytes
                else:
                    self.versions[identity] = row.etag
                unit.fiches.append(row)
            fiches[identity] = row
        return unresolved

    def unit_of_fiche(self, fiche_id: str) -> Unit | None:
        fiche = self.fiches.get(fiche_id)
        if fiche is None:
            return None
        return self.lone.get(fiche_id) if fiche.dossier is None else self.dossiers.get(fiche.dossier)

    def unit_of(self, kind: str | None, row: str | None) -> Unit | None:
        """The unit that a row hangs on, or None where it hangs on nothing that this product disposes of."""
        if row is None:
            return None
        if kind == "dossier":
            return self.dossiers.get(row)
        return self.unit_of_fiche(row) if kind == "fiche" else None

    def add_parties(self, page: Iterable[Party]) -> list[Party]:
        contacts, dossiers, unit_of_fiche = self.contacts, self.dossiers, self.unit_of_fiche
        add_person, add_place = self.people.append, self.places.append
        unresolved: list[Party] = []
        for row in page:
            contact = contacts.get(row.contact) if row.contact is not None else None
            in_dossier = dossiers.get(row.dossier) if row.dossier is not None else None
            in_fiche = unit_of_fiche(row.fiche) if row.fiche is not None else None
            if (
                (contact is None and row.contact is not None)
                or (in_dossier is None and row.dossier is not None)
                or (in_fiche is None and row.fiche is not None)
            ):
                unresolved.append(row)
                continue
            if contact is not None:
                if in_dossier is not None or in_fiche is None:
                    add_person(contact.id)
                    add_place(in_dossier)
                if in_fiche is not None:
                    add_person(contact.id)
                    add_place(in_fiche)
            if self.versions is not None:
                self.versions[row.id] = row.etag
            role = row.role
            if role == "child" or (role is not None and role.isdecimal()):
                # A role that the mapping does not know may be a child's, so the unit has a child of unknown age.
                child = contact if role == "child" else None
                for unit in (in_dossier, in_fiche):
                    if unit is not None and (child is None or child not in unit.children):
                        unit.children.append(child)
        return unresolved

    def add_recordings(self, page: Iterable[Recording]) -> list[Recording]:
        fiches = self.fiches
        unresolved = [row for row in page if row.fiche is not None and row.fiche not in fiches]
        for row in page:
            if row.fiche is None or row.fiche in fiches:
                self.recordings[row.id] = self.hung(UnitKind.RECORDING, row.id, row.etag, row.fiche, recording=row)
        return unresolved

    def add_notes(self, page: Iterable[Note]) -> list[Note]:
        unresolved: list[Note] = []
        for row in page:
            if row.regarding_kind == "fiche" and row.regarding is not None and is_audio(row, self.audio):
                if row.regarding not in self.fiches:
                    unresolved.append(row)
                else:
                    self.attachments[row.id] = self.hung(UnitKind.ATTACHMENT, row.id, row.etag, row.regarding, note=row)
        return unresolved

    def hung(
        self, kind: UnitKind, row: str, etag: str, fiche_id: str | None, *, recording: Recording | None = None, note: Note | None = None
    ) -> Unit:
        """A unit that hangs on a fiche: with the fiche, and the unit of its dossier from which holds reach it (HLD-04)."""
        fiche = self.fiches.get(fiche_id) if fiche_id is not None else None
        if recording is not None and fiche is not None:
            recording.fiche = fiche.id  # one string for both
        dossier = self.dossiers.get(fiche.dossier) if fiche is not None and fiche.dossier is not None else None
        return Unit(kind, row, etag, None, [fiche] if fiche is not None else [], [], recording, note, None, dossier)

    def add_calls(self, page: Iterable[Call]) -> None:
        for row in page:
            self.activities[row.id] = self.hook_of(row.regarding_kind, row.regarding)

    def add_emails(self, page: Iterable[Email]) -> None:
        for row in page:
            self.activities[row.id] = self.hook_of(row.regarding_kind, row.regarding)
            if row.regarding is None:
                self.emails[row.id] = Unit(UnitKind.EMAIL, row.id, row.etag, email=row)

    def hook_of(self, kind: str | None, regarding: str | None) -> Unit | str | None:
        """What an activity hangs on: the unit that it goes with, the id of the contact that it is about, or None where it stays."""
        return regarding if kind == "contact" else self.unit_of(kind, regarding)

    def add_activity_parties(self, page: Iterable[ActivityParty]) -> None:
        contacts, activities = self.contacts, self.activities
        for row in page:
            if row.party_kind != "contact" or row.party is None or row.activity is None:
                continue  # a user, an account, or nobody in the CRM
            contact = contacts.get(row.party)
            if contact is not None:  # else the dangling id of a contact that is gone
                self.take_part(contact.id, activities.get(row.activity))

    def take_part(self, contact: str, hook: Unit | str | None) -> None:
        """A contact takes part in an activity that hangs on this; None: on nothing, or the activity is of a kind that is not mapped."""
        if isinstance(hook, str):
            self.about.append((hook, contact))
        else:
            self.people.append(contact)
            self.places.append(hook)

    def forget_units(self) -> None:
        """Let go of all but contacts and what they have to do with each other: at a million rows the rest is two thirds of the memory."""
        for rows in (self.dossiers, self.lone, self.recordings, self.attachments, self.emails, self.fiches, self.activities):
            rows.clear()
        self.people.clear()
        self.places.clear()

    # -- what was added ------------------------------------------------------------------------------------------------------------

    def every_unit(self) -> Iterator[Unit]:
        """All units, those already anonymised included."""
        for units in (self.dossiers, self.lone, self.recordings, self.attachments, self.emails):
            yield from units.values()

    def units(self, kind: Kind) -> Iterator[Unit]:
        """The units that a plan of this kind has a line for, contacts apart, by kind and id; rows already anonymised have none (ERA-07)."""
        files = () if kind is Kind.RECORDINGS else (self.dossiers, self.lone, self.emails)
        recordings = () if kind is Kind.RETENTION else (self.recordings, self.attachments)
        for units in (*files, *recordings):
            for identity in sorted(units):
                unit = units[identity]
                if not is_anonymised(unit):
                    yield unit


def is_anonymised(unit: Unit) -> bool:
    """Whether the row of a dossier or lone fiche was anonymised in place."""
    if unit.dossier is not None:
        return unit.dossier.anonymised_on is not None
    return unit.kind is UnitKind.FICHE and unit.fiches[0].anonymised_on is not None


def is_audio(note: Note, patterns: Collection[str]) -> bool:
    """Whether a note is a stored conversation (RET-05): a file whose media type is on the mapping's list."""
    return bool(note.is_document) and any(fnmatch((note.media_type or "").lower(), pattern) for pattern in patterns)


class Seen:
    """Counts the rows of each kind on their way to whoever watches."""

    def __init__(self, progress: Progress) -> None:
        self.rows: dict[str, int] = {}
        self._progress = progress

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        self.rows[stage] = done
        self._progress(stage, done, total)


def gather(connector: Connector, kind: Kind, *, day: date, progress: Progress) -> Gathering:
    """Read everything that a plan of this kind depends on.

    Raises:
        ReadIncomplete: a page is not whole, or rows point to rows that this account cannot see.
    """
    seen = Seen(progress)
    found = Gathering(connector.recording_media_types)
    for contacts in _pages(connector, Contact, CONTACT_FIELDS, seen):
        found.contacts.update(zip(map(_ID, contacts), contacts, strict=True))
    for dossiers in _pages(connector, Dossier, DOSSIER_FIELDS, seen):
        found.add_dossiers(dossiers)
    for fiches in _pages(connector, Fiche, FICHE_FIELDS, seen):
        _add_late_fiches(connector, found, found.add_fiches(fiches))
    for parties in _pages(connector, Party, PARTY_FIELDS, seen):
        _add_late_parties(connector, found, found.add_parties(parties))
    if kind is not Kind.RETENTION:
        for recordings in _pages(connector, Recording, RECORDING_FIELDS, seen):
            _add_late_recordings(connector, found, found.add_recordings(recordings))
        for notes in _pages(connector, Note, NOTE_FIELDS, seen):
            _add_late_notes(connector, found, found.add_notes(notes))
    if kind is not Kind.RECORDINGS:
        for calls in _pages(connector, Call, CALL_FIELDS, seen):
            found.add_calls(calls)
        for emails in _pages(connector, Email, EMAIL_FIELDS, seen):
            found.add_emails(emails)
        for participants in _pages(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, seen):
            found.add_activity_parties(participants)
        found.activities.clear()  # nobody asks any more what an activity hangs on
        add_relations(connector, found, day=day, progress=seen)
    check_visible(connector, seen.rows)
    return found


# A table that looks empty hides a hold, a child or a relation; the others hide only what would have been disposed of.
GUARDING: tuple[type[Record], ...] = (Contact, Dossier, Fiche, Party, Call, Email, ActivityParty, Donation, Enrolment, Engagement)


def check_visible(connector: Connector, seen: Mapping[str, int]) -> None:
    """Refuse a view in which a table is empty while the CRM itself counts rows: a missing privilege looks just like that.

    `seen` are rows by kind, as far as it was read. The count may be a day old, so a table that was emptied in earnest is taken for
    hidden until the next one.

    Raises:
        ReadIncomplete: naming the table.
    """
    for record in GUARDING:
        if seen.get(record.__name__.lower()) == 0 and connector.has(record) and (total := connector.total(record)):
            raise ReadIncomplete(
                f"the CRM counts {total} rows in {connector.table(record)} and shows this account none",
                hint="give the application user read access to the whole organisation",
                where=connector.table(record),
            )


def add_relations(connector: Connector, found: Gathering, *, day: date, progress: Progress, among: Among | None = None) -> None:
    """Add the active and former relations of contacts (RET-20): a gift, a course, an agreement that has not ended before `day`."""
    for donations in _pages(connector, Donation, ("contact",), progress, among):
        found.relations.update(row.contact for row in donations if row.contact is not None)
    for enrolments in _pages(connector, Enrolment, ("contact",), progress, among):
        found.relations.update(row.contact for row in enrolments if row.contact is not None)
    for agreements in _pages(connector, Engagement, ("contact", "ended_on"), progress, among):
        for row in agreements:
            if row.contact is not None:
                (found.former if row.ended_on is not None and row.ended_on < day else found.relations).add(row.contact)


def gather_units(connector: Connector, wanted: Mapping[UnitKind, Sequence[str]]) -> Gathering:
    """Read some units afresh, with all that their retention ends depend on (RET-17). Ids that are gone are simply not there."""
    found = Gathering(connector.recording_media_types, versions={})
    recordings = rows_of(connector, Recording, RECORDING_FIELDS, Among("id", wanted.get(UnitKind.RECORDING, ())))
    notes = rows_of(connector, Note, NOTE_FIELDS, Among("id", wanted.get(UnitKind.ATTACHMENT, ())))
    hanging = {row.fiche for row in recordings if row.fiche is not None} | set(wanted.get(UnitKind.FICHE, ()))
    hanging |= {row.regarding for row in notes if row.regarding_kind == "fiche" and row.regarding is not None}
    loose = rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(hanging)))
    dossiers = sorted({row.dossier for row in loose if row.dossier is not None} | set(wanted.get(UnitKind.DOSSIER, ())))
    found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", dossiers)))
    found.add_fiches(rows_of(connector, Fiche, FICHE_FIELDS, Among("dossier", dossiers)))
    _add_late_fiches(connector, found, found.add_fiches(row for row in loose if row.id not in found.fiches))
    parties = {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("dossier", dossiers))}
    parties |= {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("fiche", sorted(found.fiches)))}
    people = {row.contact for row in parties.values() if row.contact is not None}
    found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, Among("id", sorted(people))))
    _add_late_parties(connector, found, found.add_parties(parties.values()))
    _add_late_recordings(connector, found, found.add_recordings(recordings))
    _add_late_notes(connector, found, found.add_notes(notes))
    found.add_emails(rows_of(connector, Email, EMAIL_FIELDS, Among("id", wanted.get(UnitKind.EMAIL, ()))))
    return found


def rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """All rows of a small read at once."""
    return [row for page in connector.read(record, fields, among=among) for row in page]


def _pages(
    connector: Connector, record: type[R], fields: tuple[str, ...], progress: Progress, among: Among | None = None
) -> Iterator[list[R]]:
    done = 0
    progress(record.__name__.lower(), done)
    for page in connector.read(record, fields, among=among):
        done += len(page)
        progress(record.__name__.lower(), done)
        yield page


# Rows that point to something that was not there when its table was read: made meanwhile, or hidden from this account. They are looked
# for once more by their ids; if they stay out of sight the run stops, since a hold or a younger child might hide behind them.


def _add_late_fiches(connector: Connector, found: Gathering, fiches: Sequence[Fiche]) -> None:
    if fiches:
        wanted = {row.dossier for row in fiches if row.dossier is not None and row.dossier not in found.dossiers}
        found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", sorted(wanted))))
        _stop_at(connector, Fiche, found.add_fiches(fiches))


def _find_fiches(connector: Connector, found: Gathering, wanted: Iterable[str | None]) -> None:
    missing = sorted({row for row in wanted if row is not None and row not in found.fiches})
    _add_late_fiches(connector, found, found.add_fiches(rows_of(connector, Fiche, FICHE_FIELDS, Among("id", missing))))


def _add_late_parties(connector: Connector, found: Gathering, parties: Sequence[Party]) -> None:
    if parties:
        _find_fiches(connector, found, (row.fiche for row in parties))
        dossiers = sorted({row.dossier for row in parties if row.dossier is not None and row.dossier not in found.dossiers})
        found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", dossiers)))
        contacts = sorted({row.contact for row in parties if row.contact is not None and row.contact not in found.contacts})
        found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, Among("id", contacts)))
        _stop_at(connector, Party, found.add_parties(parties))


def _add_late_recordings(connector: Connector, found: Gathering, recordings: Sequence[Recording]) -> None:
    if recordings:
        _find_fiches(connector, found, (row.fiche for row in recordings))
        _stop_at(connector, Recording, found.add_recordings(recordings))


def _add_late_notes(connector: Connector, found: Gathering, notes: Sequence[Note]) -> None:
    if notes:
        _find_fiches(connector, found, (row.regarding for row in notes))
        _stop_at(connector, Note, found.add_notes(notes))


def _stop_at(connector: Connector, record: type[Record], hidden: Sequence[Record]) -> None:
    if hidden:
        raise ReadIncomplete(
            f"{len(hidden)} rows point to rows that are out of this account's sight",
            hint="give the application user read access to the whole organisation, or try again if the CRM was being changed",
            where=connector.table(record),
        )
