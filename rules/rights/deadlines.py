"""When an answer to a subject request is due.

Pure arithmetic on civil days: the day of receipt is not counted, the period ends with the last hour of its
last day, and a last day that is not a working day gives way to the next one that is. Source: DDL-01 to
DDL-15, L-01 to L-28; GDPR art. 12(3); Regulation 1182/71 art. 3."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from rules.dates.calendar import BELGIAN, Calendar, rolled, working_day_after
from rules.dates.periods import add_months

MONTHS: Final = 1
MONTHS_EXTENDED: Final = 3  # one addition to the receipt, not two roundings (DDL-06)
ASK_WITHIN: Final = 5  # working days after the receipt in which a question still stops the clock (DDL-07)
REMIND_AFTER: Final = 30  # days without an answer (DDL-08)
CLOSE_AFTER: Final = 90
ALARMS: Final = (10, 5, 1)  # calendar days before the due date (DDL-10)


class Stop(msgspec.Struct, frozen=True):
    """A question that stops the clock, from the day asked to the day answered; None while open."""

    asked_on: date
    answered_on: date | None


def stops_clock(received_on: date, asked_on: date, calendar: Calendar = BELGIAN) -> bool:
    """Return whether a question was asked soon enough to stop the clock: within five working days of the
    receipt (DDL-07, R-137)."""
    return received_on <= asked_on <= working_day_after(received_on, ASK_WITHIN, calendar)


def due_on(received_on: date, *, extended: bool = False, stops: Sequence[Stop], calendar: Calendar = BELGIAN) -> date | None:
    """Return the last day for the answer; None while the clock is stopped (DDL-07). `stops` are the questions
    that stop the clock; days that several of them share count once."""
    stopped = days_stopped(stops)
    if stopped is None:
        return None
    nominal = add_months(received_on, MONTHS_EXTENDED if extended else MONTHS)
    return rolled(nominal + timedelta(days=stopped), calendar)


def days_stopped(stops: Sequence[Stop]) -> int | None:
    """Count the days on which the clock stood still; None while a question is open."""
    days = 0
    until = date.min
    for stop in sorted(stops, key=lambda each: each.asked_on):
        if stop.answered_on is None:
            return None
        begin = max(stop.asked_on, until)
        days += max((stop.answered_on - begin).days, 0)
        until = max(until, stop.answered_on)
    return days


def may_extend(received_on: date, notified_at: datetime, *, stops: Sequence[Stop], calendar: Calendar = BELGIAN) -> bool:
    """Return whether a person was notified of an extension in time: no later than the due date of the first
    month (DDL-06, R-135). While the clock is stopped there is no due date yet, so the notice is in time."""
    due = due_on(received_on, stops=stops, calendar=calendar)
    return due is None or notified_at < calendar.end(due)


def is_overdue(due: date | None, now: datetime, calendar: Calendar = BELGIAN) -> bool:
    """Return whether a due date is over: from the start of the next civil day (DDL-11, R-138)."""
    return due is not None and now >= calendar.end(due)
