"""Instants as reports write them: in Brussels for people, in UTC for what is compared with logs."""

from datetime import UTC, datetime

from rules.dates.periods import BRUSSELS


def in_brussels(instant: datetime) -> datetime:
    """Return an aware instant in the local time of the people who read the report (DAT-01)."""
    return instant.astimezone(BRUSSELS)


def clock_time(instant: datetime) -> str:
    """Return an instant to the minute, in ISO form, Brussels time."""
    return in_brussels(instant).strftime("%Y-%m-%d %H:%M")


def utc_time(instant: datetime) -> str:
    """Return an instant to the second in UTC, for values that are compared with logs and the ledger."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
