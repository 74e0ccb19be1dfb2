"""Reads everything that a plan depends on: whole tables, each once, in columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, cast

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
    rows_anywhere,
    rows_of,
)
from jobs.reading.gather import TIES, R, decides_over, free_from_what_is_gone, tie_fields
from jobs.reading.late_rows import add_late_fiches, add_late_notes, add_late_parties, add_late_recordings, add_own_rows
from jobs.reading.long_term import add_retained_fiches, add_retained_parties, retained_among, retained_rows_of, without_live
from jobs.reading.tables.row_counts import RowCounts
from jobs.reading.tops import tops_of
from jobs.reading.units import sort_relations
from rules.model.kinds import FILES, Kinds
from rules.model.records import (
    KINDS,
    ActivityParty,
    Call,
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
    UnitKind,
)
from rules.retention.relations import NOTHING_IN_FORCE, RelationTerms

if TYPE_CHECKING:
    import polars as pl

    from jobs.reading.tables.whole_tables import WholeTables

_SHARED_FICHE_FIELDS = (*FICHE_FIELDS, "also_in")
_AT_ONCE = 50_000  # rows that are looked up together


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
        yield from ((cast("type[Dependent]", own.full), own_fields(own)) for own in connector.all_kinds.termed)
        yield from _named_reads(connector)
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
    if _needs_recordings(connector, kind):
        for frame in read(Recording, RECORDING_FIELDS):
            add_late_recordings(connector, found, found.add_recordings(frame))
    if kind is not Kind.RETENTION:
        for frame in read(Note, NOTE_FIELDS):
            found.add_whom_about(frame)
            add_late_notes(connector, found, found.add_notes(frame))
    found.recordings.put_in_order()
    found.attachments.put_in_order()
    _add_retained_conversations(connector, found, retaining)  # by a plan of any kind: one that has to stay keeps its fiche
    if kind is not Kind.RECORDINGS:
        # Before the activities that belong to them.
        _add_relations(connector, found, read, terms=terms, retaining=retaining)
        for frame in read(Call, ACTIVITY_FIELDS):
            found.add_calls(frame, about=True)
        for frame in read(Email, EMAIL_FIELDS):
            found.add_emails(frame, about=True)
        found.activities.put_in_order()
        found.emails.put_in_order()
        is_there = _add_retained_activities(connector, found, retaining)
        is_there |= _add_own_terms(connector, found, read)
        is_there |= _add_named_people(connector, found, read)
        if is_there:  # once all that they may take part in is known
            found.add_activity_parties(retained_rows_of(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, None))
        for frame in read(ActivityParty, ACTIVITY_PARTY_FIELDS):
            found.add_activity_parties(frame)
        found.forget_links()
    found.lake_instant = connector.lake_instant()
    check_visible(connector, seen.rows, is_lake=found.lake_instant is not None)
    if found.lake_instant is not None:
        connector.warnings.append(f"read from the lake of {found.lake_instant:%Y-%m-%dT%H:%M:%SZ}, not from the CRM")
    return found


class Frames:
    """The rows of whole tables, counted as they are read; `source` says of which class each is."""

    def __init__(self, connector: Connector, found: WholeTables, seen: RowCounts) -> None:
        self._connector, self._found, self._seen = connector, found, seen

    def __call__(self, record: type[Record], fields: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        """Yield all rows of a kind. Raises as `Rows.columns`; ReadIncomplete: rows of two tables have the
        same id."""
        import polars as pl

        from jobs.reading.tables.parts import repeated
        from jobs.reading.tables.row_numbers import SOURCE

        connector, tables = self._connector, self._seen.tables
        self._seen(_stage(record), 0)
        if connector.has(record):
            tables |= dict.fromkeys(connector.tables(record), 0)
        ids: list[pl.Series] = []
        sources = connector.sources(record)
        for source in sources:
            number = self._found.source(source)
            for frame in _put_together(self._pages(record, source, fields)):
                if len(sources) > 1:
                    ids.append(self._found.ids.packed(frame["id"]))
                yield frame.hstack([repeated(number, frame.height, SOURCE).alias("source")])
        if ids:
            every = pl.concat(ids)
            if every.n_unique() != len(every):
                raise ReadIncomplete(f"rows of {_stage(record)} in two tables have the same id", where=connector.tables(record)[0])

    def _pages(self, record: type[Record], source: type[Record], fields: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        stage, table = _stage(record), self._connector.table(source)
        for page in self._connector.columns(source, fields):
            self._seen(stage, self._seen.rows[stage] + page.height)
            self._seen.tables[table] += page.height
            yield page

    def records(self, record: type[R], fields: tuple[str, ...]) -> Iterator[list[R]]:
        """Yield the rows of a kind as records: for kinds with few rows."""
        from jobs.reading.tables.row_numbers import records_of

        for frame in self(record, fields):
            yield records_of(self._found.sources, frame)


def _stage(record: type[Record]) -> str:
    return record.__name__.lower()


def _put_together(pages: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield pages, several as one: to look up a few rows takes nearly as long as to look up many."""
    from connectors.interface.id_numbers import together

    parts: list[pl.DataFrame] = []
    for page in pages:
        parts.append(page)
        if sum(part.height for part in parts) >= _AT_ONCE:
            frame = together(parts, rechunk=True)
            parts.clear()
            yield frame
    if parts:
        yield together(parts, rechunk=True)


