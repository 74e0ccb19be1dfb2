"""The rows of a schedule, ready to count: from which days each counts, how long, and by which rule. Ends are
counted by them in `rules/law/ends.py`. Source: RET-06 to RET-08, RET-15, RET-21."""

from collections.abc import Collection
from datetime import date
from enum import IntEnum
from typing import Final

import msgspec

from rules.dates.periods import MONTHS_PER_YEAR, add_months, end_of_calendar_year_after, period_of_months
from rules.model.decisions import Disposition
from rules.policy.categories import Anchor, Category, EndOfCalendarYearAfter, MonthsAfter, NoTerm, UntilAge, UntilEvent, YearsAfter

RECORDING: Final = "recording"
LATE_RULE: Final = "RET-10"

BIRTH: Final = "birth_date"
LAST_ACTIVITY: Final = Anchor.LAST_ACTIVITY.value
CLOSED_ON: Final = Anchor.CLOSED_ON.value
PROCEEDINGS_ENDED_ON: Final = Anchor.PROCEEDINGS_ENDED_ON.value
ENDED_ON: Final = Anchor.ENDED_ON.value
STARTED_ON: Final = "started_on"
COMMUNICATED_ON: Final = "communicated_on"
CREATED_ON: Final = "created_on"

# Anchors that every dossier is asked for; the others are looked up only where a schedule names them.
_USUAL: Final = frozenset((LAST_ACTIVITY, CLOSED_ON, PROCEEDINGS_ENDED_ON))


class Kind(IntEnum):
    """How a clock counts."""

    PERIOD = 0
    AGE = 1
    YEAR_END = 2
    NO_TERM = 3


class Clock(msgspec.Struct, frozen=True):
    """One row of the schedule, ready to count. `months` is the length of any period, also of years; `anchors`
    are in order of choice."""

    key: str
    rule: str
    kind: Kind
    months: int
    anchors: tuple[str, ...]
    period: str
    disposition: Disposition
    review_months: int
    is_usual: bool
    uses_activity: bool


def clock_of(key: str, category: Category, *, review_months: int) -> Clock:
    """Make the clock of one row of the schedule; `review_months` is for a no-term row that names none itself
    (RET-06, RET-15)."""
    anchors = tuple(anchor.value for anchor in category.anchors)
    months, rule, kind = 0, "RET-06", Kind.PERIOD
    match category:
        case MonthsAfter():
            months = category.months
        case YearsAfter():
            months = category.years * MONTHS_PER_YEAR
        case UntilEvent():
            months = category.months
        case EndOfCalendarYearAfter():
            months, kind = category.years * MONTHS_PER_YEAR, Kind.YEAR_END
        case UntilAge():
            months, anchors, kind, rule = category.age * MONTHS_PER_YEAR, (BIRTH,), Kind.AGE, "RET-08"
        case NoTerm():
            kind, rule = Kind.NO_TERM, "RET-15"
            review_months = category.review_months or review_months
    if LAST_ACTIVITY in anchors:
        rule = "RET-07"
    elif category.unit == RECORDING:
        rule = "RET-21"
    return Clock(
        key=key,
        rule=category.rule if "rule" in category.model_fields_set else rule,
        kind=kind,
        months=months,
        anchors=anchors,
        period="" if kind is Kind.NO_TERM else period_of_months(months),
        disposition=category.disposition,
        review_months=review_months,
        is_usual=_USUAL.issuperset(anchors),
        uses_activity=kind is Kind.AGE or LAST_ACTIVITY in anchors,
    )


def end_after(clock: Clock, on: date) -> date:
    """Count a clock's period from a day (RET-06)."""
    if clock.kind is Kind.YEAR_END:
        return end_of_calendar_year_after(on, clock.months // MONTHS_PER_YEAR)
    return add_months(on, clock.months)


def without_sentinel(on: date | None, sentinels: Collection[date]) -> date | None:
    """Read a sentinel as the absent date that it stands for (RET-14)."""
    return None if on is None or on in sentinels else on
