"""How many at once, how large, how soon: decisions of the governor, step by step and in the simulation."""

import math
from bisect import bisect_left
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from benchmarks.crm_model import SCENARIOS, Scenario
from benchmarks.throughput import FIXED, GOVERNED, Result, plot, simulate, table
from connectors.dynamics.pace.allowance import NOTHING_TOLD, Hints, hints_of
from connectors.dynamics.pace.governor import Governor, Observation, Pace, operations_of
from rules.errors import UsageError

PLENTY = Hints(requests_left=5_999, seconds_left=1_200)


class Bench:
    """A governor and a clock; batches that run one after the other, or as many at once as it lets."""

    def __init__(self, pace: Pace | None = None, most_operations: int = 100) -> None:
        self.governor = Governor(pace or Pace(), most_operations)
        self.now = 0.0

    def rounds(self, number: int, seconds: float, hints: Hints = PLENTY, operations: int = 10) -> None:
        """So many times: start all that may start, let them take so long, end them."""
        for _ in range(number):
            running = 0
            while (wait_s := self.governor.wait_s(self.now)) < math.inf:
                self.now += wait_s
                self.governor.begin(self.now, operations)
                running += 1
            self.now += seconds
            for _ in range(running):
                self.governor.observe(self.now, Observation(seconds, operations, 200, hints=hints))
                self.governor.end(operations)

    def answer(self, status: int = 200, seconds: float = 0.1, retry_after_s: float = 0.0, hints: Hints = PLENTY) -> None:
        self.governor.begin(self.now, 1)
        self.now += seconds
        self.governor.observe(self.now, Observation(seconds, 1, status, retry_after_s, hints))
        self.governor.end(1)


# -- what the headers say ------------------------------------------------------------------------------------


def test_the_headers_of_a_real_answer_are_read() -> None:
    """Reference, section 1.10: the time has a thousands separator, and this organisation's budget is 8,000
    requests."""
    headers = {
        "x-ms-dop-hint": "4",
        "x-ms-ratelimit-burst-remaining-xrm-requests": "7999",
        "x-ms-ratelimit-time-remaining-xrm-requests": "1,200.00",
        "Set-Cookie": "ARRAffinity=5ab1; path=/; secure; HttpOnly, ReqClientId=1; expires=Fri, 31-Dec-2076 23:00:00 GMT; path=/",
    }
    assert hints_of(headers) == Hints(7_999, 1_200, 4, "5ab1")


@pytest.mark.parametrize("text", ["", "many", "-1", "1e9", "1.200,00", "0x10", "9" * 40])
def test_a_header_that_is_no_number_tells_nothing(text: str) -> None:
    names = ("x-ms-dop-hint", "x-ms-ratelimit-burst-remaining-xrm-requests", "x-ms-ratelimit-time-remaining-xrm-requests")
    found = hints_of(dict.fromkeys(names, text))
    assert (found.requests_left, found.seconds_left, found.parallel) == (None, None, None)


# -- how many at once ----------------------------------------------------------------------------------------


def test_concurrency_starts_low_and_grows_by_one_a_round_while_answers_are_healthy() -> None:
    bench = Bench()
    assert bench.governor.limit == 2
    limits = []
    for _ in range(4):
        bench.rounds(1, 0.1)
        limits.append(bench.governor.limit)
    assert limits == [3, 4, 5, 6]


def test_what_is_not_used_does_not_grow() -> None:
    bench = Bench()
    for _ in range(50):
        bench.answer()
    assert bench.governor.limit == 2


def test_answers_that_take_twice_as_long_halve_it() -> None:
    bench = Bench()
    bench.rounds(6, 0.1)
    before = bench.governor.limit
    bench.rounds(2, 0.5)
    assert bench.governor.limit <= before // 2


def test_answers_that_stay_somewhat_slower_lead_to_fewer_at_once_later() -> None:
    bench = Bench()
    bench.rounds(6, 0.1)
    before = bench.governor.limit
    bench.rounds(3, 0.15)
    assert bench.governor.limit == before, "a slow moment is no reason yet"
    bench.rounds(12, 0.15)
    assert bench.governor.limit < before


def test_work_that_is_slow_by_itself_is_found_out_and_concurrency_comes_back() -> None:
    """Notes first, cascades then: alone, an answer cannot be slow because of us."""
    bench = Bench(most_operations=10)
    bench.rounds(6, 0.05)
    bench.rounds(4, 5.0)
    assert bench.governor.limit == 1
    bench.rounds(25, 5.0)
    assert bench.governor.limit >= 3


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_lost_answer_or_a_failing_server_halves_it(status: int) -> None:
    bench = Bench()
    bench.rounds(4, 0.1)
    before = bench.governor.limit
    bench.answer(status)
    assert bench.governor.limit == before // 2


