"""What waits is counted by the day on which a plan first found it: due after so many days, overdue from the
next one on (RET-14)."""

from datetime import date, timedelta

from jobs.model.work_queue import Waiting, WorkQueue, queue_of

DAY = date(2026, 11, 25)


def since(*ages: int) -> dict[str, Waiting]:
    return {str(number): Waiting("cf_fiche", DAY - timedelta(days=age)) for number, age in enumerate(ages)}


def test_a_unit_is_overdue_from_the_day_after_it_was_due() -> None:
    assert queue_of(since(29, 30, 31), "dpo", 30, DAY) == WorkQueue("dpo", 30, units=3, overdue=1, oldest_days=31)


def test_an_empty_queue_has_no_age() -> None:
    assert queue_of({}, "dpo", 30, DAY) == WorkQueue("dpo", 30)


def test_a_unit_that_came_by_a_clock_ahead_of_this_one_has_waited_for_no_day() -> None:
    assert queue_of(since(-2), "dpo", 0, DAY) == WorkQueue("dpo", 0, units=1)
    assert queue_of(since(-3, -2, 0, 1), "dpo", 0, DAY) == WorkQueue("dpo", 0, units=4, overdue=1, oldest_days=1)
