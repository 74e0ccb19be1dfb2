"""Counts what the CRM itself deletes along with units that go, in tables that the mapping does not name,
before a plan is approved."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from connectors.interface.connector import Connector
from connectors.interface.remains import RowKey
from rules.model.records import Unit, UnitKind

_AT_ONCE = 100_000  # rows that are asked about together
FILES = (UnitKind.DOSSIER, UnitKind.FICHE)


def cascade_counts(connector: Connector, units: Sequence[Unit]) -> dict[str, int]:
    """Return how many rows of each unmapped table would be deleted with these units and their fiches. It is a
    preview for the person who reviews a plan. What belongs to their notes, activities and roles is not
    counted here; it is checked when the unit is deleted."""
    ids: dict[str, set[str]] = {}
    for unit in units:
        ids.setdefault(connector.table(type(unit.row)), set()).add(unit.id)
        # Only a dossier or a lone fiche takes fiches with it; that of a recording or an audio attachment
        # stays (RET-03).
        for fiche in unit.fiches if unit.kind in FILES else ():
            if not fiche.also_in:
                ids.setdefault(connector.table(type(fiche)), set()).add(fiche.id)
    return cascade_counts_among(connector, {table: sorted(rows) for table, rows in ids.items()})


def cascade_counts_among(connector: Connector, ids: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return the same of rows that go, by table: units' own, and fiches that go with them. One that depends
    on several of them counts once. Their ids are asked for only where any row depends on one of the table."""
    found: set[RowKey] = set()
    for table in sorted(connector.depended_on(ids)):
        left = iter(ids[table])
        while some := [(table, row) for row in islice(left, _AT_ONCE)]:
            found.update(each.row for each in connector.dependent_rows(some) if each.cascades)
    return dict(sorted(Counter(table for table, _ in found).items()))