@pytest.mark.parametrize(
    ("pace", "parallel", "ceiling"),
    [
        (Pace(concurrency=52), None, 39),  # a quarter of the documented 52 is left free
        (Pace(concurrency=52, reserved_share=0), None, 52),
        (Pace(concurrency=5), 40, 5),
        (Pace(concurrency=52), 4, 4),
        (Pace(concurrency=52, shared_by=2), 8, 4),
        (Pace(concurrency=52), 1, 2),
    ],
)
def test_it_never_exceeds_settings_limits_or_what_the_crm_recommends(pace: Pace, parallel: int | None, ceiling: int) -> None:
    bench = Bench(pace)
    bench.rounds(60, 0.01, Hints(parallel=parallel))
    assert bench.governor.limit == ceiling


def test_a_second_web_server_doubles_what_the_crm_recommends() -> None:
    bench = Bench()
    bench.answer(hints=Hints(5_999, 1_200, 4, "one"))
    assert bench.governor.ceiling == 4
    bench.answer(hints=Hints(5_999, 1_200, 4, "two"))
    assert bench.governor.ceiling == 8


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"concurrency": 53}, {"reserved_share": -0.1}, {"reserved_share": 1.0}])
def test_a_pace_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Pace(**wrong)  # type: ignore[arg-type]


# -- 429 -----------------------------------------------------------------------------------------------------


def test_a_429_stops_batches_and_reads_until_retry_after_has_passed() -> None:
    bench = Bench()
    bench.answer(429, retry_after_s=37)
    assert bench.governor.wait_s(bench.now) == bench.governor.read_wait_s(bench.now) == 37
    bench.now += 36.9
    assert bench.governor.wait_s(bench.now) == 0.25, "rounded up: the CRM counts in whole seconds"
    bench.now += 0.2
    assert bench.governor.wait_s(bench.now) == 0


def test_several_429s_of_one_moment_count_once_and_the_longest_wait_holds() -> None:
    bench = Bench()
    bench.rounds(6, 0.1)
    before = bench.governor.limit
    for retry_after_s in (5, 9, 7):
        bench.governor.observe(bench.now, Observation(0.01, 1, 429, retry_after_s))
    assert bench.governor.limit == before // 2
    assert bench.governor.wait_s(bench.now) == 9


# -- how much ------------------------------------------------------------------------------------------------


def started(bench: Bench, until: float, seconds: float = 0.0, hints: Hints = NOTHING_TOLD, operations: int = 1) -> list[float]:
    """When batches start until then, each as soon as it may."""
    starts = []
    while bench.now < until:
        wait_s = bench.governor.wait_s(bench.now)
        if wait_s > 0:
            bench.now += wait_s
            continue
        starts.append(bench.now)
        bench.governor.begin(bench.now, operations)
        bench.now += seconds
        bench.governor.observe(bench.now, Observation(seconds, operations, 200, hints=hints))
        bench.governor.end(operations)
    return starts


def test_half_of_the_allowance_goes_at_once_and_the_rest_evenly() -> None:
    """A short run is quick, a long one steady: never a burst and then a standstill."""
    starts = started(Bench(), 900.0)
    assert sum(start == 0.0 for start in starts) >= 4_500 // 2
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert max(gaps) < 7.0
    assert 0.95 * 4_500 <= sum(600 <= start < 900 for start in starts) <= 4_500


@pytest.mark.parametrize(("share", "most"), [(0.25, 4_500), (0.5, 3_000), (0.0, 5_700)])
def test_the_share_of_others_is_left_free_in_every_window(share: float, most: int) -> None:
    starts = started(Bench(Pace(reserved_share=share)), 700.0)
    assert max(bisect_left(starts, start + 300) - bisect_left(starts, start) for start in starts[::50]) <= most


def test_execution_time_is_an_allowance_of_its_own() -> None:
    """Section 7.1: four busy threads use all of it; three quarters are three."""
    starts = started(Bench(Pace(concurrency=1), most_operations=1), 1_800.0, seconds=1.0)
    assert len(starts) >= 1_795, "one thread alone stays below and never waits"
    bench = Bench(Pace(reserved_share=0.8), most_operations=1)
    assert len(started(bench, 1_800.0, seconds=1.0)) == pytest.approx(1_800 * 4 * 0.2, rel=0.05)


def test_a_budget_that_the_headers_show_to_be_larger_is_used() -> None:
    bench = Bench()
    bench.answer(hints=Hints(7_999))
    assert bench.governor.allowance.servers[""].requests.budget == 8_000


