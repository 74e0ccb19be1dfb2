"""The governor of one application user for several threads, and the clock by which they wait."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.dynamics.pace.governor import Governor, Observation, Pace, operations_of

STEP_S = 5.0  # the longest sleep between two checks whether to go on waiting
LONG_S = 10.0  # who looks on is told of a wait from this long on


class Timeline:
    """Monotonic time and sleeping. A sleep counts as slept even if it returns at once, so that waiting can be
    tried out without waiting. `on_long_wait`, if there is one, is called with the seconds of a long wait as
    it begins; of one that begins during another it is not."""

    def __init__(
        self,
        sleep: Callable[[float], None],
        now: Callable[[], float] = time.monotonic,
        on_long_wait: Callable[[float], None] | None = None,
    ) -> None:
        self._sleep, self._now, self._on_long_wait = sleep, now, on_long_wait
        self._told_until = -math.inf
        self._ahead_s = 0.0
        self._lock = threading.Lock()
        self._watches: list[Callable[[], None]] = []
        self._asked_at = -math.inf

    def now(self) -> float:
        return self._now() + self._ahead_s

    def sleep(self, seconds: float) -> None:
        began = self.now()
        self._sleep(seconds)
        with self._lock:
            self._ahead_s += max(0.0, began + seconds - self.now())

    def wait(self, seconds: float, *, is_told: bool = True) -> None:
        """Sleep until done or a watcher raises: watchers are called so often that no more than STEP_S is
        slept between two calls. Unless it `is_told`, nobody is told of a long one: the CRM is at work, not
        away."""
        if is_told:
            self._tell_of(seconds)
        while self._watches:
            if self.now() - self._asked_at + min(seconds, STEP_S) > STEP_S:
                for watch in list(self._watches):
                    watch()
                self._asked_at = self.now()
            if seconds <= STEP_S:
                break
            self.sleep(STEP_S)
            seconds -= STEP_S
        self.sleep(seconds)

    def _tell_of(self, seconds: float) -> None:
        if self._on_long_wait is None or seconds < LONG_S:
            return
        with self._lock:
            now = self.now()
            if now < self._told_until:
                return
            self._told_until = now + seconds
        self._on_long_wait(seconds)

    @contextmanager
    def watched(self, watch: Callable[[], None]) -> Iterator[None]:
        """Call `watch` during waits too while the block runs; what it raises ends the wait."""
        self._watches.append(watch)
        self._asked_at = -math.inf
        try:
            yield
        finally:
            self._watches.remove(watch)


class Impatient(Exception):
    """The CRM asks for a longer wait than we may spend."""


class Gate:
    """Lets the requests of one application user through."""

    def __init__(self, pace: Pace, most_operations: int, timeline: Timeline) -> None:
        self.governor = Governor(pace, most_operations)
        self.timeline = timeline
        self._lock = threading.Lock()
        self._reads = threading.Condition()
        self._under_way = 0  # of these

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one of the places for reads that are under way, once there is one."""
        with self._reads:
            self._reads.wait_for(lambda: self._under_way < self.governor.readers)
            self._under_way += 1
        try:
            yield
        finally:
            with self._reads:
                self._under_way -= 1
                self._reads.notify_all()

    def wait_s(self) -> float:
        """Return how long until a batch may start; infinite: not before one has ended."""
        with self._lock:
            return self.governor.wait_s(self.timeline.now())

    @property
    def busy(self) -> float:
        """Which part of the batches that may run at once is running."""
        return self.governor.running / self.governor.limit

    @property
    def slots(self) -> int:
        """How many batches may run at once now."""
        return self.governor.limit

    def operations(self, waiting: int, slots: int) -> int:
        """Return how many of the waiting operations the next batch should hold."""
        with self._lock:
            return operations_of(self.governor, waiting, slots)

    def begin(self, operations: int) -> None:
        with self._lock:
            self.governor.begin(self.timeline.now(), operations)

    def end(self, operations: int) -> None:
        with self._lock:
            self.governor.end(operations)

    def observe(self, seen: Observation) -> None:
        with self._lock:
            self.governor.observe(self.timeline.now(), seen)

    def pause(self, seconds: float) -> None:
        """Make all work of this user wait so long."""
        with self._lock:
            self.governor.pause(self.timeline.now(), seconds)

    def wait_to_read(self, longest_s: float) -> float:
        """Wait until a read may be sent; gives how long that took. Raises Impatient: it would take longer in
        all than we wait."""
        waited_s = 0.0
        while True:
            with self._lock:
                wait_s = self.governor.read_wait_s(self.timeline.now())
            if wait_s <= 0:
                return waited_s
            if waited_s + wait_s > longest_s:
                raise Impatient
            self.timeline.wait(wait_s)
            waited_s += wait_s
