"""How far a hold reaches downwards: a unit is kept by a hold on itself, on its fiches and children, and on
what it belongs to, so that a hold on a dossier covers its recordings and attachments, evidence mark or not.
It reaches no other dossier of the same people. The way up and across, which has to be read in the CRM, is in
jobs/holds/reach.py. Source: HLD-04, HLD-06."""

from collections.abc import Iterator
from typing import Final

from rules.model.records import Unit, UnitKind

CONTACT: Final = "contact"


def levels_of(unit: Unit) -> Iterator[Unit]:
    """Yield a unit and all that it belongs to, whose holds reach it. A dossier belongs to nothing: behind it
    stand the other dossiers of a fiche in several, whose holds reach what depends on the fiche and not this
    dossier (HLD-04)."""
    yield unit
    if unit.kind is not UnitKind.DOSSIER:
        yield from unit.above()


def rows_that_hold(unit: Unit) -> Iterator[tuple[str, str]]:
    """Yield each row, as (kind, id), whose hold reaches the unit, once: itself, its fiches, its children, and
    all of those of what it belongs to. Source: HLD-04, HLD-06."""
    seen: set[tuple[str, str]] = set()
    for level in levels_of(unit):
        rows = [(level.word, level.id)]
        rows += [("fiche", fiche.id) for fiche in level.fiches]
        rows += [(CONTACT, child.id) for child in level.children if child is not None]
        contact = getattr(level.relation, "contact", None)  # of a dependent row it stands among the children
        if contact is not None:
            rows.append((CONTACT, contact))
        for row in rows:
            if row not in seen:
                seen.add(row)
                yield row
