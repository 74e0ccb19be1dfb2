"""Reads a few units from the CRM and puts them together, just before they are written or where one is asked
about. Nothing is dropped in silence: a row that points to a row which this account cannot see stops the
run, because a view with holes in it looks just like an organisation with less to keep."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import TypeVar

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.few_rows import (
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
from jobs.reading.late_rows import (
    add_late_fiches,
    add_late_notes,
    add_late_parties,
    add_late_recordings,
    add_own_rows,
    find_dossiers,
    find_fiches,
)
from jobs.reading.long_term import Found, add_retained_fiches, add_retained_parties, retained_among, retained_rows_of, without_live
from jobs.reading.tops import tops_of
from jobs.reading.units import Gathering, sort_relations
from rules.model.kinds import FILES
from rules.model.records import (
    KINDS,
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
from rules.retention.relations import RelationTerms, anchor_of

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
    found: Gathering,
    among: Among,
    *,
    terms: RelationTerms,
    retaining: Collection[type[Record]],
    without: Collection[UnitKind] = (),
) -> None:
    """Add the relations of a few contacts (RET-20): gifts, courses, agreements; those of the kinds `without`
    are passed over. Of the kinds `retaining` rows in long-term retention tie their contact too."""
    for kind, (record, _, _) in TIES.items():
        if kind not in without:
            fields = tie_fields(kind, terms)
            rows = rows_of(connector, record, fields, among)
            if record in retaining:
                retained = without_live(retained_rows_of(connector, record, fields, among), set(map(_ID, rows)))
                found.retained.update(map(_ID, retained))
                rows += retained
            sort_relations(found, kind, rows, terms=terms)


def tie_fields(kind: UnitKind, terms: RelationTerms) -> tuple[str, ...]:
    """Return what is read of relations of this kind: more where a row of the schedule decides over them."""
    _, tie, decides = TIES[kind]
    return decides if decides_over(kind, terms) else tie


def decides_over(kind: UnitKind, terms: RelationTerms) -> bool:
    """Return whether a row of the schedule decides over relations of this kind; else each ties its contact
    and says nothing more."""
    return kind in terms.units or (kind is UnitKind.DONATION and bool(terms.donor))


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
    fulls = {kind.word: kind.dependent for kind in termed}
    there = connector.retaining(tuple(fulls.values())) if fulls else frozenset()
    own = [(kind, _wanted(connector, found, fulls[kind.word], own_fields(kind), ids.ids, there)) for kind in termed]
    tops = tops_of(connector, [(kind.word, row) for kind, rows in own for row in rows])
    above: dict[str, set[str]] = defaultdict(set)
    for word, row in chain.from_iterable(tops.values()):
        above[word].add(row)
    heard = sorted({*wanted.get(UnitKind.RECORDING, ())} | above["recording"])
    recordings = _wanted(connector, found, Recording, RECORDING_FIELDS, heard, retaining)
    notes = _wanted(connector, found, Note, NOTE_FIELDS, wanted.get(UnitKind.ATTACHMENT, ()), retaining)
    owning = {row.fiche for row in recordings if row.fiche is not None} | set(wanted.get(UnitKind.FICHE, ())) | above["fiche"]
    owning |= {row.regarding for row in notes if row.regarding_kind == "fiche" and row.regarding is not None}
    of_recordings = {row.dossier for row in recordings if row.dossier is not None}
    _add_files(connector, found, owning, of_recordings | {*wanted.get(UnitKind.DOSSIER, ())} | above["dossier"])
    _add_people(connector, found, people_read)
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


def _add_files(connector: Connector, found: Gathering, wanted: set[str], more: set[str]) -> None:
    """Add the `wanted` fiches with their dossiers, and `more` dossiers, each with all its fiches."""
    retaining = found.may_lie_there
    loose = rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(wanted)))
    moved = (
        retained_rows_of(connector, Fiche, FICHE_FIELDS, Among("id", sorted(wanted - set(map(_ID, loose))))) if Fiche in retaining else []
    )
    dossiers = sorted({dossier for row in (*loose, *moved) for dossier in row.dossiers} | more)
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


def _add_people(connector: Connector, found: Gathering, people_read: Mapping[str, Contact]) -> None:
    """Add the roles in what was found, and who has them."""
    retaining = found.may_lie_there
    parties = _parties_of(connector, found, rows_of)
    retained = without_live(_parties_of(connector, found, retained_rows_of).values(), parties) if Party in retaining else []
    people = {row.contact for row in (*parties.values(), *retained) if row.contact is not None}
    found.contacts.update((one, people_read[one]) for one in people & people_read.keys())
    others = Among("id", sorted(people - people_read.keys()))
    found.contacts.update((row.id, row) for row in rows_of(connector, Contact, CONTACT_FIELDS, others))
    add_late_parties(connector, found, found.add_parties(parties.values()))
    if retained:
        find_fiches(connector, found, (row.fiche for row in retained))
        find_dossiers(connector, found, {row.dossier for row in retained if row.dossier is not None} - found.dossiers.keys())
        gone = people - found.contacts.keys()
        found.contacts.update((row.id, row) for row in retained_among(connector, found, Contact, CONTACT_FIELDS, gone))
    add_retained_parties(found, retained)


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
