"""Whoever says stop waits for seconds: how often a wait for the CRM asks whether it has a sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.pace.gate import LONG_S, STEP_S, Timeline


class Stopped(Exception):
    """Somebody said stop."""


@given(st.floats(0, 100), st.lists(st.floats(0.1, 40), min_size=1, max_size=20))
def test_no_more_than_a_step_is_slept_after_a_stop(stop_at_s: float, waits_s: list[float]) -> None:
    """However waits follow upon one another."""
    clock = [0.0]

    def nap(seconds: float) -> None:
        clock[0] += seconds

    def watch() -> None:
        if clock[0] >= stop_at_s:
            raise Stopped

    timeline = Timeline(nap, lambda: clock[0])
    with timeline.watched(watch):
        try:
            for seconds in waits_s:
                timeline.wait(seconds)
        except Stopped:
            assert clock[0] >= stop_at_s
    assert clock[0] <= stop_at_s + STEP_S + 0.001


def test_nobody_who_watches_means_one_sleep() -> None:
    naps: list[float] = []
    Timeline(naps.append, lambda: 0.0).wait(60.0)
    assert naps == [60.0]


def test_a_watch_is_asked_before_the_first_step() -> None:
    def watch() -> None:
        raise Stopped

    naps: list[float] = []
    timeline = Timeline(naps.append, lambda: 0.0)
    with timeline.watched(watch), pytest.raises(Stopped):
        timeline.wait(1.0)
    assert naps == []


def test_who_looks_on_is_told_of_a_long_wait_and_not_of_those_that_begin_meanwhile() -> None:
    clock, told = [0.0], list[float]()

    def nap(seconds: float) -> None:
        if not clock[0]:
            clock[0] = 1.0
            timeline.wait(LONG_S + 2)  # as another thread does
        clock[0] += seconds

    timeline = Timeline(nap, lambda: clock[0], told.append)
    for seconds in (LONG_S - 1, LONG_S + 20, LONG_S):
        clock[0] = 0.0 if seconds == LONG_S + 20 else clock[0] + 1_000
        timeline.wait(seconds)
    assert told == [LONG_S + 20, LONG_S]
