"""Units of several change sets of which a lost run has deleted a part, for recover.py. They are identified by
keyed references, and finished as a continued run would.

What remains of such a unit cannot be judged any more: its fiches, and with them what its end depends on, may
be gone. So it is finished where its own row has the very version that was judged and nothing has come to what
is left of it: no fiche, and nothing that changes no version, such as a role or a recording. Where nothing of
it is deleted, or where it is not as it was judged, the next plan judges what there is. What the database
knows to be half done is left to the next night."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import msgspec

from connectors.interface.remains import RowKey
from jobs.erasures.register import Register, Written, version_of
from jobs.model.run import RowWrite
from jobs.ports.context import JobContext
from jobs.reading.long_term import retained_rows_of
from jobs.restores.rows_back import Returned
from jobs.writing.partial_units import bound_to
from jobs.writing.row_writes import write_of
from rules.model.records import KINDS, Record


class HalfDone(msgspec.Struct, frozen=True):
    """The units that are to be finished, and the rows of those that have lost a part and are not as they were
    judged, or are under a hold."""

    units: tuple[Returned, ...] = ()
    left: tuple[RowKey, ...] = ()


def half_done(context: JobContext, register: Register, is_held: Callable[[RowKey, Written], bool]) -> HalfDone:
    """Read every row of the tables of which something was announced, and return the units that have lost a
    part. Raises ConnectorError: the CRM could not be read in full."""
    if not register.has_wholes:
        return HalfDone()
    connector = context.connector
    there: defaultdict[str, dict[str, RowWrite]] = defaultdict(dict)  # by unit, its rows by reference
    fiches: defaultdict[str, set[str]] = defaultdict(set)  # by dossier, the units with which its fiches were announced
    as_judged: dict[str, tuple[str, Record, Written]] = {}
    links = connector.all_kinds.links
    mapped = [
        kind for kind in links if connector.has(KINDS[kind]) and not register.tables_written.isdisjoint(connector.tables(KINDS[kind]))
    ]
    retaining = connector.retaining([KINDS[kind] for kind in mapped])
    units = register.units({table for kind in mapped for table in connector.tables(KINDS[kind])})
    for _, action in context.store.journal.partials():
        for ref in context.references(*action.key):
            units.pop(ref, None)
    own: dict[str, RowKey] = {}  # of units, their own row where that is there
    for kind in mapped:
        record, fields = KINDS[kind], links[kind]
        for page in connector.read(record, fields):
            table = connector.table(type(page[0])) if page else ""
            for row in page:
                references = context.references(table, row.id)
                own |= dict.fromkeys(units.keys() & references, (table, row.id))
                ref, written = register.announced(references)
                unit = written.unit if written is not None else ""
                if unit:
                    there[unit][ref] = write_of(row)
                if kind == "fiche" and (dossier := getattr(row, "dossier", None)):
                    fiches[dossier].add(unit)
                whole = register.whole(context.references(table, version_of(row.id, row.etag)))
                if whole is not None:
                    as_judged[whole.unit] = (kind, row, whole)
        retained = retained_rows_of(connector, record, (), None) if record in retaining else []
        for row in retained:  # announced with its unit, and still to be purged
            table = connector.table(type(row))
            references = context.references(table, row.id)
            own |= dict.fromkeys(units.keys() & references, (table, row.id))
            ref, written = register.announced(references)
            if written is not None:
                there[written.unit].setdefault(ref, write_of(row, retained=True))
    finished, left = [], []
    for unit, announced in units.items():
        if unit not in own or announced <= there[unit].keys():
            continue  # gone as a whole, or there as a whole
        found = as_judged.get(unit)
        if (
            found is None
            or _has_strangers(found, unit, fiches)
            or _has_grown(context, register, found, [*there[unit].values()])
            or is_held((connector.table(type(found[1])), found[1].id), found[2])
        ):
            left.append(own[unit])
            continue
        kind, row, whole = found
        finished.append(Returned(kind, connector.table(type(row)), row.id, row.etag, whole.operation, whole.reason))
    return HalfDone(tuple(finished), tuple(sorted(left)))


def _has_strangers(found: tuple[str, Record, Written], unit: str, fiches: Mapping[str, set[str]]) -> bool:
    """Return whether a fiche has been added to a dossier since it was judged."""
    kind, row, _ = found
    return kind == "dossier" and bool(fiches.get(row.id, set()) - {unit})


def _has_grown(context: JobContext, register: Register, found: tuple[str, Record, Written], rest: Sequence[RowWrite]) -> bool:
    """Return whether something has come to what is left of a unit since it was announced (RET-03, RET-17).
    What refers to a contact is looked at when they are written to."""
    kind, row, _ = found
    if kind == "contact":
        return False
    return any(register.is_stranger(context.references(*key)) for key in bound_to(context.connector, [*rest, write_of(row)]))
