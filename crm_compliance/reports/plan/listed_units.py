"""The units that a report lists one by one: every disposal, every unit kept in doubt, and those with a flag,
as far as it shows them. Memory grows with these, not with what is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

import msgspec

from crm_compliance.reports.parts.sentences import DOUBT, LISTED_IN_FULL, TABLES
from jobs.model.plan import PlanLine
from jobs.plans.lines.columns import LineColumns

FLAG_CAP = 50  # units shown for one flag; the plan file has them all
_RANKS = {table: rank for rank, table in enumerate(TABLES)}
T = TypeVar("T")


class UnitRow(msgspec.Struct, frozen=True, gc=False):
    """One unit that the report lists, without what only a machine needs of a plan line."""

    table: str
    id: str
    disposition: str | None
    retention_end: str | None
    anchor: str | None
    anchor_on: str | None
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    categories: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The units listed, each group by table and end. `flagged` and `doubtful` are by code; those of a flag
    may stop at a cap."""

    disposals: tuple[UnitRow, ...]
    flagged: Mapping[str, tuple[UnitRow, ...]]
    doubtful: Mapping[str, tuple[UnitRow, ...]]


def listing(parts: Iterable[LineColumns]) -> Listing:
    """Read the lines of a stored plan, part by part, and keep what its report lists."""
    found = _Found()
    for part in parts:
        for line in part.only(_may_be_listed).lines():
            found.add(line)
    return Listing(
        tuple(sorted(found.disposals, key=_by_table_and_end)),
        {code: tuple(sorted(rows, key=_by_table_and_end)) for code, rows in found.flagged.items()},
        {code: tuple(sorted(rows, key=_by_table_and_end)) for code, rows in found.doubtful.items()},
    )


def doubts_of(line: PlanLine) -> tuple[str, ...]:
    """Return the doubts for which a unit is kept, none where it goes."""
    return () if line.is_disposal else tuple(code for code in line.reasons if code in DOUBT)


def table_rank(table: str) -> tuple[int, str]:
    """Return by what tables are sorted: those with a name first, in the order of these."""
    return _RANKS.get(table, len(_RANKS)), table


def _may_be_listed(shape: PlanLine) -> bool:
    return shape.is_disposal or bool(shape.flags) or bool(doubts_of(shape))


def _by_table_and_end(row: UnitRow) -> tuple[int, str, str, str]:
    return *table_rank(row.table), row.retention_end or "9999-12-31", row.id


@dataclass(slots=True)
class _Found:
    """The rows found so far; strings that repeat are kept once."""

    disposals: list[UnitRow] = field(default_factory=list)
    flagged: dict[str, list[UnitRow]] = field(default_factory=dict)
    doubtful: dict[str, list[UnitRow]] = field(default_factory=dict)
    known: dict[object, object] = field(default_factory=dict)

    def add(self, line: PlanLine) -> None:
        lists = [self.doubtful.setdefault(code, []) for code in doubts_of(line)]
        if line.is_disposal:
            lists.append(self.disposals)
        for flag in line.flags:
            shown = self.flagged.setdefault(flag, [])
            if len(shown) < FLAG_CAP or flag in LISTED_IN_FULL:
                lists.append(shown)
        if lists:
            row = self._row(line)
            for each in lists:
                each.append(row)

    def _row(self, line: PlanLine) -> UnitRow:
        return UnitRow(
            table=self._once(line.table),
            id=line.id,
            disposition=self._once(line.disposition),
            retention_end=self._once(line.retention_end),
            anchor=self._once(line.anchor),
            anchor_on=self._once(line.anchor_on),
            reasons=self._once(line.reasons),
            flags=self._once(line.flags),
            categories=self._once(line.categories),
            rule=self._once(line.rule),
        )

    def _once(self, value: T) -> T:
        return cast(T, self.known.setdefault(value, value))
