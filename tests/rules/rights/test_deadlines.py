"""When an answer is due (section 8): the worked examples, the edges, and a comparison with another library's
months."""

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from rules.dates.calendar import BELGIAN, Calendar, rolled
from rules.rights.deadlines import Stop, days_stopped, due_on, is_overdue, may_extend, stops_clock


def day(text: str) -> date:
    return date.fromisoformat(text)


# number, received, extended, asked, answered, days stopped, due
EXAMPLES = [
    ("L-01", "2026-03-02", False, None, None, 0, "2026-04-02"),
    ("L-02", "2026-01-31", False, None, None, 0, "2026-03-02"),
    ("L-03", "2028-01-31", False, None, None, 0, "2028-02-29"),
    ("L-04", "2026-01-30", False, None, None, 0, "2026-03-02"),
    ("L-05", "2026-02-28", False, None, None, 0, "2026-03-30"),
    ("L-06", "2026-08-31", False, None, None, 0, "2026-09-30"),
    ("L-07", "2026-03-05", False, None, None, 0, "2026-04-07"),
    ("L-08", "2026-03-06", False, None, None, 0, "2026-04-07"),
    ("L-09", "2026-04-01", False, None, None, 0, "2026-05-04"),
    ("L-10", "2026-04-14", False, None, None, 0, "2026-05-15"),
    ("L-11", "2026-04-25", False, None, None, 0, "2026-05-26"),
    ("L-12", "2026-06-21", False, None, None, 0, "2026-07-22"),
    ("L-13", "2026-07-15", False, None, None, 0, "2026-08-17"),
    ("L-14", "2026-10-01", False, None, None, 0, "2026-11-02"),
    ("L-15", "2026-10-11", False, None, None, 0, "2026-11-12"),
    ("L-16", "2026-11-25", False, None, None, 0, "2026-12-28"),
    ("L-17", "2026-12-01", False, None, None, 0, "2027-01-04"),
    ("L-18", "2025-12-31", False, None, None, 0, "2026-02-02"),
    ("L-19", "2026-03-02", True, None, None, 0, "2026-06-02"),
    ("L-20", "2026-01-31", True, None, None, 0, "2026-04-30"),
    ("L-21", "2026-11-30", True, None, None, 0, "2027-03-01"),
    ("L-22", "2026-02-25", True, None, None, 0, "2026-05-26"),
    ("L-23", "2026-03-02", False, "2026-03-04", "2026-03-14", 10, "2026-04-13"),
    ("L-24", "2026-06-08", False, "2026-06-10", "2026-06-10", 0, "2026-07-08"),
    ("L-25", "2026-05-29", False, "2026-06-02", "2026-07-07", 35, "2026-08-03"),
    ("L-26", "2026-01-12", True, "2026-01-14", "2026-01-30", 16, "2026-04-28"),
    ("L-27", "2026-09-15", False, None, None, 0, "2026-10-15"),
    ("L-28", "2027-02-26", False, None, None, 0, "2027-03-26"),
]


@pytest.mark.parametrize(
    ("number", "received", "extended", "asked", "answered", "stopped", "due"), EXAMPLES, ids=[row[0] for row in EXAMPLES]
)
def test_the_worked_examples(
    number: str, received: str, extended: bool, asked: str | None, answered: str | None, stopped: int, due: str
) -> None:
    """L-01 to L-28; with them R-129 to R-134 and R-136."""
    stops = (Stop(day(asked), day(answered)),) if asked is not None and answered is not None else ()
    assert all(stops_clock(day(received), stop.asked_on) for stop in stops)
    assert days_stopped(stops) == stopped
    assert due_on(day(received), extended=extended, stops=stops) == day(due)


def test_all_examples_are_there() -> None:
    assert [row[0] for row in EXAMPLES] == [f"L-{number:02}" for number in range(1, 29)]


def test_r133_the_receipt_is_a_day_in_brussels() -> None:
    """R-133, L-27: ten past midnight."""
    assert BELGIAN.day(datetime(2026, 9, 14, 22, 10, tzinfo=UTC)) == day("2026-09-15")


DAYS = st.dates(date(2018, 5, 25), date(2090, 12, 31))


@given(DAYS, st.booleans(), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 60)), max_size=4))
def test_due_dates_agree_with_another_librarys_months(received: date, extended: bool, questions: list[tuple[int, int]]) -> None:
    """Months by python-dateutil, stopped days counted one by one."""
    stops = [Stop(received + timedelta(days=n), received + timedelta(days=n + more)) for n, more in questions]
    stood_still = {stop.asked_on + timedelta(days=n) for stop in stops for n in range((stop.answered_on - stop.asked_on).days)}  # type: ignore[operator]
    nominal = received + relativedelta(months=3 if extended else 1) + timedelta(days=len(stood_still))
    assert due_on(received, extended=extended, stops=stops) == rolled(nominal)


@given(DAYS, st.integers(0, 40))
def test_an_open_question_leaves_no_due_date(received: date, after: int) -> None:
    asked = received + timedelta(days=after)
    assert due_on(received, stops=[Stop(received, received), Stop(asked, None)]) is None


@given(DAYS)
def test_an_extension_never_makes_an_answer_due_earlier(received: date) -> None:
    plain, extended = due_on(received, stops=()), due_on(received, extended=True, stops=())
    assert plain is not None
    assert extended is not None
    assert received < plain < extended


def test_overlapping_questions_count_once() -> None:
    """DDL-07."""
    first = Stop(day("2026-03-03"), day("2026-03-13"))
    inside = Stop(day("2026-03-04"), day("2026-03-06"))
    across = Stop(day("2026-03-09"), day("2026-03-16"))
    assert days_stopped([first]) == 10
    assert days_stopped([inside, first]) == 10
    assert days_stopped([across, first, inside]) == 13


def test_r137_a_question_within_five_working_days_stops_the_clock() -> None:
    """R-137; none before the receipt does."""
    received = day("2026-06-05")
    assert stops_clock(received, day("2026-06-12"))
    assert not stops_clock(received, day("2026-06-15"))
    assert not stops_clock(received, day("2026-06-04"))
    assert stops_clock(received, day("2026-06-15"), Calendar(extra=frozenset({day("2026-06-12")})))


def test_r135_an_extension_is_told_before_the_first_due_date_is_over() -> None:
    """R-135, DDL-06: to the last second in Brussels."""
    received = day("2026-03-02")
    assert may_extend(received, datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC), stops=())
    assert not may_extend(received, datetime(2026, 4, 2, 22, tzinfo=UTC), stops=())
    assert may_extend(received, datetime(2026, 4, 3, 10, tzinfo=UTC), stops=[Stop(day("2026-03-04"), day("2026-03-14"))])
    assert may_extend(received, datetime(2026, 6, 1, 10, tzinfo=UTC), stops=[Stop(day("2026-03-04"), None)])


def test_r138_overdue_begins_with_the_day_after() -> None:
    """R-138, DDL-11; while the clock stands still nothing is overdue."""
    due = day("2026-04-02")
    assert not is_overdue(due, datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC))
    assert is_overdue(due, datetime(2026, 4, 2, 22, tzinfo=UTC))
    assert not is_overdue(None, datetime(2030, 1, 1, tzinfo=UTC))
