"""Civil dates in Brussels, written from section 3 of the rules and from nothing else."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
SENTINELS = (date(1753, 1, 1), date(1900, 1, 1), date(9999, 12, 31))


def add_months(start: date, months: int) -> date:
    """DAT-03: the same day number in the target month, or the last day of that month."""
    year, month0 = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month0 + 1, min(start.day, calendar.monthrange(year, month0 + 1)[1]))


def add_years(start: date, years: int) -> date:
    return add_months(start, 12 * years)


def last_of_month(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def brussels_day(instant: datetime) -> date:
    return instant.astimezone(BRUSSELS).date()


def day_of_instant(text: str | None) -> date | None:
    """The Brussels day of a UserLocal value; a sentinel counts as absent (RET-14)."""
    if not text:
        return None
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.year == 9999 and instant.month == 12 and instant.day == 31:
        return None
    day = instant.astimezone(BRUSSELS).date()
    return None if day in SENTINELS else day


def day_of_date(text: str | None) -> date | None:
    """A DateOnly value, literally; a sentinel counts as absent."""
    day = date.fromisoformat(text) if text else None
    return None if day in SENTINELS else day


def instant_on(day: date, hour: int, minute: int = 0, second: int = 0) -> str:
    """The wire text of a wall-clock moment in Brussels."""
    moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=BRUSSELS).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def days(count: int) -> timedelta:
    return timedelta(days=count)
