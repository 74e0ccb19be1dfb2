"""Runs in a list, those that carried out a plan and the jobs without one, filtered by kind, state and day."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from jobs.model.run import RunLine
from jobs.runs.run_states import state_of
from rules.dates.calendar import Calendar


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are wanted: of one kind, in one state (`interrupted` among them), started from one civil day
    to another, both included; empty or None: whichever."""

    kind: str = ""
    state: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_anything(self) -> bool:
        """Whether every run is wanted."""
        return self == Wanted()


def listed(lines: Iterable[RunLine], wanted: Wanted, calendar: Calendar, at_work: Collection[str]) -> list[RunLine]:
    """Return the wanted lines in the order in which they come; `at_work` are the runs that a process is
    working on."""
    begin = midnight(wanted.first, calendar) if wanted.first is not None else None
    end = midnight(wanted.last + timedelta(days=1), calendar) if wanted.last is not None else None
    return [
        line
        for line in lines
        if (not wanted.kind or line.kind == wanted.kind)
        and (begin is None or line.started_at >= begin)
        and (end is None or line.started_at < end)
        and (not wanted.state or state_of(line, at_work) == wanted.state)
    ]


def midnight(day: date, calendar: Calendar) -> datetime:
    """Return the instant, in UTC, at which a day of the schedule begins."""
    return datetime.combine(day, time(), calendar.zone).astimezone(UTC)
