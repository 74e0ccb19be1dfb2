"""Periods on civil dates, and which day it is in a time zone at an instant. Source: section 3 of the rules
(DAT-01 to DAT-14), ISO 8601 for the notation of periods."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

MONTHS_PER_YEAR: Final = 12

_LAST_SAFE_DAY = 28  # every month has it, so the common case needs no calendar


def iso(day: date | None) -> str | None:
    """Write a day as 2026-11-25; None where there is none."""
    return None if day is None else day.isoformat()


def last_day_of_month(year: int, month: int) -> date:
    """Return the last day of a month, leap years included."""
    if month == MONTHS_PER_YEAR:
        return date(year, 12, 31)
    return date(year, month + 1, 1) - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """Count months from a day: the same day number, or the last day of a shorter month. One addition from the
    anchor, never repeated ones, and no stickiness to the end of the month: 31 August + 6 is 28 or 29
    February, 28 February + 6 is 28 August. `months` may be negative. Beyond the calendar the answer is its
    last (or first) day. Source: DAT-03, DAT-04, DAT-05; modelled on Regulation 1182/71 art. 3(2)(c)."""
    year, month = divmod(day.year * MONTHS_PER_YEAR + day.month - 1 + months, MONTHS_PER_YEAR)
    if not 1 <= year <= 9999:
        return date.max if year > 0 else date.min
    number = day.day
    if number <= _LAST_SAFE_DAY:
        return date(year, month + 1, number)
    return min(last_day_of_month(year, month + 1), date(year, month + 1, _LAST_SAFE_DAY) + timedelta(days=number - _LAST_SAFE_DAY))


def add_years(day: date, years: int) -> date:
    """Count years from a day; 29 February becomes 28 February in a year without it (DAT-03, DAT-05)."""
    return add_months(day, years * MONTHS_PER_YEAR)


def end_of_calendar_year_after(day: date, years: int) -> date:
    """Return 31 December of the year that is `years` after the day's own (RET-06)."""
    return date(min(day.year + years, 9999), 12, 31)


def period_of_months(months: int) -> str:
    """Write a number of months as an ISO 8601 period, in years where they are whole: `P6M`, `P5Y`."""
    if months and months % MONTHS_PER_YEAR == 0:
        return f"P{months // MONTHS_PER_YEAR}Y"
    return f"P{months}M"


def civil_date(instant: datetime, zone: ZoneInfo) -> date:
    """Return the date in a zone at an instant (DAT-01, A-21). The first and last hours of the calendar stay
    in it. Raises ValueError: the instant has no time zone, so it is unknown which moment is meant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    try:
        return instant.astimezone(zone).date()
    except OverflowError:  # a usual "never"
        return instant.date()


@lru_cache(maxsize=4096)
def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, at which a unit with this last day kept is expired. It is the start
    of the following day in the zone: in Brussels 23:00 UTC of the end day in winter, 22:00 UTC in summer. The
    instant itself counts as expired. Where clocks go back over midnight, it is the second one, after which
    the day does not come again. Source: DAT-02."""
    after = day + timedelta(days=1)
    first, again = (datetime(after.year, after.month, after.day, tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return again if again > first and civil_date(again - timedelta(seconds=1), zone) == day else first
