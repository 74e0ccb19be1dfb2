"""What holds of the governor whatever the work and the answers are like."""

import heapq
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.dynamics.pace.allowance import Hints, hints_of
from connectors.dynamics.pace.governor import Governor, Observation, Pace

answers = st.tuples(
    st.floats(0.005, 20.0),  # seconds
    st.sampled_from([200] * 12 + [429, 500, 0]),
    st.integers(1, 40),  # Retry-After
    st.sampled_from([None, 1, 4, 30]),  # x-ms-dop-hint
)
paces = st.builds(
    Pace,
    concurrency=st.integers(1, 52),
    reserved_share=st.floats(0.0, 0.9),
    requests=st.integers(40, 400),
    execution_s=st.floats(100.0, 1_200.0),
    window_s=st.sampled_from([60.0, 300.0]),
)


Script = Sequence[tuple[float, int, int, int | None]]


@dataclass
class Trace:
    """What a governor let happen."""

    ended: list[tuple[float, float]] = field(default_factory=list)  # when, and how long it took
    most_running: int = 0
    started_in_a_pause: int = 0
    stuck: bool = False


def driven(pace: Pace, script: Script, operations: int = 1, tells: bool = False) -> Trace:
    """Work without end; answer after answer as scripted, over again. As soon as the governor lets a batch
    start, it starts."""
    governor, trace = Governor(pace, 100), Trace()
    under_way: list[tuple[float, int]] = []
    now, number, paused_until = 0.0, 0, 0.0
    while number < 600 and now < 5 * pace.window_s:
        wait_s = governor.wait_s(now)
        if wait_s <= 0:
            trace.started_in_a_pause += now < paused_until
            governor.begin(now, operations)
            heapq.heappush(under_way, (now + script[number % len(script)][0], number))
            number += 1
            trace.most_running = max(trace.most_running, len(under_way) - governor.ceiling + 100)
        elif under_way and under_way[0][0] <= now + wait_s:
            now, answered = heapq.heappop(under_way)
            seconds, status, retry_after_s, parallel = script[answered % len(script)]
            if status == 429:
                paused_until = max(paused_until, now + retry_after_s)
            trace.ended.append((now, seconds))
            used = len(trace.ended) - bisect_right(trace.ended, now - pace.window_s, key=itemgetter(0))
            left = float(pace.requests - used) if tells else None
            hints = Hints(left, None, parallel, "one" if tells else "")
            governor.observe(now, Observation(seconds, operations, status, retry_after_s, hints))
            governor.end(operations)
        elif wait_s == math.inf:
            trace.stuck = True
            return trace
        else:
            now += max(wait_s, 1e-6)
    return trace


def most_in_a_window(trace: Trace, window_s: float) -> tuple[int, float]:
    requests, seconds = 0, 0.0
    ends, took = [end for end, _ in trace.ended], [took for _, took in trace.ended]  # in the order of their time
    for end in ends:
        inside = took[bisect_right(ends, end - window_s + 1e-6) : bisect_right(ends, end)]  # rounding is not a second visit
        requests, seconds = max(requests, len(inside)), max(seconds, sum(inside))
    return requests, seconds


def test_a_request_under_way_counts_although_no_answer_does_yet() -> None:
    """Of five allowed, a sixth began when five were under way and the window was empty otherwise."""
    trace = driven(Pace(concurrency=6, reserved_share=0.875, requests=40, execution_s=100.0), [(1.4705676963155412, 200, 1, None)])
    assert most_in_a_window(trace, 300.0)[0] == 5


@settings(max_examples=60, deadline=None)
@given(paces, st.lists(answers, min_size=1, max_size=30), st.booleans())
def test_no_window_holds_more_requests_than_allowed(pace: Pace, script: Script, tells: bool) -> None:
    requests, _ = most_in_a_window(driven(pace, script, tells=tells), pace.window_s)
    # Where headers are told, now and then one goes to see whether the window is over sooner.
    assert requests <= max(1, pace.requests * (1 - max(pace.reserved_share, 0.05))) + (8 if tells else 0)


