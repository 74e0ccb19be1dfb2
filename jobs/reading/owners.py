"""Rows that are written again, each with what it belongs to, so that the holds on that reach it (HLD-04)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.few_rows import rows_of
from jobs.reading.gather import gather_units
from jobs.reading.long_term import retained_rows_of
from jobs.reading.tops import tops_of
from jobs.reading.units import Gathering, chained
from rules.model.kinds import RELATIONS, WHOLE
from rules.model.records import KINDS, Contact, Dependent, Fiche, Note, Record, Unit, UnitKind
from rules.retention.audio_notes import is_audio

UNIT_KINDS = {kind.value: kind for kind in UnitKind}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Rows as units by (kind, id), except deleted ones, and the table of each; `loose` are those that are no
    unit. One in long-term retention is not deleted: `found.retained` names it."""

    found: Gathering
    units: Mapping[tuple[str, str], Unit]
    tables: Mapping[tuple[str, str], str]
    loose: frozenset[tuple[str, str]]


def look_around(connector: Connector, wanted: Iterable[tuple[str, str]]) -> Surroundings:
    """Read rows again, by (kind, id), with what they belong to."""
    ids: dict[str, list[str]] = {}
    for kind, row in wanted:
        ids.setdefault(kind, []).append(row)
    retained = set[str]()
    single = [(kind, row) for kind, each in ids.items() if kind not in WHOLE for row in _read(connector, kind, each, retained)]
    owners: dict[str, set[str]] = {kind: set(ids.get(kind, ())) for kind in WHOLE}
    above = tops_of(connector, single)
    for each in above.values():
        for name, owner in each:
            if name in owners:
                owners[name].add(owner)
    found = gather_units(connector, {UnitKind(kind): sorted(each) for kind, each in owners.items()})
    found.retained |= retained
    units = {(kind, record.id): _single(found, kind, record, above[kind, record.id]) for kind, record in single}
    tables = {(kind, record.id): connector.table(type(record)) for kind, record in single}
    for kind in WHOLE:
        for identity in ids.get(kind, ()):
            if (unit := _whole(found, kind, identity)) is not None:
                units[kind, identity] = unit
                tables[kind, identity] = connector.table(type(unit.row))
    kinds = connector.all_kinds
    loose = frozenset((kind, record.id) for kind, record in single if not kinds[kind].term and _is_loose(found, kind, record))
    return Surroundings(found, units, tables, loose)


def _read(connector: Connector, kind: str, ids: list[str], retained: set[str]) -> list[Record]:
    """Return the rows of these ids; those in long-term retention are added to `retained`."""
    fields = (*connector.all_kinds.links[kind], *(("is_document", "media_type") if kind == "note" else ()))
    rows = rows_of(connector, KINDS[kind], fields, Among("id", ids))
    missing = sorted({*ids} - {row.id for row in rows})
    there = retained_rows_of(connector, KINDS[kind], fields, Among("id", missing)) if missing and _may_lie_there(connector, kind) else []
    retained.update(row.id for row in there)
    return [*rows, *there]


def _may_lie_there(connector: Connector, kind: str) -> bool:
    return bool(connector.retaining((KINDS[kind],)))


def _whole(found: Gathering, kind: str, row: str) -> Unit | None:
    if kind == "dossier":
        return found.dossiers.get(row)
    if kind == "recording":
        return found.recordings.get(row)
    fiche = found.fiches.get(row)
    if fiche is None or fiche.dossier is None:
        return found.lone.get(row)
    # A fiche of a dossier that stays: alone of its kind it is what was erased, and the holds on its dossier
    # reach it.
    return Unit(UnitKind.FICHE, row, _version(found, fiche), None, [fiche], belongs_to=chained(found.units_of_fiche(row)))


def _version(found: Gathering, fiche: Fiche) -> str:
    return (found.versions or {}).get(fiche.id, fiche.etag)


def _single(found: Gathering, kind: str, row: Record, owners: Iterable[tuple[str, str]]) -> Unit:
    """Return a row that is deleted alone, as a unit of the kind that represents it. A role or call has none
    and is treated as an e-mail."""
    own = row if isinstance(row, Dependent) else None
    of = UNIT_KINDS.get(kind, UnitKind.OWN_TABLE if own is not None else UnitKind.EMAIL)
    unit = Unit(of, row.id, row.etag, None, [], [], relation=own)
    for name, owner in owners:
        if name == "contact":
            unit.children.append(Contact(id=owner))  # a hold on a person reaches a unit by its children
        above = found.recordings.get(owner) if name == "recording" else found.unit_of(name, owner)
        if name == "fiche" and found.is_shared(owner):
            above = chained(found.units_of_fiche(owner))
        if above is None:
            continue
        if unit.belongs_to is None:
            unit.belongs_to = above
        elif above is not unit.belongs_to:  # a role in two units: what holds either holds it
            unit.fiches.extend(above.fiches)
            unit.children.extend(above.children)
        held = next((each.dossier for each in _upwards(above) if each.dossier is not None and each.dossier.legal_hold), None)
        unit.dossier = held or unit.dossier
    return unit


def _upwards(unit: Unit | None) -> Iterator[Unit]:
    while unit is not None:
        yield unit
        unit = unit.belongs_to


def _is_loose(found: Gathering, kind: str, row: Record) -> bool:
    if kind == "contact" or kind in RELATIONS:
        return False
    if isinstance(row, Note):
        return row.regarding_kind != "fiche" or not is_audio(row, found.audio)
    return kind != "email" or getattr(row, "regarding", None) is not None
