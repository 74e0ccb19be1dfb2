"""Reads the CRM and puts rows together into units, for a whole night or for a few units just before they are written.

Nothing is dropped in silence: a row that points to a row which this account cannot see stops the run, because a view with holes in it
looks just like an organisation with less to keep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import TypeVar

from connectors.interface import Among, Connector, ReadIncomplete
from jobs.gathering import Gathering
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
from rules.relations import NOTHING_IN_FORCE, RelationTerms

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
# Gifts, courses and agreements: what tells that they tie a contact, and what a row of the schedule needs to decide over them (2.3).
TIES: Mapping[UnitKind, tuple[type[Donation | Enrolment | Engagement], tuple[str, ...], tuple[str, ...]]] = {
    UnitKind.DONATION: (Donation, ("contact",), ("contact", "booked_on")),
    UnitKind.ENROLMENT: (Enrolment, ("contact",), ("contact", "kind", "held_on")),
    UnitKind.ENGAGEMENT: (Engagement, ("contact", "ended_on"), ("contact", "kind", "ended_on")),
}

R = TypeVar("R", bound=Record)
_ID = attrgetter("id")


class Seen:
    """Counts the rows of each kind on their way to whoever watches."""

    def __init__(self, progress: Progress) -> None:
        self.rows: dict[str, int] = {}
        self._progress = progress

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        self.rows[stage] = done
        self._progress(stage, done, total)


def gather(connector: Connector, kind: Kind, *, day: date, progress: Progress, terms: RelationTerms = NOTHING_IN_FORCE) -> Gathering:
    """Read everything that a plan of this kind depends on; `terms` are the rows outside the missions that are in force.

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
        add_relations(connector, found, day=day, progress=seen, terms=terms)  # before the activities that hang on them
        for calls in _pages(connector, Call, CALL_FIELDS, seen):
            found.add_calls(calls)
        for emails in _pages(connector, Email, EMAIL_FIELDS, seen):
            found.add_emails(emails)
        for participants in _pages(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, seen):
            found.add_activity_parties(participants)
        found.activities.clear()  # nobody asks any more what an activity hangs on
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


def add_relations(
    connector: Connector,
    found: Gathering,
    *,
    day: date,
    progress: Progress,
    among: Among | None = None,
    terms: RelationTerms = NOTHING_IN_FORCE,
    without: Collection[UnitKind] = (),
) -> None:
    """Add the active and former relations of contacts (RET-20): a gift, a course, an agreement that has not ended before `day`; those of
    the kinds `without` are passed over."""
    for kind, (record, tie, decides) in TIES.items():
        if kind in without:
            continue
        fields = decides if kind in terms.units or (kind is UnitKind.DONATION and terms.donor) else tie
        for page in _pages(connector, record, fields, progress, among):
            found.add_relations(kind, page, day=day, terms=terms)


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
    for kind, (record, _, fields) in TIES.items():
        rows = rows_of(connector, record, fields, Among("id", wanted.get(kind, ())))
        if rows:
            found.relation_units[kind] = {row.id: Unit(kind, row.id, row.etag, relation=row) for row in rows}
    return found


def rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """All rows of a small read at once."""
    return [row for page in connector.read(record, fields, among=among) for row in page]


def _pages(
    connector: Connector, record: type[R], fields: tuple[str, ...], progress: Progress, among: Among | None = None
) -> Iterator[list[R]]:
    done = 0
    progress(record.__name__.lower(), done)
    for page in connector.read(record, fields, among=among, remembered=True):
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
