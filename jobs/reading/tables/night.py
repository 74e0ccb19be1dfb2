"""Reads everything that a plan depends on: whole tables, each once, in columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.rows import Among
from jobs.model.plan import Kind
from jobs.ports.context import Progress
from jobs.reading.few_rows import (
    ACTIVITY_FIELDS,
    ACTIVITY_PARTY_FIELDS,
    CONTACT_FIELDS,
    DOSSIER_FIELDS,
    EMAIL_FIELDS,
    FICHE_FIELDS,
    NOTE_FIELDS,
    PARTY_FIELDS,
    RECORDING_FIELDS,
    own_fields,
    rows_of,
)
from jobs.reading.gather import TIES, R, decides_over, free_from_what_is_gone, tie_fields
from jobs.reading.late_rows import add_late_fiches, add_late_notes, add_late_parties, add_late_recordings
from jobs.reading.long_term import add_retained_fiches, add_retained_parties, retained_among, retained_rows_of, without_live
from jobs.reading.tables.dependent_tables import add_named_people, add_own_terms, named_reads
from jobs.reading.tables.frames import Frames, stage_of
from jobs.reading.tables.row_counts import RowCounts
from jobs.reading.units import sort_relations
from rules.model.records import (
    KINDS,
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
)
from rules.retention.relations import NOTHING_IN_FORCE, RelationTerms

if TYPE_CHECKING:
    from jobs.reading.tables.whole_tables import WholeTables

_SHARED_FICHE_FIELDS = (*FICHE_FIELDS, "also_in")


def gather(connector: Connector, kind: Kind, *, progress: Progress, terms: RelationTerms = NOTHING_IN_FORCE) -> WholeTables:
    """Read everything that a plan of this kind depends on; `terms` are the rows outside the missions in
    force. Raises ReadIncomplete: a page is not whole, rows point to rows that this account cannot see, or the
    lake that was read is too old."""
    reads = [(source, fields) for record, fields in whole_reads(connector, kind, terms) for source in connector.sources(record)]
    with connector.read_ahead(reads):
        return _gathered(connector, kind, progress=progress, terms=terms)


def whole_reads(connector: Connector, kind: Kind, terms: RelationTerms) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """Yield the whole reads of a plan of this kind, in their order."""
    yield from ((Contact, CONTACT_FIELDS), (Dossier, DOSSIER_FIELDS), (Fiche, _SHARED_FICHE_FIELDS), (Party, PARTY_FIELDS))
    if _needs_recordings(connector, kind):
        yield Recording, RECORDING_FIELDS
    if kind is not Kind.RETENTION:
        yield Note, NOTE_FIELDS
    if kind is not Kind.RECORDINGS:
        yield from ((TIES[each][0], tie_fields(each, terms)) for each in TIES)
        yield from ((Call, ACTIVITY_FIELDS), (Email, EMAIL_FIELDS))
        yield from ((own.dependent, own_fields(own)) for own in connector.all_kinds.termed)
        yield from named_reads(connector)
        yield ActivityParty, ACTIVITY_PARTY_FIELDS


def _needs_recordings(connector: Connector, kind: Kind) -> bool:
    """Return whether a plan of this kind looks at recordings: they are units of it, or what rows of dependent
    tables belong to."""
    return kind is not Kind.RETENTION or any("recording" in own.above for own in connector.all_kinds.own)


def _gathered(connector: Connector, kind: Kind, *, progress: Progress, terms: RelationTerms) -> WholeTables:
    from jobs.reading.tables.whole_tables import WholeTables

    seen = progress if isinstance(progress, RowCounts) else RowCounts(progress)  # who looks on counts the same rows
    found = WholeTables(connector.recording_media_types)
    read = Frames(connector, found, seen)
    for frame in read(Contact, CONTACT_FIELDS):
        found.add_contacts(frame)
    found.retained_rows = connector.retained_rows()
    retaining = {
        record for record in KINDS.values() if connector.has(record) and any(map(found.retained_rows.get, connector.tables(record)))
    }
    if Contact in retaining:
        found.add_contacts(retained_among(connector, found, Contact, CONTACT_FIELDS, None))
    found.order_contacts()
    _add_files(connector, found, read, retaining)
    _add_conversations(connector, found, read, kind, retaining)
    if kind is not Kind.RECORDINGS:
        _add_relations(connector, found, read, terms=terms, retaining=retaining)  # before the activities that belong to them
        _add_activities(connector, found, read, retaining)
    found.lake_instant = connector.lake_instant()
    if found.lake_instant is None:
        check_visible(connector, seen.rows)
    else:  # which is held against the CRM's counts where it is read
        connector.warnings.append(f"read from the lake of {found.lake_instant:%Y-%m-%dT%H:%M:%SZ}, not from the CRM")
    return found


def _add_files(connector: Connector, found: WholeTables, read: Frames, retaining: Collection[type[Record]]) -> None:
    """Add dossiers and fiches with their parties, wherever they are stored."""
    for frame in read(Dossier, DOSSIER_FIELDS):
        found.add_dossiers(frame)
    if Dossier in retaining:
        found.add_dossiers(retained_among(connector, found, Dossier, DOSSIER_FIELDS, None))
    found.dossiers.put_in_order()
    for frame in read(Fiche, _SHARED_FICHE_FIELDS):
        add_late_fiches(connector, found, found.add_fiches(frame))
    add_retained_fiches(found, _retained(connector, Fiche, FICHE_FIELDS, retaining))
    found.order_fiches()
    for frame in read(Party, PARTY_FIELDS):
        add_late_parties(connector, found, found.add_parties(frame))
    add_retained_parties(found, _retained(connector, Party, PARTY_FIELDS, retaining))


def _add_conversations(connector: Connector, found: WholeTables, read: Frames, kind: Kind, retaining: Collection[type[Record]]) -> None:
    """Add recordings and notes, as far as a plan of this kind looks at them; those in long-term retention for
    every kind, since one that has to stay keeps its fiche."""
    if _needs_recordings(connector, kind):
        for frame in read(Recording, RECORDING_FIELDS):
            add_late_recordings(connector, found, found.add_recordings(frame))
    if kind is not Kind.RETENTION:
        for frame in read(Note, NOTE_FIELDS):
            found.add_whom_about(frame)
            add_late_notes(connector, found, found.add_notes(frame))
    found.recordings.put_in_order()
    found.attachments.put_in_order()
    _add_retained_conversations(connector, found, retaining)


def _add_activities(connector: Connector, found: WholeTables, read: Frames, retaining: Collection[type[Record]]) -> None:
    """Add calls, e-mails and rows of dependent tables, then who takes part in any of them."""
    for frame in read(Call, ACTIVITY_FIELDS):
        found.add_calls(frame, about=True)
    for frame in read(Email, EMAIL_FIELDS):
        found.add_emails(frame, about=True)
    found.activities.put_in_order()
    found.emails.put_in_order()
    is_there = _add_retained_activities(connector, found, retaining)
    is_there |= add_own_terms(connector, found, read)
    is_there |= add_named_people(connector, found, read)
    if is_there:  # once all that they may take part in is known
        found.add_activity_parties(retained_rows_of(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, None))
    for frame in read(ActivityParty, ACTIVITY_PARTY_FIELDS):
        found.add_activity_parties(frame)
    found.forget_links()


# A table that looks empty hides a hold, a child or a relation; the others hide only what would have been
# disposed of, and of those the account's rights tell.
GUARDING: tuple[type[Record], ...] = (Contact, Dossier, Fiche, Party, Call, Email, ActivityParty, Donation, Enrolment, Engagement)


def check_visible(connector: Connector, seen: Mapping[str, int]) -> None:
    """Refuse a view in which a table is empty while the CRM itself counts rows: a missing privilege looks
    just like that. `seen` are rows by kind, as far as it was read. The count may be a day old, so a table
    that was emptied in earnest is taken for hidden until the next one. Raises ReadIncomplete: naming the
    table."""
    empty = [record for record in GUARDING if seen.get(stage_of(record)) == 0 and connector.has(record)]
    for record, total in connector.totals(empty).items():
        if total:
            raise ReadIncomplete(
                f"the CRM counts {total} rows in {' and '.join(connector.tables(record))} and shows this account none",
                hint="give the application user read access to the whole organisation",
                where=connector.tables(record)[0],
            )


def _add_relations(
    connector: Connector, found: WholeTables, read: Frames, *, terms: RelationTerms, retaining: Collection[type[Record]]
) -> None:
    """Add the relations of contacts, as `jobs.reading.gather.add_relations` does for a few."""
    from connectors.interface.id_numbers import as_texts

    for kind, (record, _, _) in TIES.items():
        fields = tie_fields(kind, terms)
        live: set[str] = set()
        if decides_over(kind, terms):
            for page in read.records(record, fields):
                sort_relations(found, kind, page, terms=terms)
                live.update(row.id for row in page)
        else:
            for frame in read(record, fields):
                found.add_ties(frame["contact"].drop_nulls())
                live.update(as_texts(frame[["id"]])["id"] if record in retaining else ())
        if record in retaining:
            retained = without_live(retained_rows_of(connector, record, fields, None), live)
            found.retained.update(row.id for row in retained)
            sort_relations(found, kind, retained, terms=terms)


def _retained(connector: Connector, record: type[R], fields: tuple[str, ...], retaining: Collection[type[Record]]) -> list[R]:
    """Return all rows of a kind that are in long-term retention, if there are any."""
    return retained_rows_of(connector, record, fields, None) if record in retaining else []


def _add_retained_conversations(connector: Connector, found: WholeTables, retaining: Collection[type[Record]]) -> None:
    """Add the recordings and stored conversations there that no live row is."""
    recordings, notes = _retained(connector, Recording, RECORDING_FIELDS, retaining), _retained(connector, Note, NOTE_FIELDS, retaining)
    if not (recordings or notes):
        return
    live = {row.id for row in rows_of(connector, Recording, (), Among("id", sorted(row.id for row in recordings)))}
    live |= {row.id for row in rows_of(connector, Note, (), Among("id", sorted(row.id for row in notes)))}
    recordings, notes = without_live(recordings, live), without_live(notes, live)
    found.retained.update(row.id for row in (*recordings, *notes))
    free_from_what_is_gone(found, recordings)
    found.add_recordings(recordings)
    found.add_notes(notes)


def _add_retained_activities(connector: Connector, found: WholeTables, retaining: Collection[type[Record]]) -> bool:
    """Add what the calls and e-mails there belong to; return whether there are any, and so people who take
    part in them. An activity that stays keeps its people (RET-20)."""
    calls, emails = _retained(connector, Call, ACTIVITY_FIELDS, retaining), _retained(connector, Email, EMAIL_FIELDS, retaining)
    if not (calls or emails):
        return False
    live = found.activities.of(row.id for row in (*calls, *emails))
    calls, emails = without_live(calls, live), without_live(emails, live)
    found.add_calls(calls)
    found.add_emails(emails)
    found.retained.update(row.id for row in (*calls, *emails))
    return bool(calls or emails)
