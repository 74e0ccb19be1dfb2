"""The civil calendar of an organisation: which day it is at an instant where it works, when a day ends there,
and the public holidays and working days of its country, as periods of law count them. Source: DAT-01, DAT-02,
DDL-04, DDL-05; Regulation 1182/71 art. 2(1); for Belgium the Act of 4 January 1974. The holidays come from
the library `holidays`, the zones from the IANA time zone database."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from rules.dates.periods import civil_date, end_of

BRUSSELS: Final = ZoneInfo("Europe/Brussels")
BELGIUM: Final = "BE"
_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_ZONE: Final = re.compile(r"UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+)+")


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a schedule says of days: the time zone whose civil dates count, the country, or the part of one
    (`DE-NW`), on whose public holidays no period of law ends, the organisation's `extra` days off, and the
    `fillers`, days that stand for an unknown one."""

    country: str = BELGIUM
    extra: frozenset[date] = frozenset()
    zone: ZoneInfo = BRUSSELS
    fillers: frozenset[date] = frozenset()

    def __contains__(self, day: date) -> bool:
        return day in _public(self.country, day.year) or day in self.extra

    def day(self, instant: datetime) -> date:
        """Return which day it is at an instant (DAT-01). Raises ValueError: it has no time zone."""
        return civil_date(instant, self.zone)

    def end(self, last_day: date) -> datetime:
        """Return the first instant, in UTC, after a last day (DAT-02)."""
        return end_of(last_day, self.zone)

    def clock(self, instant: datetime) -> datetime:
        """Return the same instant as the clocks there show it."""
        return instant.astimezone(self.zone)

    @property
    def city(self) -> str:
        """The city by whose clock hours are told, as the zone names it: `Brussels`."""
        return self.zone.key.rpartition("/")[2].replace("_", " ")


BELGIAN: Final = Calendar()


def are_known(country: str) -> bool:
    """Return whether there are public holidays to be had of a country, or of that part of it."""
    import holidays  # a moment to load, and most schedules are of one country

    code, _, part = country.partition("-")
    known = holidays.list_supported_countries()
    return code in known and (not part or part in known[code])


def is_zone(name: str) -> bool:
    """Return whether the time zone database has a zone of this name; one that a single machine has is
    none."""
    try:
        return _ZONE.fullmatch(name) is not None and ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):  # not found, or the name of a folder
        return False


def is_working_day(day: date, calendar: Calendar = BELGIAN) -> bool:
    """Return whether a day is neither a Saturday, a Sunday, a public holiday nor one of the organisation's
    own days."""
    return day.weekday() < _SATURDAY and day not in calendar


def rolled(day: date, calendar: Calendar = BELGIAN) -> date:
    """Return the day itself if it is a working day, else the next one that is (DDL-04)."""
    while not is_working_day(day, calendar):
        day += _ONE_DAY
    return day


def working_day_after(day: date, count: int, calendar: Calendar = BELGIAN) -> date:
    """Return the working day with a number: the first one after `day` is 1 (DDL-07). `count` is at least
    1."""
    for _ in range(count):
        day = rolled(day + _ONE_DAY, calendar)
    return day


@lru_cache(maxsize=64)
def _public(country: str, year: int) -> Collection[date]:
    """Return the public holidays of a year, by law. Bridge days and days of communities and banks are not
    included."""
    import holidays

    code, _, part = country.partition("-")
    return frozenset(holidays.country_holidays(code, subdiv=part or None, years=year, categories=("public",)))
