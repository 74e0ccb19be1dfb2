"""The roles that go with dossiers and fiches, and those that stay in another one (RET-19, RET-20)."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import RowWrite
from jobs.reading.few_rows import PARTY_FIELDS, rows_of
from jobs.reading.long_term import retained_rows_of
from jobs.writing.row_writes import write_of
from jobs.writing.turns import Waits, in_turn
from rules.model.records import Party


def roles_of(
    connector: Connector, dossiers: Collection[str], units: Mapping[str, str], waits: Waits | None = None, blocked: Collection[str] = ()
) -> Iterator[tuple[str, Party, RowWrite]]:
    """Return the roles in dossiers that go and in their fiches or lone ones (fiche -> unit), each with the id
    of its unit and its write. A row that also names a dossier or fiche which stays is a role there too: it
    stays, and only the link to what goes is emptied (RET-20). So it is between two units that go: one of them
    `waits` for the next run, since it may yet be refused, and its term then depends on the role; nobody waits
    for a unit that stays in this run, since it waits itself or is `blocked`."""
    found = {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("dossier", sorted(dossiers)))}
    found |= {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("fiche", sorted(units)))}
    owners = {row.id: (row.dossier or "", units.get(row.fiche or "", "")) for row in found.values()}
    places = {unit: place for place, unit in enumerate(in_turn(chain.from_iterable(owners.values()), waits))}
    for row in sorted(found.values(), key=lambda row: sorted(places[owner] for owner in owners[row.id])):
        by_dossier = row.dossier if row.dossier in dossiers else None
        by_fiche = units.get(row.fiche) if row.fiche is not None else None
        if by_dossier is not None and by_fiche is not None and by_dossier != by_fiche:
            first, last = in_turn((by_dossier, by_fiche), waits)
            staying = {*(waits or ()), *blocked}
            if waits is not None and first not in staying and last not in staying:
                waits.add(last)
            goes = last if first in staying and last not in staying else first
            by_dossier, by_fiche = (by_dossier, None) if goes == by_dossier else (None, by_fiche)
        if by_dossier is not None and row.fiche is not None and by_fiche is None:
            yield by_dossier, row, write_of(row, "unlink_dossier", by_dossier)
        elif by_fiche is not None and row.dossier is not None and by_dossier is None:
            yield by_fiche, row, write_of(row, "unlink_fiche", row.fiche or "")
        else:
            yield by_dossier or by_fiche or "", row, write_of(row, target=row.contact or "")  # whose role: a hold asks


def retained_roles_of(connector: Connector, dossiers: Collection[str], units: Mapping[str, str]) -> Iterator[tuple[str, Party, RowWrite]]:
    """Return the roles in long-term retention that go with these dossiers, fiches of them or lone ones (fiche
    -> unit), with the unit's id."""
    found = {row.id: row for row in retained_rows_of(connector, Party, PARTY_FIELDS, Among("dossier", sorted(dossiers)))}
    found |= {row.id: row for row in retained_rows_of(connector, Party, PARTY_FIELDS, Among("fiche", sorted(units)))}
    for row in found.values():
        unit = row.dossier if row.dossier in dossiers else units.get(row.fiche or "", "")
        yield unit or "", row, write_of(row, target=row.contact or "", retained=True)
