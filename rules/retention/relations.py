"""Gifts, courses, agreements, and rows of dependent tables with a term of their own: when each ends, and
until when they make a person known to the organisation.

Rows of the schedule decide here only where the controller has put them in force (2.3). A row for contacts
does not decide over a contact: it says how long being a donor lasts, and the contact is deleted with its last
unit and relation (RET-20). Source: section 2.3, RET-06, RET-11, RET-20; D-66, D-67."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Final

import msgspec

from rules.model.decisions import Decision, Disposition, End, Reason, deciding_end
from rules.model.kinds import kind_of
from rules.model.records import RELATION_KINDS, Dependent, Donation, Unit, UnitKind
from rules.policy.categories import Anchor
from rules.policy.policy import Policy
from rules.retention.clocks import Clock, Kind, end_after, without_sentinel
from rules.retention.schedule import RULE_OF_REASON, Schedule, schedule_of

ANCHOR_FIELDS: Final = {
    UnitKind.DONATION: Anchor.BOOKED_ON.value,
    UnitKind.ENROLMENT: Anchor.HELD_ON.value,
    UnitKind.ENGAGEMENT: Anchor.ENDED_ON.value,
}


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
        sentinels=frozenset(policy.defaults.sentinels),
    )


def clocks_for(unit: Unit, schedule: Schedule) -> tuple[Clock, ...]:
    """Return the clocks of the rows in force for a gift, course or agreement, or for a row of a dependent
    table. Where several apply, the longest wins (RET-11)."""
    kind = sort_of(unit)
    if isinstance(unit.relation, Dependent):
        return (schedule.own_tables[kind],) if kind in schedule.own_tables else ()
    return tuple(clock for kinds, clock in schedule.relations[unit.kind] if kinds is None or kind in kinds)


def sort_of(unit: Unit) -> str | None:
    """Return what sort of course or agreement this is, as the mapping calls it; of a row of a dependent table
    the row of the schedule that the mapping names."""
    if isinstance(unit.relation, Dependent):
        return kind_of(unit.word, unit.relation).term
    return None if unit.relation is None or isinstance(unit.relation, Donation) else unit.relation.kind


def relation_ends(unit: Unit, clocks: Collection[Clock], sentinels: Collection[date]) -> tuple[End, ...]:
    """Return the end that each row gives a gift, course, agreement or row of a dependent table; without `on`
    where its date is missing or the row has no term."""
    is_own = isinstance(unit.relation, Dependent)
    anchor = Anchor.OWN_DATE.value if is_own else ANCHOR_FIELDS[unit.kind]
    field = kind_of(unit.word, unit.row).counted_from if is_own else anchor
    on = without_sentinel(getattr(unit.relation, field, None), sentinels)
    ends = []
    for clock in clocks:
        if clock.kind is Kind.NO_TERM:
            ends.append(End(clock.key, clock.rule, "", None, "", None, Disposition.KEEP))
        else:
            until = None if on is None else end_after(clock, on)
            ends.append(End(clock.key, clock.rule, anchor, on, clock.period, until, clock.disposition))
    return tuple(ends)


def decide_relation(unit: Unit, schedule: Schedule, held: tuple[Reason, ...], as_of: date) -> Decision:
    """Decide over a gift, a course, an agreement or a row of a dependent table: its date plus the longest
    period of the rows that apply to it. One that no row in force is for, because its kind is unknown or
    undecided, is kept as UNCONFIGURED; a running agreement has not started."""
    clocks = clocks_for(unit, schedule)
    ends = relation_ends(unit, clocks, schedule.sentinel_days)
    reasons = [*held]
    if any(clock.kind is Kind.NO_TERM for clock in clocks):
        reasons.append(Reason.NO_TERM)
    if not clocks:
        reasons.append(Reason.UNCONFIGURED)
    if any(clock.kind is not Kind.NO_TERM and end.on is None for clock, end in zip(clocks, ends, strict=True)):
        reasons.append(Reason.NOT_STARTED)
    endless = {Reason.NO_TERM, Reason.UNCONFIGURED, Reason.NOT_STARTED}
    best = deciding_end(ends) if endless.isdisjoint(reasons) else None
    retention_end = None if best is None else best.on
    if retention_end is not None and as_of <= retention_end:
        reasons.append(Reason.NOT_EXPIRED)
    kind = sort_of(unit)
    categories = tuple(clock.key for clock in clocks) or (() if kind is None else (kind,))
    if not reasons and best is not None:
        return Decision(best.disposition, (Reason.EXPIRED,), retention_end, (), categories, best.rule, ends)
    rule = best.rule if best is not None and reasons[0] is Reason.NOT_EXPIRED else RULE_OF_REASON[reasons[0]]
    return Decision(Disposition.KEEP, tuple(reasons), retention_end, (), categories, rule, ends)
