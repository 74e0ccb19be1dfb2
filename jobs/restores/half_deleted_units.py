"""Units of several change sets of which a lost run has deleted a part, for recover.py. They are identified by
keyed references, and finished as a continued run would.

What remains of such a unit cannot be judged any more: its fiches, and with them what its end depends on, may
be gone. So it is finished where its own row has the very version that was judged and no fiche has been added
since. Where nothing of it is deleted, or where it is not as it was judged, the next plan judges what there
is."""

from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec

from connectors.interface.remains import RowKey
from jobs.erasures.register import Register, Written, version_of
from jobs.ports.context import JobContext
from jobs.reading.long_term import retained_rows_of
from jobs.restores.rows_back import Returned
from rules.model.records import KINDS, Record


class HalfDone(msgspec.Struct, frozen=True):
    """The units that are to be finished, and how many have lost a part and are not as they were judged, or
    are under a hold."""

    units: tuple[Returned, ...] = ()
    unfinished: int = 0


def half_done(context: JobContext, register: Register, is_held: Callable[[RowKey, Written], bool]) -> HalfDone:
    """Read every row of the tables of which something was announced, and return the units that have lost a
    part. Raises ConnectorError: the CRM could not be read in full."""
    if not register.has_wholes:
        return HalfDone()
    connector = context.connector
    there: defaultdict[str, set[str]] = defaultdict(set)  # by unit, the references of its rows
    fiches: defaultdict[str, set[str]] = defaultdict(set)  # by dossier, the units with which its fiches were announced
    as_judged: dict[str, tuple[str, Record, Written]] = {}
    tables: set[str] = set()
    links = connector.all_kinds.links
    mapped = [
        kind for kind in links if connector.has(KINDS[kind]) and not register.tables_written.isdisjoint(connector.tables(KINDS[kind]))
    ]
    retaining = connector.retaining([KINDS[kind] for kind in mapped])
    for kind in mapped:
        record, fields = KINDS[kind], links[kind]
        tables.update(connector.tables(record))
        for page in connector.read(record, fields):
            table = connector.table(type(page[0])) if page else ""
            for row in page:
                ref, written = register.announced(context.references(table, row.id))
                unit = written.unit if written is not None else ""
                there[unit].add(ref)
                if kind == "fiche" and (dossier := getattr(row, "dossier", None)):
                    fiches[dossier].add(unit)
                whole = register.whole(context.references(table, version_of(row.id, row.etag)))
                if whole is not None:
                    as_judged[whole.unit] = (kind, row, whole)
        for row in (
            retained_rows_of(connector, record, (), None) if record in retaining else ()
        ):  # announced with its unit, and still to be purged
            ref, written = register.announced(context.references(connector.table(type(row)), row.id))
            there[written.unit if written is not None else ""].add(ref)
    units, unfinished = [], 0
    for unit, announced in register.units(tables).items():
        if unit not in there[unit] or announced <= there[unit]:
            continue  # gone as a whole, or there as a whole
        found = as_judged.get(unit)
        if found is None or _has_strangers(found, unit, fiches) or is_held((connector.table(type(found[1])), found[1].id), found[2]):
            unfinished += 1
            continue
        kind, row, whole = found
        units.append(Returned(kind, connector.table(type(row)), row.id, row.etag, whole.operation, whole.reason))
    return HalfDone(tuple(units), unfinished)


def _has_strangers(found: tuple[str, Record, Written], unit: str, fiches: Mapping[str, set[str]]) -> bool:
    """Return whether a fiche has been added to a dossier since it was judged."""
    kind, row, _ = found
    return kind == "dossier" and bool(fiches.get(row.id, set()) - {unit})
