"""Reads the CRM and puts rows together into units, for a whole night or for a few units just before they are written.

Nothing is dropped in silence: a row that points to a row which this account cannot see stops the run, because a view with holes in it
looks just like an organisation with less to keep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatch
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


@dataclass(slots=True)
class Gathering:
    """What was read, put together. Ids are keys; `links` pairs a contact id with the unit that refers to it, None where nothing goes."""

    audio: tuple[str, ...]
    dossiers: dict[str, Unit] = field(default_factory=dict)
    lone: dict[str, Unit] = field(default_factory=dict)
    recordings: dict[str, Unit] = field(default_factory=dict)
    attachments: dict[str, Unit] = field(default_factory=dict)
    emails: dict[str, Unit] = field(default_factory=dict)
    fiches: dict[str, Fiche] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    links: list[tuple[str, Unit | None]] = field(default_factory=list)
    about: list[tuple[str, str]] = field(default_factory=list)
    relations: set[str] = field(default_factory=set)
    former: set[str] = field(default_factory=set)
    activities: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    children_seen: set[tuple[str, str]] = field(default_factory=set)

    # -- adding pages --------------------------------------------------------------------------------------------------------------

    def add_dossiers(self, page: Iterable[Dossier]) -> None:
        dossiers, kind = self.dossiers, UnitKind.DOSSIER
        for row in page:
            if row.id in dossiers:
                raise ReadIncomplete("a dossier was read twice", hint="the CRM's pages overlap: try again", where=row.id)
            dossiers[row.id] = Unit(kind, row.id, row.etag, row)

    def add_fiches(self, page: Iterable[Fiche]) -> None:
        dossiers, fiches = self.dossiers, self.fiches
        for row in page:
            if row.id in fiches:
                raise ReadIncomplete("a fiche was read twice", hint="the CRM's pages overlap: try again", where=row.id)
            fiches[row.id] = row
            if row.dossier is None:
                self.lone[row.id] = Unit(UnitKind.FICHE, row.id, row.etag, None, [row])
                continue
            unit = dossiers.get(row.dossier)
            if unit is None:
                raise ReadIncomplete("a fiche points to a dossier that is out of sight", hint="try again", where=row.id)
            row.dossier = unit.id  # one string for all fiches of a dossier
            row.etag = ""  # a fiche of a dossier is written with the version read just before the write
            unit.fiches.append(row)

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

    def add_parties(self, page: Iterable[Party]) -> None:
        contacts, links, dossiers, seen = self.contacts, self.links, self.dossiers, self.children_seen
        for row in page:
            units = []
            if row.dossier is not None:
                units.append(dossiers.get(row.dossier))
            if row.fiche is not None:
                units.append(self.unit_of_fiche(row.fiche))
            contact = contacts.get(row.contact) if row.contact is not None else None
            if row.role == "child":
                for unit in units:
                    if unit is None:
                        continue
                    if contact is None:
                        unit.children.append(None)
                    elif (unit.id, contact.id) not in seen:
                        seen.add((unit.id, contact.id))
                        unit.children.append(contact)
            if contact is not None:
                for unit in units or (None,):
                    links.append((contact.id, unit))

    def add_recordings(self, page: Iterable[Recording]) -> None:
        for row in page:
            self.recordings[row.id] = self.hung(UnitKind.RECORDING, row.id, row.etag, row.fiche, recording=row)

    def add_notes(self, page: Iterable[Note]) -> None:
        for row in page:
            if row.regarding_kind == "fiche" and row.regarding is not None and is_audio(row, self.audio):
                self.attachments[row.id] = self.hung(UnitKind.ATTACHMENT, row.id, row.etag, row.regarding, note=row)

    def hung(
        self, kind: UnitKind, row: str, etag: str, fiche_id: str | None, *, recording: Recording | None = None, note: Note | None = None
    ) -> Unit:
        """A unit that hangs on a fiche: with the fiche, and the unit of its dossier from which holds reach it (HLD-04)."""
        fiche = self.fiches.get(fiche_id) if fiche_id is not None else None
        dossier = self.dossiers.get(fiche.dossier) if fiche is not None and fiche.dossier is not None else None
        return Unit(kind, row, etag, None, [fiche] if fiche is not None else [], [], recording, note, None, dossier)

    def add_calls(self, page: Iterable[Call]) -> None:
        for row in page:
            self.activities[row.id] = (row.regarding_kind, row.regarding)

    def add_emails(self, page: Iterable[Email]) -> None:
        for row in page:
            self.activities[row.id] = (row.regarding_kind, row.regarding)
            if row.regarding is None:
                self.emails[row.id] = Unit(UnitKind.EMAIL, row.id, row.etag, email=row)

    def add_activity_parties(self, page: Iterable[ActivityParty]) -> None:
        contacts = self.contacts
        for row in page:
            contact = contacts.get(row.party) if row.party is not None and row.party_kind == "contact" else None
            if contact is None or row.activity is None:
                continue  # a user, an account, or the dangling id of a contact that is gone
            kind, regarding = self.activities.get(row.activity, (None, None))
            if kind == "contact" and regarding is not None:
                self.about.append((regarding, contact.id))
            else:
                self.links.append((contact.id, self.unit_of(kind, regarding)))

    def every_unit(self) -> Iterator[Unit]:
        """All units, those already anonymised included."""
        for units in (self.dossiers, self.lone, self.recordings, self.attachments, self.emails):
            yield from units.values()

    # -- what was added ------------------------------------------------------------------------------------------------------------

    def units(self, kind: Kind) -> Iterable[Unit]:
        """The units that a plan of this kind has a line for, contacts apart. Rows already anonymised are none (ERA-07)."""
        if kind is not Kind.RECORDINGS:
            for unit in self.dossiers.values():
                if unit.dossier is not None and unit.dossier.anonymised_on is None:
                    yield unit
            for unit in self.lone.values():
                if unit.fiches[0].anonymised_on is None:
                    yield unit
            yield from self.emails.values()
        if kind is not Kind.RETENTION:
            yield from self.recordings.values()
            yield from self.attachments.values()


def is_audio(note: Note, patterns: Collection[str]) -> bool:
    """Whether a note is a stored conversation (RET-05): a file whose media type is on the mapping's list."""
    return bool(note.is_document) and any(fnmatch((note.media_type or "").lower(), pattern) for pattern in patterns)


