"""Reads the CRM and puts rows together into units, for a whole night or for a few units just before they are
written. Nothing is dropped in silence: a row that points to a row which this account cannot see stops the
run, because a view with holes in it looks just like an organisation with less to keep."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import TypeVar, cast

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.rows import Among
from jobs.ports.context import Progress
from jobs.reading.long_term import Found, add_retained_fiches, add_retained_parties, retained_among, retained_rows_of, without_live
from jobs.reading.tops import tops_of
from jobs.reading.units import Gathering
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
    word_of,
)
from rules.retention.relations import NOTHING_IN_FORCE, RelationTerms, anchor_of

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
RECORDING_FIELDS = ("dossier", "fiche", "started_on", "ended_on", "taken_over", "evidence", "storage_uri")
NOTE_FIELDS = ("regarding", "regarding_kind", "is_document", "media_type", "evidence")
EMAIL_FIELDS = ("regarding", "regarding_kind", "sent_on", "created_on")
CALL_FIELDS = ("regarding", "regarding_kind")
ACTIVITY_PARTY_FIELDS = ("activity", "party", "party_kind")
# Gifts, courses and agreements: what tells that they tie a contact, and what a row of the schedule needs to
# decide over them (2.3).
TIES: Mapping[UnitKind, tuple[type[Donation | Enrolment | Engagement], tuple[str, ...], tuple[str, ...]]] = {
    UnitKind.DONATION: (Donation, ("contact",), ("contact", anchor_of(UnitKind.DONATION))),
    UnitKind.ENROLMENT: (Enrolment, ("contact",), ("contact", "kind", anchor_of(UnitKind.ENROLMENT))),
    UnitKind.ENGAGEMENT: (Engagement, ("contact", "ended_on"), ("contact", "kind", anchor_of(UnitKind.ENGAGEMENT))),
}

FILE_ROWS: tuple[type[Record], ...] = (Dossier, Fiche, Party)  # of which every unit may depend on some
NOBODY: Mapping[str, Contact] = MappingProxyType({})

R = TypeVar("R", bound=Record)
_ID = attrgetter("id")


def add_relations(
    connector: Connector,
    found: Found,
    *,
    progress: Progress,
    among: Among | None = None,
    terms: RelationTerms = NOTHING_IN_FORCE,
    without: Collection[UnitKind] = (),
    retaining: Collection[type[Record]] = (),
) -> None:
    """Add the relations of contacts (RET-20): gifts, courses, agreements; those of the kinds `without` are
    passed over. Of the kinds `retaining` rows in long-term retention tie their contact too."""
    for kind, (record, _, _) in TIES.items():
        if kind in without:
            continue
        fields = tie_fields(kind, terms)
        live: set[str] = set()
        for page in _pages(connector, record, fields, progress, among):
            found.add_relations(kind, page, terms=terms)
            if record in retaining:
                live.update(map(_ID, page))
        if record in retaining:
            retained = without_live(retained_rows_of(connector, record, fields, among), live)
            found.retained.update(map(_ID, retained))
            found.add_relations(kind, retained, terms=terms)


def tie_fields(kind: UnitKind, terms: RelationTerms) -> tuple[str, ...]:
    """Return what is read of relations of this kind: more where a row of the schedule decides over them."""
    _, tie, decides = TIES[kind]
    return decides if decides_over(kind, terms) else tie


def decides_over(kind: UnitKind, terms: RelationTerms) -> bool:
    """Return whether a row of the schedule decides over relations of this kind; else each ties its contact
    and says nothing more."""
    return kind in terms.units or (kind is UnitKind.DONATION and bool(terms.donor))


def own_fields(kind: RowKind) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*kind.links, *kind.people, kind.counted_from)))


def gather_units(
    connector: Connector,
    wanted: Mapping[UnitKind, Sequence[str]],
    may_lie_there: frozenset[type[Record]] | None = None,
    people_read: Mapping[str, Contact] = NOBODY,
) -> Gathering:
    """Read some units again, with all that their retention ends depend on (RET-17), wherever it is stored.
    What was moved into long-term retention since counts as before (RET-11). Deleted ids are simply absent.
    `may_lie_there`: the kinds with rows in long-term retention, where the CRM was asked about a moment ago,
    about `FILE_ROWS` and the kinds of these units at least. `people_read` are live contacts that were read a
    moment ago, by id: they are not read again."""
    found = Gathering(connector.recording_media_types, versions={})
    kinds = {KINDS[kind.value] for kind, ids in wanted.items() if ids and kind is not UnitKind.OWN_TABLE}
    if kinds:
        found.may_lie_there = connector.retaining((*FILE_ROWS, *kinds)) if may_lie_there is None else may_lie_there
    retaining = found.may_lie_there
    ids = Among("id", sorted(wanted.get(UnitKind.OWN_TABLE, ())))
    termed = connector.all_kinds.termed if ids.ids else ()
    fulls = {kind.word: cast("type[Dependent]", kind.full) for kind in termed}
    there = connector.retaining(tuple(fulls.values())) if fulls else frozenset()
    own = [(kind, _wanted(connector, found, fulls[kind.word], own_fields(kind), ids.ids, there)) for kind in termed]
    tops = tops_of(connector, [(kind.word, row) for kind, rows in own for row in rows])
    above: dict[str, set[str]] = defaultdict(set)
    for word, row in chain.from_iterable(tops.values()):
        above[word].add(row)
    of_recordings = sorted({*wanted.get(UnitKind.RECORDING, ())} | above["recording"])
    recordings = _wanted(connector, found, Recording, RECORDING_FIELDS, of_recordings, retaining)
    notes = _wanted(connector, found, Note, NOTE_FIELDS, wanted.get(UnitKind.ATTACHMENT, ()), retaining)
    owning = {row.fiche for row in recordings if row.fiche is not None} | set(wanted.get(UnitKind.FICHE, ())) | above["fiche"]
    owning |= {row.regarding for row in notes if row.regarding_kind == "fiche" and row.regarding is not None}
    loose = rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(owning)))
    moved = (
        retained_rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(owning - set(map(_ID, loose))))) if Fiche in retaining else []
    )
    of_fiches = {dossier for row in (*loose, *moved) for dossier in row.dossiers}
    of_fiches |= {row.dossier for row in recordings if row.dossier is not None}
    dossiers = sorted(of_fiches | set(wanted.get(UnitKind.DOSSIER, ())) | above["dossier"])
    fiches: dict[str, Fiche] = {}
    while dossiers:  # with those that share a fiche with them, as whole as they are
        found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", dossiers)))
        if Dossier in retaining:
            found.add_dossiers(retained_among(connector, found, Dossier, DOSSIER_FIELDS, set(dossiers) - found.dossiers.keys()))
        fresh = [row for row in rows_of(connector, Fiche, FICHE_FIELDS, Among("dossier", dossiers)) if row.id not in fiches]
        fiches |= {row.id: row for row in fresh}
        dossiers = sorted({dossier for row in fresh if row.also_in for dossier in row.dossiers} - found.dossiers.keys())
    add_late_fiches(connector, found, [row for row in found.add_fiches(fiches.values()) if row.also_in])
    add_late_fiches(connector, found, found.add_fiches(row for row in loose if row.id not in found.fiches))
    if Fiche in retaining:
        add_retained_fiches(found, retained_rows_of(connector, Fiche, FICHE_FIELDS, Among("dossier", sorted(found.dossiers))))
        add_retained_fiches(found, moved)
    parties = _parties_of(connector, found, rows_of)
    retained = without_live(_parties_of(connector, found, retained_rows_of).values(), parties) if Party in retaining else []
    people = {row.contact for row in (*parties.values(), *retained) if row.contact is not None}
    found.contacts.update((one, people_read[one]) for one in people & people_read.keys())
    others = Among("id", sorted(people - people_read.keys()))
    found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, others))
    add_late_parties(connector, found, found.add_parties(parties.values()))
    if retained:
        _find_fiches(connector, found, (row.fiche for row in retained))
        find_dossiers(connector, found, {row.dossier for row in retained if row.dossier is not None} - found.dossiers.keys())
        gone = people - found.contacts.keys()
        found.contacts.update((row.id, row) for row in retained_among(connector, found, Contact, CONTACT_FIELDS, gone))
    add_retained_parties(found, retained)
    free_from_what_is_gone(found, recordings)
    add_late_recordings(connector, found, found.add_recordings(recordings))
    add_late_notes(
        connector, found, found.add_notes([row for row in notes if row.id not in found.retained or row.regarding in found.fiches])
    )
    found.add_emails(_wanted(connector, found, Email, EMAIL_FIELDS, wanted.get(UnitKind.EMAIL, ()), retaining))
    for kind, (record, _, fields) in TIES.items():
        rows = _wanted(connector, found, record, fields, wanted.get(kind, ()), retaining)
        if rows:
            found.relation_units[kind] = {row.id: Unit(kind, row.id, row.etag, relation=row) for row in rows}
    for own_kind, own_rows in own:
        add_own_rows(connector, found, own_kind, own_rows, tops, found.add_own)
    return found


def _wanted(
    connector: Connector,
    found: Gathering,
    record: type[R],
    fields: tuple[str, ...],
    ids: Sequence[str],
    retaining: Collection[type[Record]],
) -> list[R]:
    """Return the rows of these ids, those in long-term retention noted as such."""
    rows = rows_of(connector, record, fields, Among("id", ids))
    if record in retaining:
        missing = set(ids) - set(map(_ID, rows))
        retained = retained_rows_of(connector, record, fields, Among("id", sorted(missing)))
        found.retained.update(map(_ID, retained))
        rows += retained
    return rows


def free_from_what_is_gone(found: Found, recordings: Iterable[Recording]) -> None:
    """Make recordings in long-term retention whose fiche or dossier is deleted separate units, as live ones
    would be."""
    for name in FILES:
        gone = found.missing(name, (getattr(row, name) for row in recordings))
        for row in recordings:
            if row.id in found.retained and getattr(row, name) in gone:
                setattr(row, name, None)


def _parties_of(connector: Connector, found: Gathering, read: Callable[..., list[Party]]) -> dict[str, Party]:
    """Return the roles in the dossiers and fiches that were read, as `read` finds them."""
    parties = {row.id: row for row in read(connector, Party, PARTY_FIELDS, Among("dossier", sorted(found.dossiers)))}
    return parties | {row.id: row for row in read(connector, Party, PARTY_FIELDS, Among("fiche", sorted(found.fiches)))}


def rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """Return all rows of a small read at once."""
    return [row for page in connector.read(record, fields, among=among) for row in page]


def rows_anywhere(
    connector: Connector, record: type[R], fields: tuple[str, ...], among: Among, retaining: Collection[type[Record]]
) -> list[R]:
    """Return all rows of a small read, with those in long-term retention if `retaining` has their kind."""
    rows = rows_of(connector, record, fields, among)
    return [*rows, *without_live(retained_rows_of(connector, record, fields, among), set(map(_ID, rows)))] if record in retaining else rows


def _pages(
    connector: Connector, record: type[R], fields: tuple[str, ...], progress: Progress, among: Among | None = None
) -> Iterator[list[R]]:
    done = 0
    progress(record.__name__.lower(), done)
    for page in connector.read(record, fields, among=among):
        done += len(page)
        progress(record.__name__.lower(), done)
        yield page


# Rows that point to something that was not there when its table was read: made meanwhile, or hidden from this
# account. They are looked for once more by their ids; if they stay out of sight the run stops, since a hold
# or a younger child might hide behind them.


def add_late_fiches(connector: Connector, found: Found, fiches: Sequence[Fiche]) -> None:
    if fiches:
        wanted = found.missing("dossier", (dossier for row in fiches for dossier in row.dossiers))
        find_dossiers(connector, found, wanted)
        fiches = _in_scope(connector, found, Dossier, "dossier", fiches, found.missing("dossier", wanted))
        _stop_at(connector, Fiche, FICHE_FIELDS, found.add_fiches, found.add_fiches(fiches))


def _find_fiches(connector: Connector, found: Found, wanted: Iterable[str | None]) -> None:
    missing = found.missing("fiche", wanted) - found.beyond.keys()
    add_late_fiches(connector, found, found.add_fiches(rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(missing)))))
    retained = retained_among(connector, found, Fiche, FICHE_FIELDS, found.missing("fiche", missing))
    find_dossiers(connector, found, found.missing("dossier", (row.dossier for row in retained)))
    add_retained_fiches(found, retained)


def find_dossiers(connector: Connector, found: Found, wanted: set[str]) -> None:
    found.add_dossiers(rows_of(connector, Dossier, DOSSIER_FIELDS, Among("id", sorted(wanted))))
    found.add_dossiers(retained_among(connector, found, Dossier, DOSSIER_FIELDS, found.missing("dossier", wanted)))


def add_late_parties(connector: Connector, found: Found, parties: Sequence[Party]) -> None:
    if parties:
        _find_fiches(connector, found, (row.fiche for row in parties))
        find_dossiers(connector, found, found.missing("dossier", (row.dossier for row in parties)))
        contacts = found.missing("contact", (row.contact for row in parties))
        found.add_contacts(rows_of(connector, Contact, CONTACT_FIELDS, Among("id", sorted(contacts))))
        found.add_contacts(retained_among(connector, found, Contact, CONTACT_FIELDS, found.missing("contact", contacts)))
        _tie_beyond(connector, found, parties)
        _stop_at(connector, Party, PARTY_FIELDS, found.add_parties, found.add_parties(parties))


def add_late_recordings(connector: Connector, found: Found, recordings: Sequence[Recording]) -> None:
    if recordings:
        _find_fiches(connector, found, (row.fiche for row in recordings))
        find_dossiers(connector, found, found.missing("dossier", (row.dossier for row in recordings)))
        owners: tuple[type[Record], ...] = (Fiche, Dossier)
        for owner in owners:
            name = word_of(owner)
            missing = found.missing(name, (getattr(row, name) for row in recordings))
            recordings = _in_scope(connector, found, owner, name, recordings, missing)
        _stop_at(connector, Recording, RECORDING_FIELDS, found.add_recordings, found.add_recordings(recordings))


Tops = Mapping[tuple[str, str], Sequence[tuple[str, str]]]  # what each row, by (kind, id), belongs to at the top


def add_own_rows(
    connector: Connector,
    found: Found,
    kind: RowKind,
    rows: Sequence[Dependent],
    tops: Tops,
    add: Callable[[RowKind, Sequence[Dependent], Tops], list[Dependent]],
) -> None:
    """Add rows of a dependent table that have a term of their own. What those in long-term retention belong
    to may have been deleted long ago: nothing there keeps the links of a row."""
    there = [row for row in rows if row.id in found.retained]
    if there:
        of = [top for row in there for top in tops[kind.word, row.id]]
        _find_fiches(connector, found, (row for word, row in of if word == "fiche"))
        find_dossiers(connector, found, found.missing("dossier", (row for word, row in of if word == "dossier")))
        missing = {word: found.missing(word, (row for to, row in of if to == word)) for word in FILES}
        scope = {word: connector.out_of_scope(KINDS[word], ids) if ids else {} for word, ids in missing.items()}
        gone = {(word, row) for word, ids in missing.items() for row in ids if row not in scope[word]}
        gone |= {("recording", row) for word, row in of if word == "recording"} - {("recording", row) for row in _recordings(connector, of)}
        freed = {(kind.word, row.id): [top for top in tops[kind.word, row.id] if top not in gone] for row in there}
        tops = {**tops, **freed}
    _add_late_own(connector, found, kind, rows, tops, lambda rows: add(kind, rows, tops))


def _recordings(connector: Connector, of: Iterable[tuple[str, str]]) -> set[str]:
    """Return which of these recordings are there, wherever they are stored."""
    ids = sorted({row for word, row in of if word == "recording"})
    retaining = connector.retaining((Recording,)) if ids else ()
    return {row.id for row in rows_anywhere(connector, Recording, (), Among("id", ids), retaining)}


def _add_late_own(
    connector: Connector,
    found: Found,
    kind: RowKind,
    rows: Sequence[Dependent],
    tops: Tops,
    add: Callable[[Sequence[Dependent]], list[Dependent]],
) -> None:
    rows = add(rows)
    if rows:
        of = {row.id: tops[kind.word, row.id] for row in rows}
        owners = {word: {owner for each in of.values() for to, owner in each if to == word} for word in FILES}
        _find_fiches(connector, found, owners["fiche"])
        find_dossiers(connector, found, found.missing("dossier", owners["dossier"]))
        beyond = dict(found.beyond)
        for word, ids in owners.items():
            if missing := found.missing(word, ids):
                beyond |= connector.out_of_scope(KINDS[word], missing)
        outside = {
            row: all(beyond.get(owner, True) for _, owner in each)
            for row, each in of.items()
            if not beyond.keys().isdisjoint(owner for _, owner in each)
        }
        found.beyond |= outside
        named = {getattr(row, name) for row in rows for name in kind.people if row.id in outside} - {None}
        for contact in named - found.missing("contact", named):
            found.take_part(contact, None)
        hidden = add([row for row in rows if row.id not in outside])
        _stop_at(connector, cast("type[Dependent]", kind.full), own_fields(kind), add, hidden)


def add_late_notes(connector: Connector, found: Found, notes: Sequence[Note]) -> None:
    if notes:
        _find_fiches(connector, found, (row.regarding for row in notes))
        missing = found.missing("fiche", (row.regarding for row in notes))
        hidden = found.add_notes(_in_scope(connector, found, Fiche, "regarding", notes, missing))
        _stop_at(connector, Note, NOTE_FIELDS, found.add_notes, hidden)


# What belongs to a row that the mapping leaves out of scope is out of scope with it: it is not a unit, keeps
# whoever it names, and is counted in a warning.


def _in_scope(
    connector: Connector, found: Found, owner: type[Record], link: str, rows: Sequence[R], missing: Collection[str]
) -> Sequence[R]:
    """Return the rows without those whose owner is out of scope; `missing` are the owners that were not
    found."""
    if not missing:
        return rows
    beyond = {**found.beyond, **connector.out_of_scope(owner, missing)}
    found.beyond |= {row.id: beyond[of] for row in rows if (of := getattr(row, link)) in beyond}
    return [row for row in rows if getattr(row, link) not in beyond]


def _tie_beyond(connector: Connector, found: Found, parties: Sequence[Party]) -> None:
    """Tie the people of roles in what is out of scope, and take that link off the role."""
    missing: dict[type[Record], set[str]] = {
        Dossier: found.missing("dossier", (row.dossier for row in parties)),
        Fiche: found.missing("fiche", (row.fiche for row in parties)),
    }
    unknown = found.missing("contact", (row.contact for row in parties))
    beyond = {row for kind, ids in missing.items() if ids for row in connector.out_of_scope(kind, ids)} | found.beyond.keys()
    for row in parties:
        if row.dossier in beyond or row.fiche in beyond:
            if row.contact is not None and row.contact not in unknown:
                found.take_part(row.contact, None)
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