def test_what_others_use_under_the_same_user_is_not_ours_to_use() -> None:
    bench = Bench()
    bench.answer(seconds=0.0, hints=Hints(5_999))
    assert bench.governor.read_wait_s(bench.now) == 0
    bench.answer(seconds=0.0, hints=Hints(1_400))  # four thousand and more have gone elsewhere: the reserve is touched
    assert bench.governor.read_wait_s(bench.now) > 0


def test_a_shorter_window_than_the_documented_one_is_found_out() -> None:
    """The server counts fewer requests than were sent: it has forgotten some."""
    bench = Bench(most_operations=1)
    sent: list[float] = []
    while bench.now < 60:
        wait_s = bench.governor.wait_s(bench.now)
        if wait_s > 0:
            bench.now += wait_s
            continue
        left = 60 - 1 - sum(one > bench.now - 3 for one in sent)
        assert left >= 0, "no 429"
        sent.append(bench.now)
        bench.answer(seconds=0.01, hints=Hints(left, 1_200, 4, "one"))
    assert bench.governor.allowance.window_s == pytest.approx(3, abs=0.5)
    assert sum(30 <= one < 60 for one in sent) >= 0.9 * 45 * 10


def test_without_headers_the_documented_limits_hold() -> None:
    assert len(started(Bench(), 299.0)) <= 4_500


# -- how large -----------------------------------------------------------------------------------------------


def test_batches_start_small_and_grow_with_what_a_request_takes() -> None:
    bench = Bench()
    assert bench.governor.operations == 10
    bench.rounds(1, 0.1)
    assert 10 < bench.governor.operations <= 40
    bench.rounds(4, 0.1)
    assert bench.governor.operations == 100, "the environment's own limit"


def test_a_request_does_not_take_longer_than_ten_seconds() -> None:
    bench = Bench()
    bench.rounds(5, 0.1)
    bench.governor.begin(bench.now, 100)
    bench.governor.observe(bench.now + 40, Observation(40.0, 100, 200))
    bench.governor.end(100)
    assert bench.governor.operations <= 20
    assert bench.governor.operations * 0.4 <= 10


def test_little_work_is_shared_by_all_who_may_run() -> None:
    governor = Governor(Pace(first_operations=10), 100)
    governor.operations = 100
    assert operations_of(governor, waiting=1_000, slots=4) == 100
    assert operations_of(governor, waiting=120, slots=4) == 30
    assert operations_of(governor, waiting=8, slots=4) == 10


# -- the simulation ------------------------------------------------------------------------------------------


@cache
def governed(scenario: Scenario) -> Result:
    return simulate(scenario, GOVERNED)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_in_the_simulation_the_governor_reaches_nine_tenths_of_the_ceiling_without_an_avoidable_429(scenario: Scenario) -> None:
    result = governed(scenario)
    assert result.ratio >= 0.90
    assert result.avoidable == result.refused == 0
    assert result.least_free >= 0.24, "the share of others, but for a whole second here and there"


@pytest.mark.parametrize("workers", FIXED)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fixed_concurrency_does_as_well(scenario: Scenario, workers: int) -> None:
    assert simulate(scenario, str(workers)).rows_a_second < governed(scenario).rows_a_second


def test_with_all_of_the_limits_for_itself_the_governor_still_meets_none() -> None:
    result = simulate(replace(SCENARIOS[0], duration_s=900.0), GOVERNED, reserved_share=0.0)
    assert result.refused == 0
    assert result.ratio >= 0.90


def test_the_results_are_shown_as_a_table_and_a_picture() -> None:
    short = (replace(SCENARIOS[0], duration_s=60.0),)
    results = [simulate(short[0], client) for client in (GOVERNED, *map(str, FIXED))]
    assert table(results, short).count("\n") == 2 + 5
    picture = plot(results, short)
    assert picture.startswith("<svg")
    assert "fixed 52" in picture


def test_reads_beyond_the_allowance_are_not_let_through_one_after_the_other() -> None:
    """A look whether the CRM still counts what we do is one request, not all that follow."""
    governor = Governor(Pace(requests=100, window_s=300.0), 100)
    now = 0.0
    for number in range(400):
        while (wait_s := governor.read_wait_s(now)) > 0:
            now += wait_s
        now += 0.01
        governor.observe(now, Observation(0.01, 0, 200, hints=Hints(float(max(0, 100 - number)), 1_000.0)))
        if now > 200.0:
            break
    assert number <= 75 + 100, "three quarters of the limit, then a look every two seconds"
