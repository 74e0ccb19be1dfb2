"""Counts what the CRM itself deletes along with units that go, in tables that the mapping does not name,
before a plan is approved."""

from collections import Counter
from collections.abc import Sequence

from connectors.interface.connector import Connector
from rules.model.records import Unit


def victims_of(connector: Connector, units: Sequence[Unit]) -> dict[str, int]:
    """Return how many rows of each unmapped table would be deleted with these units and their fiches. It is a
    preview for the person who reviews a plan. What belongs to their notes, activities and roles is not
    counted here; it is checked when the unit is deleted."""
    rows = {(connector.table(type(unit.row)), unit.id) for unit in units}
    rows |= {
        (connector.table(type(fiche)), fiche.id) for unit in units if unit.recording is None for fiche in unit.fiches if not fiche.also_in
    }
    return dict(sorted(Counter(each.row[0] for each in connector.hanging(sorted(rows)) if each.goes).items()))
