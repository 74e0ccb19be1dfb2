"""Civil days in columns: absent ones, months, ends of years. A filler counts as absent (DAT-10), no day moves
for a weekend or a holiday (DAT-07), and one before 1970 or 1900 is a day like any other (DAT-11). Source:
section 3 (DAT-03 to DAT-05), RET-14."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache, reduce
from operator import and_
from typing import Final

import polars as pl

from rules.dates.periods import MONTHS_PER_YEAR
from rules.law.codes import surely

TODAY: Final = pl.col("today")  # the day as of which everything is decided
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()  # from which a column counts
_LAST_MONTH: Final = date.max.year * MONTHS_PER_YEAR + MONTHS_PER_YEAR  # the first month after the calendar, counted from year 0


def may_have(column: pl.Series, days: Iterable[date]) -> bool:
    """Return whether a column may have one of these days: one that is not before its first or after its
    last. Of most columns no sentinel is among them, and to look at the ends takes next to nothing."""
    numbers = column.cast(pl.Int32)
    first, last = numbers.min(), numbers.max()
    return first is not None and any(first <= day.toordinal() - _FIRST_DAY <= last for day in days)  # type: ignore[operator]


@lru_cache(maxsize=32)
def known(sentinels: frozenset[date], *names: str) -> pl.Expr:
    """Read sentinels in these columns as the absent days that they stand for (RET-14)."""
    days = pl.col(names)
    return pl.when(is_none_of(days, sentinels)).then(days) if sentinels else days


def is_none_of(day: pl.Expr, days: Iterable[date]) -> pl.Expr:
    """Return whether a day is none of these; null of one that is absent."""
    return reduce(and_, (day != each for each in sorted(days)), pl.lit(True))


def is_to_come(day: pl.Expr) -> pl.Expr:
    """Return whether a day is still to come; one that is absent is not (RET-16)."""
    return surely(day > TODAY)


def add_months(day: pl.Expr, months: int) -> pl.Expr:
    """Count months from a day: the same day number, or the last day of a shorter month; beyond the calendar
    its last day. `months` is not negative. Source: DAT-03, DAT-04, DAT-05."""
    if not months:
        return day
    year, month = divmod(_LAST_MONTH - months, MONTHS_PER_YEAR)
    beyond = date(year, month + 1, 1)  # from here on the sum is beyond the calendar
    sum_of = pl.when(day < beyond).then(day).dt.offset_by(f"{months}mo")
    return pl.when(day >= beyond).then(pl.lit(date.max)).otherwise(sum_of)


def end_of_calendar_year_after(day: pl.Expr, years: int) -> pl.Expr:
    """Return 31 December of the year that is `years` after the day's own (RET-06)."""
    year = (day.dt.year() + years).clip(upper_bound=date.max.year)
    return pl.when(day.is_not_null()).then(pl.date(year, 12, 31))
