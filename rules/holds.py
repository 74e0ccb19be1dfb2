"""Holds: why a unit is not disposed of although its time has come.

Source: section 4 (HLD-04, HLD-05, HLD-06, HLD-14, table 4.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from rules.disposition import Reason
from rules.records import Unit, UnitKind

CRM: Final = "crm"

RANKS: Final[Mapping[Reason, int]] = MappingProxyType({reason: rank for rank, reason in enumerate(Reason, start=1)})
HOLD_REASONS: Final = frozenset(reason for reason in Reason if reason.name.startswith("HOLD_"))

_NONE: Final[tuple[Reason, ...]] = ()
_LEGAL: Final = (Reason.HOLD_LEGAL,)
_UNHELD: Final[Mapping[tuple[str, str], tuple[Hold, ...]]] = MappingProxyType({})


class Hold(msgspec.Struct, frozen=True):
    """An instruction to keep one row, whatever the schedule says.

    `kind` is the kind of record (`dossier`, `fiche`, `recording`, `note`, `email`, `contact`) and `id` its row. `source` is `crm` for the
    flag that the CRM itself keeps; its reason text is never read (HLD-14). Whether it has ended or was released is looked at before.
    """

    hold_id: str
    reason: Reason
    kind: str
    id: str
    source: str = ""


class Holds:
    """Every hold that is active on the day of a run.

    `placed` maps (kind, id) to the holds on that row. A hold on a contact reaches the units in which it is a child by itself; for its other
    roles the caller adds the hold to those units, since a unit does not carry them.
    """

    __slots__ = ("_placed",)

    def __init__(self, placed: Mapping[tuple[str, str], tuple[Hold, ...]] = _UNHELD) -> None:
        self._placed = placed

    @classmethod
    def none(cls) -> Holds:
        """Give the holds of a day on which nobody placed any; the CRM's own flags still count."""
        return cls()

    @classmethod
    def of(cls, holds: Iterable[Hold]) -> Holds:
        """Arrange placed holds by the row they are on."""
        placed: dict[tuple[str, str], tuple[Hold, ...]] = {}
        for hold in holds:
            scope = (hold.kind, hold.id)
            placed[scope] = (*placed.get(scope, ()), hold)
        return cls(placed)

    def covering(self, unit: Unit) -> tuple[Reason, ...]:
        """Give the reasons of the holds that cover a unit, highest rank first, each once; empty where nothing holds it.

        A hold on a dossier covers its fiches, recordings and attachments, evidence mark or not; it does not spread to other dossiers of the
        same people.

        Source: HLD-04, HLD-06, HLD-14.
        """
        if self._placed:
            return tuple(sorted({hold.reason for hold in self.on(unit)}, key=RANKS.__getitem__))
        dossier = unit.dossier
        if dossier is None:
            owner = unit.belongs_to
            if owner is None:
                return _NONE
            dossier = owner.dossier
        return _LEGAL if dossier is not None and dossier.legal_hold else _NONE

    def on(self, unit: Unit) -> tuple[Hold, ...]:
        """List the holds that cover a unit, highest rank first."""
        found: list[Hold] = []
        for kind, row in _rows(unit):
            found.extend(self._placed.get((kind, row), ()))
        owner = unit if unit.dossier is not None else unit.belongs_to
        if owner is not None and owner.dossier is not None and owner.dossier.legal_hold:
            found.append(Hold(f"{CRM}:{owner.id}", Reason.HOLD_LEGAL, UnitKind.DOSSIER.value, owner.id, CRM))
        return tuple(sorted(found, key=lambda hold: (RANKS[hold.reason], hold.hold_id)))


def _rows(unit: Unit) -> Iterator[tuple[str, str]]:
    """Give each row whose hold reaches the unit, once: itself, its fiches, its children, and all of those of what it belongs to."""
    seen: set[tuple[str, str]] = set()
    level: Unit | None = unit
    while level is not None:
        rows = [(level.kind.value, level.id)]
        rows += [("fiche", fiche.id) for fiche in level.fiches]
        rows += [("contact", child.id) for child in level.children if child is not None]
        for row in rows:
            if row not in seen:
                seen.add(row)
                yield row
        level = level.belongs_to
