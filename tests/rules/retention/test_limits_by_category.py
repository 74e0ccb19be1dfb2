"""Limits of single categories trip above their lowest ceiling, never at it (RET-24)."""

from hypothesis import given
from hypothesis import strategies as st

from rules.policy.limits import CategoryLimit
from rules.retention.breaker import CategoryFinding, category_breaker


def test_a_category_without_a_limit_never_trips() -> None:
    assert category_breaker(10_000, 10_000, [1] * 30, CategoryLimit()) == CategoryFinding(False, 10_000, None, 1)


def test_a_category_of_exactly_its_limit_goes_through() -> None:
    limit = CategoryLimit(max=5)
    assert not category_breaker(5, 100, [], limit).tripped
    assert category_breaker(6, 100, [], limit) == CategoryFinding(True, 6, 5, None)


def test_a_share_is_counted_of_the_units_that_were_read() -> None:
    limit = CategoryLimit(percent=10)
    assert category_breaker(19, 199, [], limit).limit == 19
    assert not category_breaker(19, 199, [], limit).tripped
    assert category_breaker(20, 199, [], limit).tripped


def test_a_category_is_held_against_its_own_history() -> None:
    limit = CategoryLimit(factor=3, median_from=10)
    assert category_breaker(36, 100, [12] * 30, limit) == CategoryFinding(False, 36, 36, 12)
    assert category_breaker(37, 100, [12] * 30, limit).tripped
    assert category_breaker(37, 100, [9] * 30, limit) == CategoryFinding(False, 37, None, 9)
    assert category_breaker(37, 100, [], limit) == CategoryFinding(False, 37, None, None)


@given(
    planned=st.integers(0, 500),
    read=st.integers(0, 500),
    most=st.none() | st.integers(0, 500),
    percent=st.none() | st.integers(0, 100),
    history=st.lists(st.integers(0, 200), max_size=40),
)
def test_a_further_limit_never_lets_more_through(
    planned: int, read: int, most: int | None, percent: int | None, history: list[int]
) -> None:
    loose = category_breaker(planned, read, history, CategoryLimit(max=most))
    strict = category_breaker(planned, read, history, CategoryLimit(max=most, percent=percent, factor=2, median_from=1))
    assert strict.tripped or not loose.tripped
    assert strict.limit is None or loose.limit is None or strict.limit <= loose.limit