def gather(connector: Connector, kind: Kind, *, day: date, progress: Progress) -> Gathering:
    """Read everything that a plan of this kind depends on.

    Raises:
        ReadIncomplete: a page is not whole, or rows point to rows that this account cannot see.
    """
    found = Gathering(connector.recording_media_types)
    for contacts in _pages(connector, Contact, CONTACT_FIELDS, progress):
        found.contacts.update((row.id, row) for row in contacts)
    for dossiers in _pages(connector, Dossier, DOSSIER_FIELDS, progress):
        found.add_dossiers(dossiers)
    for fiches in _pages(connector, Fiche, FICHE_FIELDS, progress):
        _ensure(connector, found, dossiers=(row.dossier for row in fiches))
        found.add_fiches(fiches)
    for parties in _pages(connector, Party, PARTY_FIELDS, progress):
        _ensure(
            connector,
            found,
            dossiers=(row.dossier for row in parties),
            fiches=(row.fiche for row in parties),
            contacts=(row.contact for row in parties),
        )
        found.add_parties(parties)
    if kind is not Kind.RETENTION:
        for recordings in _pages(connector, Recording, RECORDING_FIELDS, progress):
            _ensure(connector, found, fiches=(row.fiche for row in recordings))
            found.add_recordings(recordings)
        for notes in _pages(connector, Note, NOTE_FIELDS, progress):
            _ensure(
                connector, found, fiches=(row.regarding for row in notes if row.regarding_kind == "fiche" and is_audio(row, found.audio))
            )
            found.add_notes(notes)
    if kind is not Kind.RECORDINGS:
        for calls in _pages(connector, Call, CALL_FIELDS, progress):
            found.add_calls(calls)
        for emails in _pages(connector, Email, EMAIL_FIELDS, progress):
            found.add_emails(emails)
        for participants in _pages(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, progress):
            found.add_activity_parties(participants)
        add_relations(connector, found, day=day, progress=progress)
    return found


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
    found = Gathering(connector.recording_media_types)
    recordings = rows_of(connector, Recording, RECORDING_FIELDS, Among("id", wanted.get(UnitKind.RECORDING, ())))
    notes = rows_of(connector, Note, NOTE_FIELDS, Among("id", wanted.get(UnitKind.ATTACHMENT, ())))
    hanging = {row.fiche for row in recordings if row.fiche is not None} | set(wanted.get(UnitKind.FICHE, ()))
    hanging |= {row.regarding for row in notes if row.regarding_kind == "fiche" and row.regarding is not None}
    loose = rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(hanging)))
    dossiers = sorted({row.dossier for row in loose if row.dossier is not None} | set(wanted.get(UnitKind.DOSSIER, ())))
    found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", dossiers)))
    found.add_fiches(rows_of(connector, Fiche, FICHE_FIELDS, Among("dossier", dossiers)))
    loose = [row for row in loose if row.id not in found.fiches]
    _ensure(connector, found, dossiers=(row.dossier for row in loose))
    found.add_fiches(loose)
    parties = {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("dossier", dossiers))}
    parties |= {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("fiche", sorted(found.fiches)))}
    _ensure(
        connector,
        found,
        dossiers=(row.dossier for row in parties.values()),
        fiches=(row.fiche for row in parties.values()),
        contacts=(row.contact for row in parties.values()),
    )
    found.add_parties(parties.values())
    _ensure(connector, found, fiches=(row.fiche for row in recordings))
    found.add_recordings(recordings)
    found.add_notes(notes)
    found.add_emails(rows_of(connector, Email, EMAIL_FIELDS, Among("id", wanted.get(UnitKind.EMAIL, ()))))
    return found


def rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """All rows of a small read at once."""
    return [row for page in connector.read(record, fields, among=among) for row in page]


def _pages(
    connector: Connector, record: type[R], fields: tuple[str, ...], progress: Progress, among: Among | None = None
) -> Iterator[list[R]]:
    done = 0
    for page in connector.read(record, fields, among=among):
        done += len(page)
        progress(record.__name__.lower(), done)
        yield page


def _ensure(
    connector: Connector,
    found: Gathering,
    *,
    dossiers: Iterable[str | None] = (),
    fiches: Iterable[str | None] = (),
    contacts: Iterable[str | None] = (),
) -> None:
    """Read rows that others point to and that were not there when their table was read: made meanwhile, or hidden from this account.

    Raises:
        ReadIncomplete: they stay out of sight. A hold or a younger child might hide behind them.
    """
    late_fiches = {row for row in fiches if row is not None and row not in found.fiches}
    late = rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(late_fiches)))
    wanted = {row for row in dossiers if row is not None} | {row.dossier for row in late if row.dossier is not None}
    late_dossiers = {row for row in wanted if row not in found.dossiers}
    found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", sorted(late_dossiers))))
    found.add_fiches(late)
    late_contacts = {row for row in contacts if row is not None and row not in found.contacts}
    found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, Among("id", sorted(late_contacts))))
    hidden = (
        len(late_fiches - found.fiches.keys()) + len(late_dossiers - found.dossiers.keys()) + len(late_contacts - found.contacts.keys())
    )
    if hidden:
        raise ReadIncomplete(
            f"{hidden} rows that others point to are out of this account's sight",
            hint="give the application user read access to the whole organisation, or try again if the CRM was being changed",
        )
