"""The civil day that a date column means (DAT-01, DAT-08), at the speed of a nightly read of every row. The
decoder makes dates and instants itself, far faster than any table of texts that were seen before: a page's
instants are nearly all different, and such a table no longer fits the processor's caches."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

from rules.dates.periods import brussels_date

_LATE_HOUR = 21  # Brussels has never been more than two hours ahead of UTC: before 21:00Z the day cannot differ


def wire_type(behaviour: str) -> Any:
    """Return what the decoder makes of a value: a day where the wire holds one, else an instant. Anything
    else refuses the page."""
    return date | None if behaviour == "date_only" else datetime | None


def civil_days(name: str, behaviour: str) -> Callable[[list[Any]], None]:
    """Return a step that replaces the instants in one field of every row by the day they mean. `user_local`
    gives the day it was in Brussels; `time_zone_independent` is taken literally, without its `Z`."""
    get = attrgetter(name)

    def literal(rows: list[Any]) -> None:
        for row in rows:
            moment = get(row)
            if moment is not None:
                setattr(row, name, moment.date())

    def local(rows: list[Any]) -> None:
        for row in rows:
            moment = get(row)
            if moment is not None:
                setattr(row, name, moment.date() if moment.hour < _LATE_HOUR and moment.tzinfo is UTC else day_in_brussels(moment))

    return literal if behaviour == "time_zone_independent" else local


def day_in_brussels(moment: datetime) -> date:
    """Return the day in Brussels at an instant; one without a zone is UTC, as the service sends."""
    try:
        return brussels_date(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    except OverflowError:  # the last evening of the calendar, a usual "never"
        return moment.date()
