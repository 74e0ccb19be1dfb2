"""Counts what the CRM itself deletes along with units that go, in tables that the mapping does not name,
before a plan is approved."""

from collections import Counter
from collections.abc import Iterable, Sequence
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
    rows = {(connector.table(type(unit.row)), unit.id) for unit in units}
    # Only a dossier or a lone fiche takes fiches with it; that of a recording or an audio attachment stays
    # (RET-03).
    fiches = (fiche for unit in units if unit.kind in FILES for fiche in unit.fiches)
    return cascade_counts_among(connector, rows | {(connector.table(type(fiche)), fiche.id) for fiche in fiches if not fiche.also_in})


def cascade_counts_among(connector: Connector, rows: Iterable[RowKey]) -> dict[str, int]:
    """Return the same of rows that go, by table and id: units' own rows, and fiches that go with them. One
    that depends on several of them counts once."""
    found: set[RowKey] = set()
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        found.update(each.row for each in connector.dependent_rows(sorted(some)) if each.cascades)
    return dict(sorted(Counter(table for table, _ in found).items()))
