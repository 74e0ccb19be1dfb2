"""Rows that the CRM has moved into long-term retention, put beside the live rows to which they belong.

They cannot be written, but they count: a fiche there may have the longest period of its dossier, a dossier
there a hold, a gift there ties its donor. A live row that points to one is not a gap in the view. What they
point to may have been deleted long ago: nothing there keeps the links of a row. One that is live again under
its id, restored from elsewhere, is that live row. Source: the reference, section 6.4; RET-11, RET-20."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.remains import Reach, Trace
from connectors.interface.rows import Among
from jobs.reading.units import Gathering
from rules.model.records import Fiche, Party, Record

R = TypeVar("R", bound=Record)


def retained_rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among | None) -> list[R]:
    """Return the rows of this kind that are there, of these ids or all of them. Only of a CRM without
    long-term retention is it assumed unasked that there are none. Raises ReadIncomplete: this account may not
    look there: nobody knows what a decision would lack."""
    if among is not None and not among.ids:
        return []
    found = connector.lying(Trace.RETAINED, record, fields, among)
    if found.reach is Reach.NOT_REACHABLE:
        raise ReadIncomplete(
            "rows in long-term retention cannot be looked into, and they count in every decision",
            hint="let the application user read this table there too",
            where=connector.tables(record)[0],
        )
    return [row for row in found.rows if isinstance(row, record)]


def without_live(rows: Iterable[R], live: Collection[str]) -> list[R]:
    """Return those of the rows whose id no live row has."""
    return [row for row in rows if row.id not in live]


def retained_among(
    connector: Connector, found: Gathering, record: type[R], fields: tuple[str, ...], ids: Collection[str] | None
) -> list[R]:
    """Return the rows of these ids (None: all) that are there and not live, noted as such. Nothing is queried
    if there is no id."""
    among = Among("id", sorted(ids)) if ids is not None else None
    rows = without_live(
        retained_rows_of(connector, record, fields, among), found.dossiers.keys() | found.fiches.keys() | found.contacts.keys()
    )
    found.retained.update(row.id for row in rows)
    return rows


def add_retained_fiches(found: Gathering, rows: Sequence[Fiche]) -> None:
    """Add fiches that are there to their dossiers, or as units. A fiche whose dossier is deleted is a unit of
    its own, as a live one would be."""
    rows = without_live(rows, found.fiches)
    found.retained.update(row.id for row in rows)
    for row in rows:
        row.dossier = row.dossier if row.dossier in found.dossiers else None
    found.add_fiches(rows)


def add_retained_parties(found: Gathering, rows: Sequence[Party]) -> None:
    """Add roles that are there, and note what they are in. A child whose contact is deleted has an unknown
    birth date (RET-14)."""
    found.retained.update(row.id for row in rows)
    for row in rows:
        row.contact = row.contact if row.contact in found.contacts else None
        row.dossier = row.dossier if row.dossier in found.dossiers else None
        row.fiche = row.fiche if row.fiche in found.fiches else None
        found.named_there.update(each for each in (row.dossier, row.fiche) if each is not None)
        units = {unit.id for unit in (found.unit_of("dossier", row.dossier), found.unit_of("fiche", row.fiche)) if unit is not None}
        if len(units) > 1:
            found.bound |= units
    found.add_parties(rows)