@settings(max_examples=60, deadline=None)
@given(paces, st.floats(0.01, 5.0), st.integers(1, 5))
def test_no_window_holds_more_execution_time_than_allowed(pace: Pace, seconds: float, spread: int) -> None:
    """Work that takes about as long each time; what is under way when it turns out longer is all that can go
    beyond."""
    script = [(seconds * (1 + 0.1 * (number % spread)), 200, 1, None) for number in range(10)]
    trace = driven(pace, script)
    _, used = most_in_a_window(trace, pace.window_s)
    assert used <= max(pace.execution_s * (1 - max(pace.reserved_share, 0.05)), seconds) * 1.03 + 5 * seconds


def test_what_ends_sooner_than_expected_does_not_count_on_what_leaves_the_window_later() -> None:
    """It started when it would have ended in time, had it been as large a batch as was aimed at."""
    pace = Pace(concurrency=3, reserved_share=0.0, requests=179, execution_s=101.0)
    trace = driven(pace, [(0.5 * (1 + 0.1 * (number % 5)), 200, 1, None) for number in range(10)])
    assert most_in_a_window(trace, 300.0)[1] <= 101.0


@settings(max_examples=60, deadline=None)
@given(paces, st.lists(answers, min_size=1, max_size=30))
def test_a_pause_holds_and_concurrency_stays_within_its_ceiling(pace: Pace, script: Script) -> None:
    trace = driven(pace, script)
    assert trace.started_in_a_pause == 0
    assert trace.most_running <= 100 or any(parallel for _, _, _, parallel in script), (
        "only a lower hint can leave more running than now allowed"
    )


@settings(max_examples=60, deadline=None)
@given(paces, st.lists(answers, min_size=1, max_size=30))
def test_work_never_gets_stuck(pace: Pace, script: Script) -> None:
    trace = driven(pace, script)
    assert not trace.stuck
    assert len(trace.ended) >= 5


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 200), st.floats(0.001, 60.0)), min_size=1, max_size=60))
def test_the_account_of_what_is_under_way_is_even_in_the_end(steps: list[tuple[int, int, float]]) -> None:
    governor, now = Governor(Pace(), 100), 0.0
    for gap, operations, seconds in steps:
        now += gap
        governor.begin(now, operations)
        governor.observe(now + seconds, Observation(seconds, operations, 200))
        governor.end(operations)
        assert 1 <= governor.operations <= 100
        assert 1 <= governor.limit <= 39
        now += seconds
    assert governor.running == 0


numbers = st.sampled_from(["", "0", "1", "-1", "5999", "1,200.00", "999999999999", "1e9", "NaN", "inf", "0.0", "many", "\u0665"])
strange = st.builds(
    lambda left, seconds, parallel, server: {
        "x-ms-ratelimit-burst-remaining-xrm-requests": left,
        "x-ms-ratelimit-time-remaining-xrm-requests": seconds,
        "x-ms-dop-hint": parallel,
        "Set-Cookie": f"ARRAffinity={server}; path=/" if server else "",
    },
    numbers,
    numbers,
    numbers,
    st.sampled_from(["", "one", "two", "three"]),
)
seen = st.tuples(st.booleans(), st.floats(0.0, 150.0), st.sampled_from([200, 200, 200, 200, 429, 503, 0]), st.floats(0.0, 120.0), strange)


@settings(max_examples=80, deadline=None)
@given(paces, st.lists(seen, min_size=1, max_size=40))
def test_whatever_the_headers_say_no_single_wait_is_longer_than_a_window_or_a_pause(
    pace: Pace, script: list[tuple[bool, float, int, float, dict[str, str]]]
) -> None:
    """Reads and batches by turns, one at a time: each may start within a window and what the CRM has asked to
    wait."""
    governor, now, paused_until = Governor(pace, 100), 0.0, 0.0
    for number in range(120):
        is_read, seconds, status, retry_after_s, headers = script[number % len(script)]
        waited_s, longest_s = 0.0, max(pace.window_s, paused_until - now) + 1.0
        while (wait_s := governor.read_wait_s(now) if is_read else governor.wait_s(now)) > 0:
            assert math.isfinite(wait_s)
            waited_s, now = waited_s + wait_s, now + wait_s
            assert waited_s <= longest_s
        operations = 0 if is_read else min(governor.operations, 100)
        if not is_read:
            assert operations >= 1
            governor.begin(now, operations)
        now += seconds
        if status == 429:
            paused_until = max(paused_until, now + retry_after_s)
        governor.observe(now, Observation(seconds, operations, status, retry_after_s, hints_of(headers)))
        if not is_read:
            governor.end(operations)
        assert 1 <= governor.limit <= pace.concurrency
