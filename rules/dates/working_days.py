"""Belgian public holidays and working days, as periods of law count them. Source: DDL-04, DDL-05; Regulation
1182/71 art. 2(1); Act of 4 January 1974. The days come from the library `holidays`."""

from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays

_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
NO_DAYS: Final[Collection[date]] = frozenset()


def is_working_day(day: date, extra: Collection[date] = NO_DAYS) -> bool:
    """Return whether a day is no Saturday, Sunday, public holiday nor one of the `extra` days."""
    return day.weekday() < _SATURDAY and day not in _public(day.year) and day not in extra


def rolled(day: date, extra: Collection[date] = NO_DAYS) -> date:
    """Return the day itself if it is a working day, else the next one that is (DDL-04)."""
    while not is_working_day(day, extra):
        day += _ONE_DAY
    return day


def working_day_after(day: date, count: int, extra: Collection[date] = NO_DAYS) -> date:
    """Return the working day with a number: the first one after `day` is 1 (DDL-07). `count` is at least
    1."""
    for _ in range(count):
        day = rolled(day + _ONE_DAY, extra)
    return day


@lru_cache(maxsize=64)
def _public(year: int) -> frozenset[date]:
    """Return the ten public holidays of a year, by the Act. Bridge days and days of communities and banks are
    not included."""
    return frozenset(holidays.country_holidays("BE", years=year, categories=("public",)))
