"""The circuit breaker trips above its ceiling, never at it (RET-24)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.policy.limits import Limit
from rules.retention.breaker import BreakerFinding, breaker

USUAL = Limit(max=200, factor=3, median_from=10)


def test_three_times_the_median_proceeds_and_one_more_trips() -> None:
    """R-063."""
    history = [40] * 30
    assert breaker(120, history, USUAL) == BreakerFinding(tripped=False, planned=120, limit=120, median=40)
    assert breaker(121, history, USUAL) == BreakerFinding(tripped=True, planned=121, limit=120, median=40)


def test_without_a_run_only_the_limit_holds() -> None:
    assert breaker(200, [], USUAL) == BreakerFinding(tripped=False, planned=200, limit=200, median=None)
    assert breaker(201, [], USUAL).tripped


def test_the_limit_holds_whatever_the_median() -> None:
    assert breaker(201, [150] * 30, USUAL) == BreakerFinding(tripped=True, planned=201, limit=200, median=150)


@pytest.mark.parametrize(("median", "limit"), [(9, 200), (10, 30), (9.5, 200), (10.5, 31)])
def test_a_small_median_counts_for_nothing(median: float, limit: int) -> None:
    history = [int(median), int(median + 0.5)]
    finding = breaker(limit, history, USUAL)
    assert (finding.median, finding.limit, finding.tripped) == (median, limit, False)
    assert breaker(limit + 1, history, USUAL).tripped


def test_one_run_is_enough_for_a_median() -> None:
    assert breaker(61, [20], USUAL) == BreakerFinding(tripped=True, planned=61, limit=60, median=20)


def test_runs_without_disposals_count() -> None:
    assert breaker(150, [0] * 16 + [40] * 14, USUAL).median == 0
    assert not breaker(150, [0] * 16 + [40] * 14, USUAL).tripped


def test_only_the_last_thirty_runs_count() -> None:
    assert breaker(0, [40] * 30 + [1000] * 70, USUAL).median == 40
    assert breaker(0, [1000] * 30 + [40] * 70, USUAL).median == 1000


def test_a_limit_of_zero_lets_nothing_through_unapproved() -> None:
    none = Limit(max=0)
    assert not breaker(0, [], none).tripped
    assert breaker(1, [40] * 30, none) == BreakerFinding(tripped=True, planned=1, limit=0, median=40)


@settings(deadline=None)
@given(st.integers(0, 2000), st.lists(st.integers(0, 500), max_size=60), st.integers(0, 500), st.integers(1, 5), st.integers(0, 50))
def test_a_plan_trips_exactly_when_one_of_the_two_rules_says_so(
    planned: int, history: list[int], most: int, factor: int, start: int
) -> None:
    finding = breaker(planned, history, Limit(max=most, factor=factor, median_from=start))
    last = sorted(history[:30])
    middle = (last[len(last) // 2] + last[(len(last) - 1) // 2]) / 2 if last else None
    assert finding.median == middle
    assert finding.tripped == (planned > most or (middle is not None and middle >= start and planned > factor * middle))
    assert finding.tripped == (planned > finding.limit)
