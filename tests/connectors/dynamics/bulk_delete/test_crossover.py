"""Which way is expected to be quicker, from what both have cost."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.bulk_delete.crossover import TRIAL_ROWS, Crossover

rows = st.integers(1, 2_000)
seconds = st.floats(0.001, 5_000.0, allow_nan=False)
jobs = st.lists(st.tuples(rows, seconds), max_size=12)
batches = st.lists(st.tuples(rows, seconds), max_size=12)


def learnt(seen_jobs: list[tuple[int, float]], seen_batches: list[tuple[int, float]]) -> Crossover:
    crossover = Crossover()
    for each, took in seen_batches:
        crossover.saw_batches(each, took)
    for each, took in seen_jobs:
        crossover.saw_job(each, took)
    return crossover


def test_the_first_figures_are_those_of_the_reference() -> None:
    crossover = Crossover()
    assert round(crossover.job_s(25)) == 50
    assert round(crossover.job_s(500)) == 150
    assert crossover.batches_s(500) == 500
    assert 50 <= (crossover.rows or 0) <= 70


def test_a_first_job_is_tried_only_for_a_large_number() -> None:
    crossover = Crossover()
    assert not crossover.prefers_job(TRIAL_ROWS - 1)
    assert crossover.prefers_job(TRIAL_ROWS)


def test_no_job_is_tried_where_batches_are_quick() -> None:
    crossover = learnt([], [(100, 1.0)])
    assert not crossover.prefers_job(1_000)
    assert crossover.rows is None


@given(jobs, batches, rows)
def test_where_a_job_is_quicker_it_is_so_for_more_rows_too(
    seen_jobs: list[tuple[int, float]], seen_batches: list[tuple[int, float]], number: int
) -> None:
    crossover = learnt(seen_jobs, seen_batches)
    assert crossover.job_s(number) <= crossover.job_s(number + 1)
    assert not crossover.prefers_job(number) or crossover.prefers_job(number + 1)


@given(jobs, st.floats(0.0, 100.0), st.floats(0.001, 2.0))
def test_what_jobs_cost_is_learnt(seen_jobs: list[tuple[int, float]], start_s: float, row_s: float) -> None:
    crossover = learnt(seen_jobs, [])
    for number in (100, 900, 300, 600) * 20:
        crossover.saw_job(number, start_s + row_s * number)
    for number in (100, 450, 1_000):
        assert abs(crossover.job_s(number) - (start_s + row_s * number)) <= 0.02 * (start_s + row_s * number) + 0.01


@given(batches, st.floats(0.001, 2.0))
def test_what_batches_cost_is_learnt(seen_batches: list[tuple[int, float]], row_s: float) -> None:
    crossover = learnt([], seen_batches)
    for _ in range(60):
        crossover.saw_batches(100, 100 * row_s)
    assert abs(crossover.batches_s(500) - 500 * row_s) <= 0.01 * 500 * row_s + 0.01


@given(st.floats(1.0, 60.0), st.floats(0.001, 0.1), st.floats(0.2, 2.0))
def test_the_number_from_which_jobs_are_used_is_where_both_cost_the_same(start_s: float, job_row_s: float, batch_row_s: float) -> None:
    crossover = learnt([(number, start_s + job_row_s * number) for number in (100, 900) * 30], [(100, 100 * batch_row_s)] * 3)
    found = crossover.rows
    assert found is not None
    assert crossover.prefers_job(found + 1)
    assert found < 2 or not crossover.prefers_job(found - 1)


def test_a_slow_job_is_not_repeated_for_as_few_rows() -> None:
    crossover = learnt([], [(100, 20.0)])
    assert crossover.prefers_job(900)
    crossover.saw_job(900, 900.0)
    assert not crossover.prefers_job(900)