def _add_named_people(connector: Connector, found: WholeTables, read: Frames) -> bool:
    """Add who is named by a lookup in a row of a dependent table, wherever it is stored: like who takes part
    in an activity, nobody of them is removed before that row. Of a row that is an activity itself it is noted
    what it belongs to, before its participants are read; return whether any of these is in long-term
    retention."""
    kinds = connector.all_kinds
    activities = {kind.word for kind in kinds.own if connector.is_activity(kind.full)}
    hooks: dict[str, list[int | None]] = {}  # what each row belongs to at the top: it goes with the last of these
    has_retained = False
    for full, fields in _named_reads(connector):
        kind = next(each for each in kinds.own if each.full is full)
        retained = _retained_of_own(connector, found, full, fields)
        has_retained |= bool(retained) and kind.word in activities
        for page in chain(read.records(full, fields), [retained]):
            owners = {row.id: list(kind.owners(row)) for row in page}
            known = _hooks_of(connector, found, kinds, owners.values())
            told: dict[str, int | None] = {}
            parts: list[tuple[str, int | None]] = []
            named = {getattr(row, name) for row in page for name in kind.people} - {None}
            named -= found.missing("contact", named)
            for row in page:
                above: list[int | None] = []
                for owner, regarding in owners[row.id]:
                    of = known.get((owner, regarding)) or [None]
                    above += hooks.get(regarding, of) if kinds[owner].depends else of
                hooks[row.id] = above or [None]
                if kind.word in activities and len(hooks[row.id]) == 1:  # of several nobody can tell which is the last
                    told[row.id] = hooks[row.id][0]
                parts += [(name, hook) for name in {getattr(row, each) for each in kind.people} & named for hook in hooks[row.id]]
            found.add_hooks(told)
            found.take_parts(parts)
    return has_retained


def _retained_of_own(connector: Connector, found: WholeTables, record: type[R], fields: tuple[str, ...]) -> list[R]:
    """Return the rows of a dependent table that are in long-term retention and that no live row is."""
    if not any(map(found.retained_rows.get, connector.tables(record))):
        return []
    rows = retained_rows_of(connector, record, fields, None)
    live = {row.id for row in rows_of(connector, record, (), Among("id", sorted(row.id for row in rows)))}
    return without_live(rows, live)


