"""What threads read and another takes: all of it or an error, and never much of it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from connectors.dynamics.pace.gate import Timeline
from connectors.dynamics.reading.lanes import ROOM, Lanes, SideBySide, Stopped, side_by_side
from connectors.interface.errors import ConnectorError

AT_ONCE = 3


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    with Lanes(AT_ONCE, Timeline(lambda _: None)) as made:
        yield made


def numbers(first: int, last: int) -> Iterator[int]:
    yield from range(first, last)


def in_parts(parts: int, length: int, side_by_side: SideBySide) -> Iterator[int]:
    return side_by_side([partial(numbers, part * length, (part + 1) * length) for part in range(parts)])


def test_more_reads_and_parts_than_threads_all_come_in_the_order_of_the_reads(lanes: Lanes) -> None:
    for read in range(8):
        lanes.begin(read, partial(in_parts, 7, 20))
    for read in range(8):
        taken = lanes.take(read)
        assert taken is not None
        assert sorted(taken) == list(range(140))
    assert lanes.take(0) is None


def test_no_read_gets_far_ahead(lanes: Lanes) -> None:
    made = [0]

    def read(_: SideBySide) -> Iterator[int]:
        for number in range(100):
            made[0] = number
            yield number

    lanes.begin("table", read)
    taken = lanes.take("table")
    assert taken is not None
    for number in taken:
        assert made[0] <= number + ROOM + 2


def test_a_part_that_fails_fails_the_read_and_ends_the_others(lanes: Lanes) -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            ended.set()

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no whole page")

    lanes.begin("table", lambda side_by_side: side_by_side([endless, broken]))
    taken = lanes.take("table")
    assert taken is not None
    with pytest.raises(ValueError, match="no whole page"):
        for _ in taken:
            pass
    assert ended.is_set()


def test_what_is_given_up_never_looks_like_the_end(lanes: Lanes) -> None:
    """Whoever reads in parts and is not taken any more must not believe that it has seen all of them."""
    told: list[type] = []
    begun = threading.Event()

    def read(side_by_side: SideBySide) -> Iterator[int]:
        try:
            for number in side_by_side([partial(numbers, 0, 50)]):
                begun.set()
                yield number
        except BaseException as end:
            told.append(type(end))
            raise
        told.append(int)

    lanes.begin("first", read)
    lanes.begin("second", lambda _: numbers(0, 3))
    assert begun.wait(10)
    second = lanes.take("second")
    assert second is not None
    assert list(second) == [0, 1, 2]
    assert lanes.take("first") is None  # to be read again, and not to be taken for empty
    lanes.__exit__(None, None, None)
    assert told in ([GeneratorExit], [Stopped])


@pytest.fixture
def no_thread_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many threads start, and no further one, as where memory is short."""

    def after(number: int) -> None:
        started, start = [0], threading.Thread.start

        def counted(thread: threading.Thread) -> None:
            started[0] += 1
            if started[0] > number:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", counted)

    return after


def test_a_read_for_which_there_is_no_thread_has_not_begun(lanes: Lanes, no_thread_after: Callable[[int], None]) -> None:
    no_thread_after(0)
    lanes.begin("table", partial(in_parts, 2, 3))
    assert lanes.take("table") is None


@pytest.mark.parametrize("threads", [1, 2])
def test_parts_for_which_there_is_no_thread_fail_the_read(lanes: Lanes, no_thread_after: Callable[[int], None], threads: int) -> None:
    no_thread_after(threads)
    lanes.begin("table", partial(in_parts, 5, 100))
    taken = lanes.take("table")
    assert taken is not None
    with pytest.raises(ConnectorError, match="no further thread"):
        list(taken)


@pytest.mark.parametrize("threads", [0, 1])
def test_reads_for_which_there_is_no_thread_fail(no_thread_after: Callable[[int], None], threads: int) -> None:
    no_thread_after(threads)
    with pytest.raises(ConnectorError, match="no further thread"):
        list(side_by_side([partial(numbers, 0, 100)] * 3, AT_ONCE, Timeline(lambda _: None)))
