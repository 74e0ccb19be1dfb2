"""How long one thing is retried: the one rule for reads, for writes and for what had no answer.

Waits double from half a second up to half a minute, each shortened at random, so that clients that failed
together do not come back together. A few tries are made in any case. After that it depends on how long the
trouble lasts: a CRM that has answered before and is being updated comes back, and waiting for it costs time
and nothing else."""

from collections.abc import Callable

BACKOFF_CAP_S = 30.0


class Patience:
    """The patience for one thing, from its first try; `now` is monotonic time in seconds."""

    def __init__(self, now: Callable[[], float], chance: Callable[[], float], *, tries: int, lasting_s: float) -> None:
        """Allow at least `tries` retries, and more until `lasting_s` have passed."""
        self._now, self._chance, self._tries = now, chance, tries
        self._until = now() + lasting_s
        self._tried = 0

    def wait_s(self) -> float | None:
        """Return how long to wait before the next try; None where patience ends."""
        if self._tried >= self._tries and self._now() >= self._until:
            return None
        self._tried += 1
        return backoff_s(self._tried) * (0.5 + self._chance() / 2)


def backoff_s(attempt: int) -> float:
    """Return half a second after the first attempt, then twice as long each time, up to half a minute."""
    return min(2.0 ** min(attempt - 2, 10), BACKOFF_CAP_S)
