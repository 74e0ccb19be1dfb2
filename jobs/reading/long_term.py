"""Rows that the CRM has moved into long-term retention, put beside the live rows to which they belong.

They cannot be written, but they count: a fiche there may have the longest period of its dossier, a dossier
there a hold, a gift there ties its donor. A live row that points to one is not a gap in the view. What they
point to may have been deleted long ago: nothing there keeps the links of a row. One that is live again under
its id, restored from elsewhere, is that live row. Source: the reference, section 6.4; RET-11, RET-20."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar, Union

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.remains import Reach, ResidualKind
from connectors.interface.rows import Among
from rules.model.kinds import ROW_KINDS
from rules.model.records import Fiche, Party, Record

if TYPE_CHECKING:
    from jobs.reading.tables.whole_tables import WholeTables
    from jobs.reading.units import Gathering

R = TypeVar("R", bound=Record)
Found = Union["Gathering", "WholeTables"]  # a few units, or everything


def retained_rows_of(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among | None) -> list[R]:
    """Return the rows of this kind that are there, of these ids or all of them. Only of a CRM without
    long-term retention is it assumed unasked that there are none. Raises ReadIncomplete: this account may not
    look there: nobody knows what a decision would lack."""
    if among is not None and not among.ids:
        return []
    found = connector.binned_or_retained(ResidualKind.RETAINED, record, fields, among)
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


def retained_among(connector: Connector, found: Found, record: type[R], fields: tuple[str, ...], ids: Collection[str] | None) -> list[R]:
    """Return the rows of these ids (None: all) that are there and not live, noted as such. Nothing is queried
    if there is no id."""
    among = Among("id", sorted(ids)) if ids is not None else None
    rows = retained_rows_of(connector, record, fields, among)
    rows = without_live(rows, found.is_known([row.id for row in rows]))
    found.retained.update(row.id for row in rows)
    return rows


def add_retained_fiches(found: Found, rows: Sequence[Fiche]) -> None:
    """Add fiches that are there to their dossiers, or as units. A fiche whose dossier is deleted is a unit of
    its own, as a live one would be."""
    if not rows:
        return
    there = found.missing("fiche", (row.id for row in rows))
    rows = [row for row in rows if row.id in there]
    found.retained.update(row.id for row in rows)
    gone = found.missing("dossier", (row.dossier for row in rows))
    for row in rows:
        row.dossier = None if row.dossier in gone else row.dossier
    found.add_fiches(rows)


def add_retained_parties(found: Found, rows: Sequence[Party]) -> None:
    """Add roles that are there, and note what they are in. A child whose contact is deleted has an unknown
    birth date (RET-14)."""
    if not rows:
        return
    found.retained.update(row.id for row in rows)
    for name in ROW_KINDS["party"].owner_fields:
        gone = found.missing(name, (getattr(row, name) for row in rows))
        for row in rows:
            setattr(row, name, None if getattr(row, name) in gone else getattr(row, name))
    dossiers, fiches = found.places_of("dossier", (row.dossier for row in rows)), found.places_of("fiche", (row.fiche for row in rows))
    for row in rows:
        found.named_there.update(each for each in (row.dossier, row.fiche) if each is not None)
        units = {of[each] for of, each in ((dossiers, row.dossier), (fiches, row.fiche)) if each is not None}
        if len(units) > 1:
            found.bound.update(units)  # type: ignore[arg-type]  # of one kind: ids of units, or their numbers
    found.add_parties(rows)
