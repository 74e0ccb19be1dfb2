"""Rows that point to something that was not there when its table was read: made meanwhile, or hidden from
this account. They are looked for once more by their ids; if they stay out of sight the run stops, since a
hold or a younger child might hide behind them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TypeVar

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.rows import Among
from jobs.reading.few_rows import (
    CONTACT_FIELDS,
    DOSSIER_FIELDS,
    FICHE_FIELDS,
    NOTE_FIELDS,
    PARTY_FIELDS,
    RECORDING_FIELDS,
    own_fields,
    rows_anywhere,
    rows_of,
)
from jobs.reading.long_term import Found, add_retained_fiches, retained_among
from rules.model.kinds import FILES
from rules.model.kinds import Kind as RowKind
from rules.model.records import KINDS, Contact, Dependent, Dossier, Fiche, Note, Party, Record, Recording, word_of

R = TypeVar("R", bound=Record)
_ID = attrgetter("id")


def add_late_fiches(connector: Connector, found: Found, fiches: Sequence[Fiche]) -> None:
    if fiches:
        wanted = found.missing("dossier", (dossier for row in fiches for dossier in row.dossiers))
        find_dossiers(connector, found, wanted)
        fiches = _in_scope(connector, found, Dossier, "dossier", fiches, found.missing("dossier", wanted))
        _stop_at(connector, Fiche, FICHE_FIELDS, found.add_fiches, found.add_fiches(fiches))


def find_fiches(connector: Connector, found: Found, wanted: Iterable[str | None]) -> None:
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
        find_fiches(connector, found, (row.fiche for row in parties))
        find_dossiers(connector, found, found.missing("dossier", (row.dossier for row in parties)))
        contacts = found.missing("contact", (row.contact for row in parties))
        found.add_contacts(rows_of(connector, Contact, CONTACT_FIELDS, Among("id", sorted(contacts))))
        found.add_contacts(retained_among(connector, found, Contact, CONTACT_FIELDS, found.missing("contact", contacts)))
        _tie_beyond(connector, found, parties)
        _stop_at(connector, Party, PARTY_FIELDS, found.add_parties, found.add_parties(parties))


def add_late_recordings(connector: Connector, found: Found, recordings: Sequence[Recording]) -> None:
    if recordings:
        find_fiches(connector, found, (row.fiche for row in recordings))
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
        find_fiches(connector, found, (row for word, row in of if word == "fiche"))
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
        find_fiches(connector, found, owners["fiche"])
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
        _stop_at(connector, kind.dependent, own_fields(kind), add, hidden)


def add_late_notes(connector: Connector, found: Found, notes: Sequence[Note]) -> None:
    if notes:
        find_fiches(connector, found, (row.regarding for row in notes))
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
