"""Instants as reports write them: by the clock of the schedule for people, in UTC for what is compared with
logs."""

from datetime import UTC, datetime

from rules.dates.calendar import Calendar


def clock_time(instant: datetime, calendar: Calendar) -> str:
    """Return an instant to the minute, in ISO form, in the local time of the people who read it (DAT-01)."""
    return calendar.clock(instant).strftime("%Y-%m-%d %H:%M")


def utc_time(instant: datetime) -> str:
    """Return an instant to the second in UTC, for values that are compared with logs and the ledger."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
