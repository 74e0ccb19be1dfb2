"""The civil day that a date column means (DAT-01, DAT-08), at the speed of a nightly read of every row. The
decoder makes dates and instants itself, far faster than any table of texts that were seen before: a page's
instants are nearly all different, and such a table no longer fits the processor's caches."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rules.dates.periods import civil_date

if TYPE_CHECKING:
    import polars as pl

_HOUR = timedelta(hours=1)
_YEARS = range(1753, 2101)  # from the first day that the CRM can hold; time zones were made later, and rules of summer time end here


def wire_type(behaviour: str) -> Any:
    """Return what the decoder makes of a value: a day where the wire holds one, else an instant. Anything
    else refuses the page."""
    return date | None if behaviour == "date_only" else datetime | None


def civil_days(behaviour: str, zone: ZoneInfo) -> Callable[[list[datetime | None]], list[date | None]]:
    """Return what gives the days that instants mean. `user_local` gives the day it was in `zone`;
    `time_zone_independent` is taken literally, without its `Z`."""
    early, late = _hours_alike(zone)

    def literal(moments: list[datetime | None]) -> list[date | None]:
        return [None if moment is None else moment.date() for moment in moments]

    def local(moments: list[datetime | None]) -> list[date | None]:
        return [
            None if moment is None else (moment.date() if early <= moment.hour < late and moment.tzinfo is UTC else _day_in(zone, moment))
            for moment in moments
        ]

    return literal if behaviour == "time_zone_independent" else local


def civil_day_column(behaviour: str, zone: ZoneInfo) -> "Callable[[pl.Series], pl.Series]":
    """Return what gives the same of a column of instants in UTC."""
    if behaviour == "time_zone_independent":
        return lambda moments: moments.dt.date()
    return lambda moments: moments.dt.convert_time_zone(zone.key).dt.date().clip(upper_bound=date.max)  # the last evening, as above


def _day_in(zone: ZoneInfo, moment: datetime) -> date:
    """Return the day in a zone at an instant; one without a zone is UTC, as the service sends."""
    try:
        return civil_date(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC), zone)
    except OverflowError:  # the last evening of the calendar, a usual "never"
        return moment.date()


@lru_cache(maxsize=4)
def _hours_alike(zone: ZoneInfo) -> tuple[int, int]:
    """Return from which hour of UTC on, and before which, the day in a zone is always that of UTC. What its
    clocks ever were ahead or behind is looked up for each month, with an hour for what fell between."""
    moments = (datetime(year, month, 1, tzinfo=UTC).astimezone(zone) for year in _YEARS for month in range(1, 13))
    offsets = {moment.utcoffset() or timedelta() for moment in moments}
    ahead, behind = -(-max(offsets) // _HOUR), -(min(offsets) // _HOUR)
    return behind + 1 if behind > 0 else 0, 24 - max(ahead, 0) - 1