def _hooks_of(
    connector: Connector, found: WholeTables, kinds: Kinds, owners: Iterable[Iterable[tuple[str, str]]]
) -> dict[tuple[str, str], list[int | None]]:
    """Return what rows with these owners belong to, by kind and id of each owner. What belongs to a role or a
    note goes with what that is in: those are read here, by their ids."""
    from jobs.reading.tables.row_numbers import BASE

    wanted: dict[str, set[str]] = {}
    for of in owners:
        for owner, regarding in of:
            wanted.setdefault(owner, set()).add(regarding)
    known: dict[tuple[str, str], list[int | None]] = {}
    for owner, ids in wanted.items():
        record = KINDS[owner]
        if record in (Party, Note):
            rows = rows_anywhere(connector, record, kinds.links[owner], Among("id", sorted(ids)), connector.retaining((record,)))
            above = {row.id: [up for up in kinds[owner].owners(row) if owner != "party" or up[0] in FILES] for row in rows}
            further = _hooks_of(connector, found, kinds, above.values())
            known.update(((owner, row), [hook for each in of for hook in further.get(each, [None])]) for row, of in above.items())
            continue
        if owner == "recording":
            hooks: Mapping[str, int | None] = {row: BASE[UnitKind.RECORDING] + number for row, number in found.recordings.of(ids).items()}
        else:
            hooks = found.hooks_of_activities(ids) if kinds[owner].depends else found.hooks(owner, ids)
        known.update(((owner, row), [hook]) for row, hook in hooks.items())
    return known


def _named_reads(connector: Connector) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """Yield the reads of dependent tables without a term, if any of their rows may name somebody, or people
    may take part in any."""
    own = connector.all_kinds.own
    if any(kind.people or connector.is_activity(kind.full) for kind in own):
        yield from ((kind.full, (*kind.links, *kind.people)) for kind in own if not kind.term)


def _add_own_terms(connector: Connector, found: WholeTables, read: Frames) -> bool:
    """Add the rows of dependent tables that have a term of their own, wherever they are stored. Return
    whether any that are activities are in long-term retention."""
    from jobs.reading.tables.few_units import add_own

    has_retained = False
    for kind in connector.all_kinds.termed:
        full, fields = cast("type[Dependent]", kind.full), own_fields(kind)
        retained = _retained_of_own(connector, found, full, fields)
        found.retained.update(row.id for row in retained)
        has_retained |= bool(retained) and connector.is_activity(kind.full)
        for page in chain(read.records(full, fields), [retained]):
            add_own_rows(connector, found, kind, page, tops_of(connector, [(kind.word, row) for row in page]), partial(add_own, found))
    return has_retained


# A table that looks empty hides a hold, a child or a relation; the others hide only what would have been
# disposed of. Of those the account's rights tell, which no link has that lays a lake down.
GUARDING: tuple[type[Record], ...] = (Contact, Dossier, Fiche, Party, Call, Email, ActivityParty, Donation, Enrolment, Engagement)


def check_visible(connector: Connector, seen: Mapping[str, int], *, is_lake: bool) -> None:
    """Refuse a view in which a table is empty while the CRM itself counts rows: a missing privilege, or a
    lake that is not filled yet, looks just like that. `seen` are rows by kind, as far as it was read. The
    count may be a day old, so a table that was emptied in earnest is taken for hidden until the next one.
    Raises ReadIncomplete: naming the table."""
    asked: tuple[type[Record], ...] = (*GUARDING, Recording, Note) if is_lake else GUARDING
    empty = [record for record in asked if seen.get(record.__name__.lower()) == 0 and connector.has(record)]
    for record, total in connector.totals(empty).items():
        if total:
            raise ReadIncomplete(
                f"the CRM counts {total} rows in {' and '.join(connector.tables(record))} and "
                + ("the lake has none" if is_lake else "shows this account none"),
                hint="look at the link that fills the lake: this table may not have been copied yet"
                if is_lake
                else "give the application user read access to the whole organisation",
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
