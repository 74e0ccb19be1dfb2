"""Gifts, courses, agreements, and rows of dependent tables with a term of their own: when each ends, and
until when they make a person known to the organisation.

Rows of the schedule decide here only where the controller has put them in force (2.3). A row for contacts
does not decide over a contact: it says how long being a donor lasts, and the contact is deleted with its last
unit and relation (RET-20). Source: section 2.3, RET-06, RET-11, RET-20; D-66, D-67."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from rules.model.kinds import ROW_KINDS, kind_of
from rules.model.records import RELATION_KINDS, Dependent, Donation, Unit, UnitKind
from rules.policy.categories import Anchor
from rules.policy.policy import Policy
from rules.retention.clocks import Clock, end_after, without_sentinel
from rules.retention.compiled_schedule import Schedule, schedule_of


class RelationTerms(msgspec.Struct, frozen=True):
    """Which of the rows outside the missions are in force. `units` are the kinds that are units of their own:
    some row decides over them. `donor` are the clocks that say how long being a donor lasts after the last
    gift; without one it lasts as long as a gift is there."""

    units: tuple[UnitKind, ...] = ()
    donor: tuple[Clock, ...] = ()
    sentinels: frozenset[date] = frozenset()

    @property
    def are_off(self) -> bool:
        """Whether no row outside the missions is in force, as in the shipped schedule."""
        return not self.units and not self.donor

    def joined(self, other: "RelationTerms") -> "RelationTerms":
        """Return terms under which everything is read that either of the two needs."""
        return RelationTerms(
            tuple(kind for kind in RELATION_KINDS if kind in self.units or kind in other.units),
            (*self.donor, *other.donor),
            self.sentinels | other.sentinels,
        )

    def agreed(self, other: "RelationTerms") -> "RelationTerms":
        """Return terms under which being a donor is over only where it is under both."""
        donor = (*self.donor, *other.donor) if self.donor and other.donor else ()
        return msgspec.structs.replace(self, donor=donor, sentinels=self.sentinels | other.sentinels)

    def donor_until(self, gifts: Iterable[date | None]) -> date | None:
        """Return the last day on which these gifts make somebody a donor; None where no row says so, or a
        gift has no date: doubt keeps."""
        days: list[date] = []
        for gift in gifts:
            on = without_sentinel(gift, self.sentinels)
            if on is None:
                return None
            days.append(on)
        if not days or not self.donor:
            return None
        return max(end_after(clock, max(days)) for clock in self.donor)


NOTHING_IN_FORCE: Final = RelationTerms()


def relation_terms(policy: Policy) -> RelationTerms:
    """Read from a schedule which rows outside the missions are in force (2.3)."""
    rows = [row for row in policy.categories.values() if row.enabled]
    return RelationTerms(
        units=tuple(kind for kind in RELATION_KINDS if any(row.unit == kind.value for row in rows)),
        donor=schedule_of(policy).donor,
        sentinels=policy.fillers,
    )


def clocks_of(kind: UnitKind, sort: str | None, schedule: Schedule) -> tuple[Clock, ...]:
    """Return the clocks in force for rows of one kind and sort."""
    if kind is UnitKind.OWN_TABLE:
        return (schedule.own_tables[sort],) if sort in schedule.own_tables else ()
    return tuple(clock for sorts, clock in schedule.relations[kind] if sorts is None or sort in sorts)


def sort_of(unit: Unit) -> str | None:
    """Return what sort of course or agreement this is, as the mapping calls it; of a row of a dependent table
    the row of the schedule that the mapping names."""
    if isinstance(unit.relation, Dependent):
        return kind_of(unit.word, unit.relation).term
    return None if unit.relation is None or isinstance(unit.relation, Donation) else unit.relation.kind


def anchor_of(kind: UnitKind) -> str:
    """Return what a period of these rows counts from, as a schedule names it."""
    return ROW_KINDS[kind].counted_from if kind in RELATION_KINDS else Anchor.OWN_DATE.value


def counted_day(unit: Unit) -> date | None:
    """Return the day from which a gift, course, agreement or row of a dependent table counts, as the CRM has
    it."""
    day: date | None = getattr(unit.relation, kind_of(unit.word, unit.row).counted_from, None)
    return day
