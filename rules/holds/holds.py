"""Holds: why a unit is not disposed of although its time has come. Source: section 4 (HLD-03 to HLD-07,
HLD-14, table 4.2)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

import msgspec

from rules.holds.conditions import Condition, fits
from rules.holds.coverage import CONTACT, rows_that_hold
from rules.holds.crm_flag import CRM, flagged_dossier
from rules.holds.precedence import RANKS, ranked
from rules.model.decisions import Reason
from rules.model.records import Unit, UnitKind

REQUEST: Final = "request"

_NONE: Final[tuple[Reason, ...]] = ()
_LEGAL: Final = (Reason.HOLD_LEGAL,)
_UNHELD: "Final[Mapping[tuple[str, str], tuple[Hold, ...]]]" = MappingProxyType({})


class Hold(msgspec.Struct, frozen=True):
    """An instruction to keep one row, regardless of the schedule, as it is in force on the day of a run.

    `kind` is the kind of record (`dossier`, `fiche`, `recording`, `note`, `email`, `contact`) and `id` its
    row. `source` is `crm` for the flag that the CRM itself keeps, whose reason text is never read (HLD-14),
    and `request` for a subject request. `persons` are the contacts whose request, restriction or objection it
    is, where that is known; `child` are those of a child in whose name it was obtained. `is_overdue`: the day
    of its review has passed (HLD-03). `right` and `is_pending` are those of a request; `is_about_erasure`: a
    complaint about the refusal to erase; `since`: when it was placed, or asked for."""

    hold_id: str
    reason: Reason
    kind: str
    id: str
    source: str = ""
    is_overdue: bool = False
    persons: tuple[str, ...] = ()
    child: tuple[str, ...] = ()
    right: str = ""
    is_pending: bool = False
    is_about_erasure: bool = False
    since: datetime | None = None


class Holds:
    """Every hold that is in force on the day of a run, with the rows that it covers.

    `placed` maps (kind, id) to the holds on that row. A hold on a contact reaches the units in which it is a
    child by itself. For its other roles the caller adds the hold to those units, since a unit does not carry
    them. `kept` are rows that stay and whose holds reach nothing else: a contact to which a held note
    belongs. `by_facts` are holds on anything that meets some conditions, for which the days among `sentinels`
    are not known."""

    __slots__ = ("_by_facts", "_kept", "_placed", "is_any", "sentinels")

    def __init__(
        self,
        placed: Mapping[tuple[str, str], tuple[Hold, ...]] = _UNHELD,
        kept: Mapping[tuple[str, str], tuple[Hold, ...]] = _UNHELD,
        by_facts: tuple[tuple[Hold, tuple[Condition, ...]], ...] = (),
        sentinels: frozenset[date] = frozenset(),
    ) -> None:
        self._placed, self._kept, self._by_facts, self.sentinels = placed, kept, by_facts, sentinels
        self.is_any = bool(placed or kept or by_facts)

    @classmethod
    def none(cls) -> "Holds":
        """Return the holds of a day on which nobody placed any. The CRM's own flags still count."""
        return cls()

    @classmethod
    def of(
        cls,
        holds: Iterable[Hold],
        *,
        kept: Iterable[Hold] = (),
        by_facts: Iterable[tuple[Hold, tuple[Condition, ...]]] = (),
        sentinels: Iterable[date] = (),
    ) -> "Holds":
        """Arrange placed holds by the row they are on."""
        return cls(_by_row(holds), _by_row(kept), tuple(by_facts), frozenset(sentinels))

    @property
    def rows(self) -> frozenset[tuple[str, str]]:
        """Every row, as (kind, id), that a hold is on or reaches."""
        return frozenset((*self._placed, *self._kept))

    @property
    def of_people(self) -> frozenset[str]:
        """The holds, by id, on a person: what they reach in a file is for that person alone (HLD-04)."""
        return frozenset(hold.hold_id for (kind, _), held in self._placed.items() if kind == CONTACT for hold in held)

    @property
    def by_facts(self) -> tuple[tuple[Hold, tuple[Condition, ...]], ...]:
        """The holds on anything that meets some conditions."""
        return self._by_facts

    @property
    def asks_for_facts(self) -> bool:
        """Whether some hold can only be recognised from a unit's facts, not from its rows."""
        return bool(self._by_facts)

    def covering(self, unit: Unit, *, in_part: bool = False) -> tuple[Reason, ...]:
        """Return the reasons of the holds that cover a unit, highest rank first, each once; empty where
        nothing holds it. A hold on a dossier covers its fiches, recordings and attachments, evidence mark or
        not; it does not reach other dossiers of the same people. With `in_part` some rows of the unit are
        gone already; what they would have shown counts as held. Source: HLD-04, HLD-06, HLD-14."""
        if self._placed or self._by_facts:
            return ranked(hold.reason for hold in self.on(unit, in_part=in_part))
        return _LEGAL if flagged_dossier(unit) else _NONE

    def on_rows(self, rows: Iterable[tuple[str, str]]) -> tuple[Reason, ...]:
        """Return the reasons of the holds on any of these rows (kind, id), highest rank first, each once."""
        placed, kept = self._placed, self._kept
        return ranked(hold.reason for row in rows for held in (placed.get(row, ()), kept.get(row, ())) for hold in held)

    def on_people(self, contacts: Iterable[str]) -> tuple[Reason, ...]:
        """Return the reasons of the holds on these people themselves: what covers any unit in which they have
        a role (HLD-04)."""
        return ranked(hold.reason for contact in contacts for hold in self._placed.get((CONTACT, contact), ()))

    def on_contacts(self) -> dict[str, Reason]:
        """Return every contact whose own row a hold keeps, with the primary reason."""
        rows = {row for held in (self._placed, self._kept) for row in held if row[0] == CONTACT}
        return {row[1]: self.on_rows([row])[0] for row in sorted(rows)}

    def on(self, unit: Unit, *, in_part: bool = False) -> tuple[Hold, ...]:
        """List the holds that cover a unit, highest rank first."""
        found: list[Hold] = []
        if self._placed:
            for row in rows_that_hold(unit):
                found.extend(self._placed.get(row, ()))
        found.extend(
            hold for hold, conditions in self._by_facts if fits(unit, hold.kind, conditions, in_part=in_part, sentinels=self.sentinels)
        )
        dossier = flagged_dossier(unit)
        if dossier:
            found.append(Hold(f"{CRM}:{dossier}", Reason.HOLD_LEGAL, UnitKind.DOSSIER.value, dossier, CRM))
        return tuple(sorted(found, key=lambda hold: (RANKS[hold.reason], hold.hold_id)))


def _by_row(holds: Iterable[Hold]) -> dict[tuple[str, str], tuple[Hold, ...]]:
    found: dict[tuple[str, str], tuple[Hold, ...]] = {}
    for hold in holds:
        there = found.get((hold.kind, hold.id), ())
        if hold not in there:
            found[(hold.kind, hold.id)] = (*there, hold)
    return found
