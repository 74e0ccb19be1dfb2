"""The retention schedule made ready to decide: compiled once, queried a hundred thousand times a night.
Source: RET-11 to RET-15, RET-21."""

from datetime import timedelta
from typing import Final

import msgspec

from rules.model.decisions import Disposition, End, Flag, Reason
from rules.model.records import RELATION_KINDS, UnitKind
from rules.people.birthdates import sentinels_of
from rules.policy.policy import Policy
from rules.retention.classify import Classification, Classifier, Facts
from rules.retention.clocks import ENDED_ON, RECORDING, Clock, Kind, clock_of

_MAX_SCHEDULES: Final = 8
_AGE, _TERMLESS = Kind.AGE, Kind.NO_TERM

# The rule that a reason rests on; an end that decides brings its own.
RULE_OF_REASON: Final[dict[Reason, str]] = {
    Reason.HOLD_LEGAL: "HLD-14",
    Reason.HOLD_JUDICIAL: "HLD-05",
    Reason.HOLD_COMPLAINT: "HLD-05",
    Reason.HOLD_REQUEST: "HLD-08",
    Reason.HOLD_RESTRICTION: "HLD-09",
    Reason.HOLD_OBJECTION: "HLD-10",
    Reason.NO_TERM: "RET-15",
    Reason.UNCONFIGURED: "RET-14",
    Reason.DATA_ERROR: "RET-16",
    Reason.NOT_STARTED: "RET-06",
    Reason.OPEN_DOSSIER: "RET-13",
    Reason.ORPHAN_CONTACT: "RET-20",
}


class Profile(msgspec.Struct, frozen=True):
    """What the schedule says of every unit with the same categories and outcome."""

    classification: Classification
    clocks: tuple[Clock, ...]
    fixed_ends: tuple[End, ...]
    reasons: tuple[Reason, ...]
    flags: tuple[Flag, ...]
    categories: tuple[str, ...]
    is_six_month: bool
    review_months: int

    def crm_keys_of(self, key: str) -> tuple[str, ...]:
        """Return the keys of the CRM's own categories from which this one of the schedule is derived, in the
        order of the schedule."""
        return tuple(line.crm_key for line in self.classification.derived if line.key == key)


class Schedule:
    """A policy ready to decide: the derivation table, and a clock a category."""

    def __init__(self, policy: Policy) -> None:
        defaults = policy.defaults
        self.sentinels = sentinels_of(policy)
        self.sentinel_days = self.sentinels.days
        self.late_months = defaults.late_rule_months
        self.warning = timedelta(days=defaults.recording_warning_days)
        self.delete_after_takeover = defaults.delete_after_takeover
        self.classifier = Classifier(policy)
        self._clocks = {key: clock_of(key, category, review_months=defaults.review_months) for key, category in policy.categories.items()}
        self.recording = self._recording_clock(policy)
        # By kind of unit outside the missions (2.3): the rows in force, each with the kinds that it is for
        # (None: all).
        self.relations: dict[UnitKind, tuple[tuple[tuple[str, ...] | None, Clock], ...]] = {
            kind: tuple((row.kinds, self._clocks[key]) for key, row in policy.categories.items() if row.enabled and row.unit == kind.value)
            for kind in RELATION_KINDS
        }
        # Of the dependent tables, by the row that they name.
        self.own_tables = {
            key: self._clocks[key] for key, row in policy.categories.items() if row.enabled and row.unit == UnitKind.OWN_TABLE.value
        }
        # How long being a donor lasts after the last gift; a row without a term, as for a newsletter, sets no
        # end (RET-20).
        self.donor = tuple(
            clock
            for key, row in policy.categories.items()
            if row.enabled and row.unit == UnitKind.CONTACT.value and (clock := self._clocks[key]).kind is not _TERMLESS
        )

    def compiled(self, facts: Facts) -> Profile:
        """Return what the schedule says of every unit with these categories and this outcome."""
        found = self.classifier.classify(facts)
        clocks = tuple(self._clocks[key] for key in found.keys)
        no_terms = [clock for clock in clocks if clock.kind is _TERMLESS]
        counting = tuple(clock for clock in clocks if clock.kind is not _TERMLESS)
        reasons: tuple[Reason, ...] = (Reason.NO_TERM,) if no_terms else ()
        fixed = [End(clock.key, clock.rule, "", None, "", None, Disposition.KEEP) for clock in no_terms]
        fixed += [End(key, RULE_OF_REASON[Reason.UNCONFIGURED], "", None, "", None, Disposition.KEEP) for key in found.unconfigured]
        return Profile(
            classification=found,
            clocks=counting,
            fixed_ends=tuple(fixed),
            reasons=reasons if found.is_complete else (*reasons, Reason.UNCONFIGURED),
            flags=found.flags,
            categories=found.categories,
            is_six_month=found.is_six_month,
            review_months=min((clock.review_months for clock in no_terms), default=0),
        )

    def _recording_clock(self, policy: Policy) -> Clock | None:
        """Return the clock of recordings; None where the schedule has no usable row for them, and none is
        then disposed of (RET-14)."""
        category = policy.categories.get(RECORDING)
        if category is None or not category.enabled or category.unit != RECORDING:
            return None
        clock = self._clocks[RECORDING]
        if clock.kind is _AGE or (clock.kind is not _TERMLESS and ENDED_ON not in clock.anchors):
            return None
        return clock


_schedules: dict[int, tuple[Policy, Schedule]] = {}


def schedule_of(policy: Policy) -> Schedule:
    """Compile a policy, once for each object: it is frozen, so one object means one schedule."""
    known = _schedules.get(id(policy))
    if known is not None and known[0] is policy:
        return known[1]
    if len(_schedules) >= _MAX_SCHEDULES:
        _schedules.clear()
    schedule = Schedule(policy)
    _schedules[id(policy)] = (policy, schedule)
    return schedule
