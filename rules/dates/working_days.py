"""Public holidays and working days of a country, as periods of law count them. Source: DDL-04, DDL-05;
Regulation 1182/71 art. 2(1); for Belgium the Act of 4 January 1974. The days come from the library
`holidays`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

BELGIUM: Final = "BE"
_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class DaysOff:
    """The days beside Saturday and Sunday on which no period of law ends: the public holidays of a country,
    or of a part of it (`DE-NW`), and the organisation's `extra` days."""

    country: str = BELGIUM
    extra: frozenset[date] = frozenset()

    def __contains__(self, day: date) -> bool:
        return day in _public(self.country, day.year) or day in self.extra


BELGIAN: Final = DaysOff()


def are_known(country: str) -> bool:
    """Return whether there are public holidays to be had of a country, or of that part of it."""
    import holidays  # a moment to load, and most schedules are of one country

    code, _, part = country.partition("-")
    known = holidays.list_supported_countries()
    return code in known and (not part or part in known[code])


def is_working_day(day: date, off: DaysOff = BELGIAN) -> bool:
    """Return whether a day is no Saturday, Sunday, public holiday nor one of the organisation's own days."""
    return day.weekday() < _SATURDAY and day not in off


def rolled(day: date, off: DaysOff = BELGIAN) -> date:
    """Return the day itself if it is a working day, else the next one that is (DDL-04)."""
    while not is_working_day(day, off):
        day += _ONE_DAY
    return day


def working_day_after(day: date, count: int, off: DaysOff = BELGIAN) -> date:
    """Return the working day with a number: the first one after `day` is 1 (DDL-07). `count` is at least
    1."""
    for _ in range(count):
        day = rolled(day + _ONE_DAY, off)
    return day


@lru_cache(maxsize=64)
def _public(country: str, year: int) -> Collection[date]:
    """Return the public holidays of a year, by law. Bridge days and days of communities and banks are not
    included."""
    import holidays

    code, _, part = country.partition("-")
    return frozenset(holidays.country_holidays(code, subdiv=part or None, years=year, categories=("public",)))
