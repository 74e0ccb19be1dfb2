"""The emulator's clock: real time, shifted as a test requests, and always ticking."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


class Clock:
    """Seconds since 1970, plus an offset that `/_emulator/clock` sets."""

    def __init__(self, ticks: Callable[[], float] = time.time) -> None:
        self._ticks = ticks
        self._offset_s = 0.0

    def timestamp(self) -> float:
        return self._ticks() + self._offset_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def text(self) -> str:
        """Return the current time as a stored instant: whole seconds, as Dataverse keeps them."""
        return instant_text(self.now())

    def set(self, instant: datetime) -> None:
        self._offset_s = instant.timestamp() - self._ticks()

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds

    def real(self) -> None:
        self._offset_s = 0.0


def instant_text(instant: datetime) -> str:
    in_utc = instant.astimezone(UTC) if instant.year >= 1000 else instant
    return in_utc.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def http_date(timestamp: float) -> str:
    """Return the RFC 9110 form, for the Date header."""
    return _date_of(int(timestamp))


@lru_cache(maxsize=4)  # many answers are of the same second
def _date_of(second: int) -> str:
    return formatdate(second, usegmt=True)
