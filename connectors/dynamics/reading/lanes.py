"""Reads that go on at the same time, each in a thread of its own: they wait for the CRM most of the while.

How many requests are under way at once is for the gate to say (`pace/gate.py`). Here what several threads
read is handed to one that takes it, and none gets further ahead of it than a page or two: what is read and
not yet taken would otherwise be a whole table."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ConnectorError

T = TypeVar("T")

Read = Callable[[], Iterator[T]]
SideBySide = Callable[[Sequence[Read[Any]]], Iterator[Any]]  # yields what all of these reads yield, as it comes

ROOM = 1  # item of each read that waits to be taken; a second one is in its thread

_thread = threading.local()  # `belt`: what this thread puts on


class Stopped(Exception):
    """Nobody takes any more what this thread reads: it ends, and what it has read is not all there is."""


class Belt(Generic[T]):
    """What the threads of some reads put on, and one thread takes off; it holds few items. `around` is the
    belt on which what is taken from this one is put in turn."""

    def __init__(self, reads: int, timeline: Timeline, around: "Belt[Any] | None" = None) -> None:
        self._changed = threading.Condition()
        self._items: deque[T] = deque()
        self._reads, self._timeline, self._around = reads, timeline, around
        self._failure: BaseException | None = None
        self._is_stopped = False
        self.is_under_way = threading.Event()  # something came, or all has ended

    @property
    def is_over(self) -> bool:
        """Whether nothing is taken any more."""
        return self._is_stopped or self._failure is not None or (self._around is not None and self._around.is_over)

    def run(self, read: Read[T]) -> None:
        """Put on what a read yields until it ends or nobody takes it; to be called in a thread of its own."""
        _thread.belt = self
        try:
            items = iter(()) if self.is_over else read()
            try:
                while self._put(items):
                    pass
            finally:
                if (close := getattr(items, "close", None)) is not None:
                    close()
        except Stopped:
            pass
        except BaseException as failure:  # noqa: BLE001  raised where it is taken
            self._failure = self._failure or failure
        finally:
            _thread.belt = None
            self.is_under_way.set()
            with self._changed:
                self._reads -= 1
                self._changed.notify_all()

    def take(self) -> Iterator[T]:
        """Yield what is put on until all reads have ended. Raises what the first read that fails raises, at
        once; the others end at their next page or at the next step of a wait, and nothing more is yielded.
        Raises Stopped: not all was put on, because the belt was over before."""
        with self._timeline.watched(_end_if_over):
            try:
                while True:
                    with self._changed:
                        self._changed.wait_for(lambda: self._items or self._failure is not None or not self._reads)
                        if self._failure is not None:
                            raise self._failure
                        if not self._items and self.is_over:
                            raise Stopped
                        if not self._items:
                            return
                        item = self._items.popleft()
                        self._changed.notify_all()
                    yield item
            finally:
                self.stop()
                self.wait()

    def stop(self) -> None:
        """Take nothing any more."""
        with self._changed:
            self._is_stopped = True
            self._items.clear()
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the threads of all reads have ended."""
        with self._changed:
            self._changed.wait_for(lambda: not self._reads)

    def _put(self, items: Iterator[T]) -> bool:
        """Put the next item on, once there is room; whether there was one, and it is still wanted."""
        for item in items:
            self.is_under_way.set()
            with self._changed:
                self._changed.wait_for(lambda: self.is_over or len(self._items) < ROOM)
                if self.is_over:
                    return False
                self._items.append(item)
                self._changed.notify_all()
            return True
        return False


def _end_if_over() -> None:
    """End a wait for the CRM in a thread whose pages nobody takes."""
    belt: Belt[Any] | None = getattr(_thread, "belt", None)
    if belt is not None and belt.is_over:
        raise Stopped


def side_by_side(reads: Sequence[Read[T]], number: int, timeline: Timeline) -> Iterator[T]:
    """Yield what these reads yield, as it comes, `number` of them at the same time. Raises as `Belt.take`."""
    belt: Belt[T] = Belt(len(reads), timeline)
    with ThreadPoolExecutor(number, thread_name_prefix="read") as pool:
        _begin(belt, reads, pool)
        yield from belt.take()


def _begin(belt: Belt[Any], reads: Sequence[Read[Any]], pool: ThreadPoolExecutor) -> None:
    """Let threads of a pool put on what these reads yield. Raises ConnectorError: the machine has no thread
    left for one of them; the others end at their next item, since nobody will take it."""
    try:
        for read in reads:
            pool.submit(belt.run, read)
    except RuntimeError:
        belt.stop()
        raise ConnectorError("This machine starts no further thread.", hint="let it have more memory and more threads") from None


class Lanes:
    """Whole reads that begin before they are asked for, in the order in which they will be. `number` of them,
    or parts of one, read at the same time."""

    def __init__(self, number: int, timeline: Timeline) -> None:
        self._timeline = timeline
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="read")
        self._begun: dict[Hashable, Belt[Any]] = {}
        self._order: list[Belt[Any]] = []

    def __enter__(self) -> "Lanes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop what was begun and not taken, and wait for its threads."""
        for belt in self._order:
            belt.stop()
        for belt in self._order:
            belt.wait()
        self._pool.shutdown()

    def begin(self, key: Hashable, read: Callable[[SideBySide], Iterator[Any]]) -> None:
        """Begin a read; what it is given can read parts of it side by side. Where the machine has no thread
        left for it, it does not begin, and is read when it is asked for."""
        if key in self._begun:
            return
        belt: Belt[Any] = Belt(1, self._timeline)
        earlier = tuple(self._order)

        def side_by_side(parts: Sequence[Read[Any]]) -> Iterator[Any]:
            # Parts are read in the order in which they came here. Those of a later table must not take all
            # threads and wait to be taken, before those of an earlier one have come.
            for each in earlier:
                each.is_under_way.wait()
            inner: Belt[Any] = Belt(len(parts), self._timeline, belt)
            _begin(inner, parts, self._pool)
            belt.is_under_way.set()
            yield from inner.take()

        thread = threading.Thread(target=belt.run, args=(lambda: read(side_by_side),), name="table", daemon=True)
        with suppress(RuntimeError):
            thread.start()
            self._begun[key] = belt
            self._order.append(belt)

    def take(self, key: Hashable) -> Iterator[Any] | None:
        """Return what a read yields that has begun; None: it was not begun, or was taken. Those that should
        have been taken before it are given up, since their pages may keep its own from coming."""
        belt = self._begun.pop(key, None)
        if belt is None:
            return None
        earlier = self._order[: self._order.index(belt)]
        for each in earlier:
            each.stop()
        self._begun = {key: each for key, each in self._begun.items() if each not in earlier}
        return belt.take()
