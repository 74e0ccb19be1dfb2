"""The clock of tests."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)  # of nights and commands that nobody gives another


class Clock:
    """A clock that moves only when a test says so."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)
