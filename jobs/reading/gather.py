"""Reads the CRM and puts rows together into units, for a whole night or for a few units just before they are
written. Nothing is dropped in silence: a row that points to a row which this account cannot see stops the
run, because a view with holes in it looks just like an organisation with less to keep."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from operator import attrgetter
from typing import TypeVar, cast

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.rows import Among
from jobs.model.plan import Kind
from jobs.ports.context import Progress
from jobs.reading.long_term import add_retained_fiches, add_retained_parties, retained_among, retained_rows_of, without_live
from jobs.reading.tops import tops_of
from jobs.reading.units import Gathering
from rules.model.kinds import FILES
from rules.model.kinds import Kind as RowKind
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
    Unit,
    UnitKind,
)
from rules.retention.relations import NOTHING_IN_FORCE, RelationTerms

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
# Gifts, courses and agreements: what tells that they tie a contact, and what a row of the schedule needs to
# decide over them (2.3).
TIES: Mapping[UnitKind, tuple[type[Donation | Enrolment | Engagement], tuple[str, ...], tuple[str, ...]]] = {
    UnitKind.DONATION: (Donation, ("contact",), ("contact", "booked_on")),
    UnitKind.ENROLMENT: (Enrolment, ("contact",), ("contact", "kind", "held_on")),
    UnitKind.ENGAGEMENT: (Engagement, ("contact", "ended_on"), ("contact", "kind", "ended_on")),
}

R = TypeVar("R", bound=Record)
_ID = attrgetter("id")


class Seen:
    """Counts the rows of each kind, and of each table, as they are read, and reports progress."""

    def __init__(self, progress: Progress) -> None:
        self.rows: dict[str, int] = {}
        self.tables: dict[str, int] = {}
        self._progress = progress

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        self.rows[stage] = done
        self._progress(stage, done, total)


def gather(connector: Connector, kind: Kind, *, day: date, progress: Progress, terms: RelationTerms = NOTHING_IN_FORCE) -> Gathering:
    """Read everything that a plan of this kind depends on; `terms` are the rows outside the missions in
    force. Raises ReadIncomplete: a page is not whole, or rows point to rows that this account cannot see."""
    with connector.read_ahead(_reads(connector, kind, terms)):
        return _gathered(connector, kind, day=day, progress=progress, terms=terms)


def _reads(connector: Connector, kind: Kind, terms: RelationTerms) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """Yield the whole reads of a plan of this kind, in their order."""
    yield from ((Contact, CONTACT_FIELDS), (Dossier, DOSSIER_FIELDS), (Fiche, FICHE_FIELDS), (Party, PARTY_FIELDS))
    if kind is not Kind.RETENTION:
        yield from ((Recording, RECORDING_FIELDS), (Note, NOTE_FIELDS))
    if kind is not Kind.RECORDINGS:
        yield from ((TIES[each][0], _tie_fields(each, terms)) for each in TIES)
        yield from ((Call, CALL_FIELDS), (Email, EMAIL_FIELDS))
        yield from ((cast("type[Dependent]", own.full), _own_fields(own)) for own in connector.all_kinds.termed)
        yield from _named_reads(connector)
        yield ActivityParty, ACTIVITY_PARTY_FIELDS


def _gathered(connector: Connector, kind: Kind, *, day: date, progress: Progress, terms: RelationTerms) -> Gathering:
    seen = progress if isinstance(progress, Seen) else Seen(progress)  # who looks on counts the same rows
    found = Gathering(connector.recording_media_types)
    for contacts in _pages(connector, Contact, CONTACT_FIELDS, seen):
        found.contacts.update(zip(map(_ID, contacts), contacts, strict=True))
    found.retained_rows = connector.retained_rows()
    lie = {record for record in KINDS.values() if connector.has(record) and any(map(found.retained_rows.get, connector.tables(record)))}
    if Contact in lie:
        found.contacts.update((row.id, row) for row in retained_among(connector, found, Contact, CONTACT_FIELDS, None))
    for dossiers in _pages(connector, Dossier, DOSSIER_FIELDS, seen):
        found.add_dossiers(dossiers)
    if Dossier in lie:
        found.add_dossiers(retained_among(connector, found, Dossier, DOSSIER_FIELDS, None))
    for fiches in _pages(connector, Fiche, FICHE_FIELDS, seen):
        _add_late_fiches(connector, found, found.add_fiches(fiches))
    add_retained_fiches(found, _retained(connector, Fiche, FICHE_FIELDS, lie))
    for parties in _pages(connector, Party, PARTY_FIELDS, seen):
        _add_late_parties(connector, found, found.add_parties(parties))
    add_retained_parties(found, _retained(connector, Party, PARTY_FIELDS, lie))
    if kind is not Kind.RETENTION:
        for recordings in _pages(connector, Recording, RECORDING_FIELDS, seen):
            _add_late_recordings(connector, found, found.add_recordings(recordings))
        for notes in _pages(connector, Note, NOTE_FIELDS, seen):
            _add_late_notes(connector, found, found.add_notes(notes))
    _add_retained_conversations(connector, found, lie)  # by a plan of any kind: one that has to stay keeps its fiche
    if kind is not Kind.RECORDINGS:
        # Before the activities that hang on them.
        add_relations(connector, found, day=day, progress=seen, terms=terms, lie=lie)
        for calls in _pages(connector, Call, CALL_FIELDS, seen):
            found.add_calls(calls)
        for emails in _pages(connector, Email, EMAIL_FIELDS, seen):
            found.add_emails(emails)
        _add_retained_activities(connector, found, lie)
        _add_own_terms(connector, found, seen)
        _add_named_people(connector, found, seen)
        for participants in _pages(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, seen):
            found.add_activity_parties(participants)
        found.activities.clear()  # nobody asks any more what an activity hangs on
    check_visible(connector, seen.rows)
    if found.beyond:
        told = f"{len(found.beyond)} rows belong to rows that the mapping leaves out of scope (only): they are not touched"
        if told not in connector.warnings:
            connector.warnings.append(told)
    return found


def _add_named_people(connector: Connector, found: Gathering, progress: Progress) -> None:
    """Add who is named by a lookup in a row of a dependent table: like who takes part in an activity, nobody
    of them is removed before that row. Of a row that is an activity itself it is noted what it belongs to,
    before its participants are read."""
    kinds = connector.all_kinds
    activities = {kind.word for kind in kinds.own if connector.is_activity(kind.full)}
    hooks: dict[str, list[Unit | str | None]] = {}  # what each row belongs to at the top: it goes with the last of these
    for full, fields in _named_reads(connector):
        kind = next(each for each in kinds.own if each.full is full)
        for page in _pages(connector, full, fields, progress):
            for row in page:
                above: list[Unit | str | None] = []
                for owner, regarding in kind.owners(row):
                    depends = kinds[owner].depends
                    of = [found.activities.get(regarding)] if depends else [found.hook_of(owner, regarding)]
                    above += hooks.get(regarding, of) if depends else of
                hooks[row.id] = above or [None]
                if kind.word in activities and len(hooks[row.id]) == 1:  # of several nobody can tell which is the last
                    found.activities[row.id] = hooks[row.id][0]
                for contact in {getattr(row, name) for name in kind.people} & found.contacts.keys():
                    for hook in hooks[row.id]:
                        found.take_part(contact, hook)


def _named_reads(connector: Connector) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """Yield the reads of dependent tables without a term, if any of their rows may name somebody, or people
    may take part in any."""
    own = connector.all_kinds.own
    if any(kind.people or connector.is_activity(kind.full) for kind in own):
        yield from ((kind.full, (*kind.links, *kind.people)) for kind in own if not kind.term)


def _add_own_terms(connector: Connector, found: Gathering, progress: Progress) -> None:
    """Add the rows of dependent tables that have a term of their own."""
    for kind in connector.all_kinds.termed:
        full = cast("type[Dependent]", kind.full)
        for page in _pages(connector, full, _own_fields(kind), progress):
            tops = tops_of(connector, [(kind.word, row) for row in page])
            _add_late_own(connector, found, kind, found.add_own(kind, page, tops), tops)


def _own_fields(kind: RowKind) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*kind.links, *kind.people, kind.counted_from)))


# A table that looks empty hides a hold, a child or a relation; the others hide only what would have been
# disposed of.
GUARDING: tuple[type[Record], ...] = (Contact, Dossier, Fiche, Party, Call, Email, ActivityParty, Donation, Enrolment, Engagement)


def check_visible(connector: Connector, seen: Mapping[str, int]) -> None:
    """Refuse a view in which a table is empty while the CRM itself counts rows: a missing privilege looks
    just like that. `seen` are rows by kind, as far as it was read. The count may be a day old, so a table
    that was emptied in earnest is taken for hidden until the next one. Raises ReadIncomplete: naming the
    table."""
    for record in GUARDING:
        if seen.get(record.__name__.lower()) == 0 and connector.has(record) and (total := connector.total(record)):
            raise ReadIncomplete(
                f"the CRM counts {total} rows in {' and '.join(connector.tables(record))} and shows this account none",
                hint="give the application user read access to the whole organisation",
                where=connector.tables(record)[0],
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
    lie: Collection[type[Record]] = (),
) -> None:
    """Add the active and former relations of contacts (RET-20): a gift, a course, an agreement that has not
    ended before `day`; those of the kinds `without` are passed over. Of the kinds `lie` rows in long-term
    retention tie their contact too."""
    for kind, (record, _, _) in TIES.items():
        if kind in without:
            continue
        fields = _tie_fields(kind, terms)
        live: set[str] = set()
        for page in _pages(connector, record, fields, progress, among):
            found.add_relations(kind, page, day=day, terms=terms)
            if record in lie:
                live.update(map(_ID, page))
        if record in lie:
            retained = without_live(retained_rows_of(connector, record, fields, among), live)
            found.retained.update(map(_ID, retained))
            found.add_relations(kind, retained, day=day, terms=terms)


def _tie_fields(kind: UnitKind, terms: RelationTerms) -> tuple[str, ...]:
    """Return what is read of relations of this kind: more where a row of the schedule decides over them."""
    _, tie, decides = TIES[kind]
    return decides if kind in terms.units or (kind is UnitKind.DONATION and terms.donor) else tie


def _retained(connector: Connector, record: type[R], fields: tuple[str, ...], lie: Collection[type[Record]]) -> list[R]:
    """Return all rows of a kind that are in long-term retention, if there are any."""
    return retained_rows_of(connector, record, fields, None) if record in lie else []


def _add_retained_conversations(connector: Connector, found: Gathering, lie: Collection[type[Record]]) -> None:
    """Add the recordings and stored conversations there that no live row is."""
    recordings, notes = _retained(connector, Recording, RECORDING_FIELDS, lie), _retained(connector, Note, NOTE_FIELDS, lie)
    live = {row.id for row in rows_of(connector, Recording, (), Among("id", sorted(map(_ID, recordings))))}
    live |= {row.id for row in rows_of(connector, Note, (), Among("id", sorted(map(_ID, notes))))}
    recordings, notes = without_live(recordings, live), without_live(notes, live)
    found.retained.update(row.id for row in (*recordings, *notes))
    _free_from_what_is_gone(found, recordings)
    found.add_recordings(recordings)
    found.add_notes(notes)


def _add_retained_activities(connector: Connector, found: Gathering, lie: Collection[type[Record]]) -> None:
    """Add what the calls and e-mails there belong to, and who takes part in them. An activity that stays
    keeps its people (RET-20)."""
    calls = without_live(_retained(connector, Call, CALL_FIELDS, lie), found.activities)
    emails = without_live(_retained(connector, Email, EMAIL_FIELDS, lie), found.activities)
    found.add_calls(calls)
    found.add_emails(emails)
    found.retained.update(row.id for row in (*calls, *emails))
    if calls or emails:
        found.add_activity_parties(retained_rows_of(connector, ActivityParty, ACTIVITY_PARTY_FIELDS, None))


def gather_units(connector: Connector, wanted: Mapping[UnitKind, Sequence[str]]) -> Gathering:
    """Read some units again, with all that their retention ends depend on (RET-17), wherever it is stored.
    What was moved into long-term retention since counts as before (RET-11). Deleted ids are simply absent."""
    found = Gathering(connector.recording_media_types, versions={})
    kinds = {KINDS[kind.value] for kind, ids in wanted.items() if ids and kind is not UnitKind.OWN_TABLE}
    lie = connector.retaining((Dossier, Fiche, Party, *kinds)) if kinds else frozenset()
    ids = Among("id", sorted(wanted.get(UnitKind.OWN_TABLE, ())))
    termed = connector.all_kinds.termed if ids.ids else ()
    own = [(kind, rows_of(connector, cast("type[Dependent]", kind.full), _own_fields(kind), ids)) for kind in termed]
    tops = tops_of(connector, [(kind.word, row) for kind, rows in own for row in rows])
    above: dict[str, set[str]] = defaultdict(set)
    for word, row in chain.from_iterable(tops.values()):
        above[word].add(row)
    of_recordings = sorted({*wanted.get(UnitKind.RECORDING, ())} | above["recording"])
    recordings = _wanted(connector, found, Recording, RECORDING_FIELDS, of_recordings, lie)
    notes = _wanted(connector, found, Note, NOTE_FIELDS, wanted.get(UnitKind.ATTACHMENT, ()), lie)
    hanging = {row.fiche for row in recordings if row.fiche is not None} | set(wanted.get(UnitKind.FICHE, ())) | above["fiche"]
    hanging |= {row.regarding for row in notes if row.regarding_kind == "fiche" and row.regarding is not None}
    loose = rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(hanging)))
    moved = retained_rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(hanging - set(map(_ID, loose))))) if Fiche in lie else []
    of_fiches = {dossier for row in (*loose, *moved) for dossier in row.dossiers}
    dossiers = sorted(of_fiches | set(wanted.get(UnitKind.DOSSIER, ())) | above["dossier"])
    fiches: dict[str, Fiche] = {}
    while dossiers:  # with those that share a fiche with them, as whole as they are
        found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", dossiers)))
        if Dossier in lie:
            found.add_dossiers(retained_among(connector, found, Dossier, DOSSIER_FIELDS, set(dossiers) - found.dossiers.keys()))
        fresh = [row for row in rows_of(connector, Fiche, FICHE_FIELDS, Among("dossier", dossiers)) if row.id not in fiches]
        fiches |= {row.id: row for row in fresh}
        dossiers = sorted({dossier for row in fresh if row.also_in for dossier in row.dossiers} - found.dossiers.keys())
    _add_late_fiches(connector, found, [row for row in found.add_fiches(fiches.values()) if row.also_in])
    _add_late_fiches(connector, found, found.add_fiches(row for row in loose if row.id not in found.fiches))
    if Fiche in lie:
        add_retained_fiches(found, retained_rows_of(connector, Fiche, FICHE_FIELDS, Among("dossier", sorted(found.dossiers))))
        add_retained_fiches(found, moved)
    parties = _parties_of(connector, found, rows_of)
    retained = without_live(_parties_of(connector, found, retained_rows_of).values(), parties) if Party in lie else []
    people = {row.contact for row in (*parties.values(), *retained) if row.contact is not None}
    found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, Among("id", sorted(people))))
    _add_late_parties(connector, found, found.add_parties(parties.values()))
    if retained:
        _find_fiches(connector, found, (row.fiche for row in retained))
        _find_dossiers(connector, found, {row.dossier for row in retained if row.dossier is not None} - found.dossiers.keys())
        gone = people - found.contacts.keys()
        found.contacts.update((row.id, row) for row in retained_among(connector, found, Contact, CONTACT_FIELDS, gone))
    add_retained_parties(found, retained)
    _free_from_what_is_gone(found, recordings)
    _add_late_recordings(connector, found, found.add_recordings(recordings))
    _add_late_notes(
        connector, found, found.add_notes([row for row in notes if row.id not in found.retained or row.regarding in found.fiches])
    )
    found.add_emails(_wanted(connector, found, Email, EMAIL_FIELDS, wanted.get(UnitKind.EMAIL, ()), lie))
    for kind, (record, _, fields) in TIES.items():
        rows = _wanted(connector, found, record, fields, wanted.get(kind, ()), lie)
        if rows:
            found.relation_units[kind] = {row.id: Unit(kind, row.id, row.etag, relation=row) for row in rows}
    for own_kind, own_rows in own:
        _add_late_own(connector, found, own_kind, found.add_own(own_kind, own_rows, tops), tops)
    return found


def _wanted(
    connector: Connector, found: Gathering, record: type[R], fields: tuple[str, ...], ids: Sequence[str], lie: Collection[type[Record]]
) -> list[R]:
    """Return the rows of these ids, those in long-term retention noted as such."""
    rows = rows_of(connector, record, fields, Among("id", ids))
    if record in lie:
        missing = set(ids) - set(map(_ID, rows))
        retained = retained_rows_of(connector, record, fields, Among("id", sorted(missing)))
        found.retained.update(map(_ID, retained))
        rows += retained
    return rows


def _free_from_what_is_gone(found: Gathering, recordings: Iterable[Recording]) -> None:
    """Make recordings in long-term retention whose fiche is deleted separate units, as live ones would be."""
    for row in recordings:
        if row.id in found.retained and row.fiche not in found.fiches:
            row.fiche = None


def _parties_of(connector: Connector, found: Gathering, read: Callable[..., list[Party]]) -> dict[str, Party]:
    """Return the roles in the dossiers and fiches that were read, as `read` finds them."""
    parties = {row.id: row for row in read(connector, Party, PARTY_FIELDS, Among("dossier", sorted(found.dossiers)))}
    return parties | {row.id: row for row in read(connector, Party, PARTY_FIELDS, Among("fiche", sorted(found.fiches)))}


def rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """Return all rows of a small read at once."""
    return [row for page in connector.read(record, fields, among=among) for row in page]


def rows_anywhere(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among, lie: Collection[type[Record]]) -> list[R]:
    """Return all rows of a small read, with those in long-term retention if `lie` has rows of this kind."""
    rows = rows_of(connector, record, fields, among)
    return [*rows, *without_live(retained_rows_of(connector, record, fields, among), set(map(_ID, rows)))] if record in lie else rows


def _pages(
    connector: Connector, record: type[R], fields: tuple[str, ...], progress: Progress, among: Among | None = None
) -> Iterator[list[R]]:
    done = 0
    progress(record.__name__.lower(), done)
    tables = progress.tables if isinstance(progress, Seen) else {}
    if connector.has(record):
        tables |= dict.fromkeys(connector.tables(record), 0)
    for page in connector.read(record, fields, among=among, remembered=True):
        done += len(page)
        progress(record.__name__.lower(), done)
        if page:
            tables[connector.table(type(page[0]))] += len(page)
        yield page


# Rows that point to something that was not there when its table was read: made meanwhile, or hidden from this
# account. They are looked for once more by their ids; if they stay out of sight the run stops, since a hold
# or a younger child might hide behind them.


def _add_late_fiches(connector: Connector, found: Gathering, fiches: Sequence[Fiche]) -> None:
    if fiches:
        wanted = {dossier for row in fiches for dossier in row.dossiers} - found.dossiers.keys()
        _find_dossiers(connector, found, wanted)
        fiches = _in_scope(connector, found, Dossier, "dossier", fiches, wanted - found.dossiers.keys())
        _stop_at(connector, Fiche, FICHE_FIELDS, found.add_fiches, found.add_fiches(fiches))


def _find_fiches(connector: Connector, found: Gathering, wanted: Iterable[str | None]) -> None:
    missing = {row for row in wanted if row is not None and row not in found.fiches and row not in found.beyond}
    _add_late_fiches(connector, found, found.add_fiches(rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(missing)))))
    retained = retained_among(connector, found, Fiche, FICHE_FIELDS, missing - found.fiches.keys())
    _find_dossiers(connector, found, {row.dossier for row in retained if row.dossier is not None and row.dossier not in found.dossiers})
    add_retained_fiches(found, retained)


def _find_dossiers(connector: Connector, found: Gathering, wanted: set[str]) -> None:
    found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", sorted(wanted))))
    found.add_dossiers(retained_among(connector, found, Dossier, DOSSIER_FIELDS, wanted - found.dossiers.keys()))


def _add_late_parties(connector: Connector, found: Gathering, parties: Sequence[Party]) -> None:
    if parties:
        _find_fiches(connector, found, (row.fiche for row in parties))
        _find_dossiers(connector, found, {row.dossier for row in parties if row.dossier is not None and row.dossier not in found.dossiers})
        contacts = {row.contact for row in parties if row.contact is not None and row.contact not in found.contacts}
        found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, Among("id", sorted(contacts))))
        retained = retained_among(connector, found, Contact, CONTACT_FIELDS, contacts - found.contacts.keys())
        found.contacts.update((row.id, row) for row in retained)
        _tie_beyond(connector, found, parties)
        _stop_at(connector, Party, PARTY_FIELDS, found.add_parties, found.add_parties(parties))


def _add_late_recordings(connector: Connector, found: Gathering, recordings: Sequence[Recording]) -> None:
    if recordings:
        _find_fiches(connector, found, (row.fiche for row in recordings))
        missing = {row.fiche for row in recordings if row.fiche is not None} - found.fiches.keys()
        hidden = found.add_recordings(_in_scope(connector, found, Fiche, "fiche", recordings, missing))
        _stop_at(connector, Recording, RECORDING_FIELDS, found.add_recordings, hidden)


def _add_late_own(
    connector: Connector,
    found: Gathering,
    kind: RowKind,
    rows: Sequence[Dependent],
    tops: Mapping[tuple[str, str], Sequence[tuple[str, str]]],
) -> None:
    if rows:
        of = {row.id: tops[kind.word, row.id] for row in rows}
        owners = {word: {owner for each in of.values() for to, owner in each if to == word} for word in FILES}
        _find_fiches(connector, found, owners["fiche"])
        _find_dossiers(connector, found, owners["dossier"] - found.dossiers.keys())
        beyond = set(found.beyond)
        for word, there in (("dossier", found.dossiers), ("fiche", found.fiches)):
            if missing := owners[word] - there.keys():
                beyond |= connector.out_of_scope(KINDS[word], missing)
        outside = {row for row, each in of.items() if any(owner in beyond for _, owner in each)}
        found.beyond |= outside
        for row in rows:
            for name in kind.people if row.id in outside else ():
                if (contact := getattr(row, name)) in found.contacts:
                    found.take_part(contact, None)
        hidden = found.add_own(kind, [row for row in rows if row.id not in outside], tops)
        _stop_at(connector, cast("type[Dependent]", kind.full), _own_fields(kind), lambda again: found.add_own(kind, again, tops), hidden)


def _add_late_notes(connector: Connector, found: Gathering, notes: Sequence[Note]) -> None:
    if notes:
        _find_fiches(connector, found, (row.regarding for row in notes))
        missing = {row.regarding for row in notes if row.regarding is not None} - found.fiches.keys()
        hidden = found.add_notes(_in_scope(connector, found, Fiche, "regarding", notes, missing))
        _stop_at(connector, Note, NOTE_FIELDS, found.add_notes, hidden)


# What belongs to a row that the mapping leaves out of scope is out of scope with it: it is no unit, keeps
# whoever it names, and is counted in a warning.


def _in_scope(
    connector: Connector, found: Gathering, owner: type[Record], link: str, rows: Sequence[R], missing: Collection[str]
) -> Sequence[R]:
    """Return the rows without those whose owner is out of scope; `missing` are the owners that were not
    found."""
    if not missing:
        return rows
    beyond = found.beyond | connector.out_of_scope(owner, missing)
    found.beyond.update(row.id for row in rows if getattr(row, link) in beyond)
    return [row for row in rows if getattr(row, link) not in beyond]


def _tie_beyond(connector: Connector, found: Gathering, parties: Sequence[Party]) -> None:
    """Tie the people of roles in what is out of scope, and take that link off the role."""
    missing: dict[type[Record], set[str]] = {
        Dossier: {row.dossier for row in parties if row.dossier is not None} - found.dossiers.keys(),
        Fiche: {row.fiche for row in parties if row.fiche is not None} - found.fiches.keys(),
    }
    beyond = {row for kind, ids in missing.items() if ids for row in connector.out_of_scope(kind, ids)} | found.beyond
    for row in parties:
        if row.dossier in beyond or row.fiche in beyond:
            if row.contact is not None and row.contact in found.contacts:
                found.people.append(found.contacts[row.contact].id)
                found.places.append(None)
            row.dossier = None if row.dossier in beyond else row.dossier
            row.fiche = None if row.fiche in beyond else row.fiche


def _stop_at(
    connector: Connector, record: type[R], fields: tuple[str, ...], add: Callable[[list[R]], Sequence[R]], hidden: Sequence[R]
) -> None:
    """Refuse rows that point to what is out of sight, unless another look shows that they do so no longer:
    tables are read at the same time, and what they point to may be gone together with them."""
    if hidden and (hidden := add(rows_of(connector, record, fields, Among("id", sorted(map(_ID, hidden)))))):
        raise ReadIncomplete(
            f"{len(hidden)} rows point to rows that are out of this account's sight",
            hint="give the application user read access to the whole organisation, or try again if the CRM was being changed",
            where=connector.tables(record)[0],
        )
