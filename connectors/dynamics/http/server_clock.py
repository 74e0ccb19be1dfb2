"""The CRM's clock, by the Date headers of its answers: the median of several, continued by the monotonic
clock of this machine. One answer with a different time, from a server or a proxy whose clock is wrong,
changes nothing."""

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from statistics import median
from typing import Final

ENOUGH: Final = 5  # answers, of which two may lie
_KEPT: Final = 25  # the last ones, so that a clock that is set meanwhile is followed
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ServerClock:
    """Hears every answer; may be used from several threads."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._begins: deque[float] = deque(maxlen=_KEPT)  # the CRM's time, in seconds, when our ticks began, as each answer tells it

    def hear(self, date_header: str | None) -> None:
        """Note the Date header of an answer that has just come; one that cannot be read is passed over."""
        try:
            self._begins.append(_seconds(date_header or "") - self._ticks())
        except (ValueError, TypeError, OverflowError):
            return

    @property
    def has_heard_enough(self) -> bool:
        return len(self._begins) >= ENOUGH

    def now(self) -> datetime | None:
        """Return the time by the CRM's clock; None where it states none, or one beyond the calendar."""
        heard = tuple(self._begins)
        try:
            return _EPOCH + timedelta(seconds=median(heard) + self._ticks()) if heard else None
        except OverflowError:
            return None


@lru_cache(maxsize=8)  # the answers of one second say the same
def _seconds(date_header: str) -> float:
    told = parsedate_to_datetime(date_header)
    return (told.replace(tzinfo=told.tzinfo or UTC) - _EPOCH).total_seconds()
