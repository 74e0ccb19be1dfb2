"""Which runs are in a list: by kind, by state, and by the civil day on which they began."""

from datetime import UTC, date, datetime

import pytest

from jobs.history.wanted_runs import Wanted, listed, midnight
from jobs.model.run import RunLine, RunState
from jobs.runs.run_states import state_of
from rules.dates.calendar import BELGIAN

LINES = (
    RunLine("d", "recordings", RunState.RUNNING, datetime(2026, 11, 25, 1, tzinfo=UTC)),
    RunLine("c", "retention", RunState.RUNNING, datetime(2026, 11, 24, 1, tzinfo=UTC)),
    RunLine("b", "retention", RunState.DONE, datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),  # midnight of the 23rd in Brussels
    RunLine("a", "housekeeping", RunState.DONE_WITH_FAILURES, datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC)),
)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), "dcba"),
        (Wanted(kind="retention"), "cb"),
        (Wanted(state="done"), "b"),
        (Wanted(state="running"), "d"),
        (Wanted(state="interrupted"), "c"),
        (Wanted(first=date(2026, 11, 23)), "dcb"),
        (Wanted(last=date(2026, 11, 22)), "a"),
        (Wanted(first=date(2026, 11, 23), last=date(2026, 11, 23)), "b"),
        (Wanted(first=date(2026, 11, 24), last=date(2026, 11, 23)), ""),
        (Wanted(kind="retention", state="done", first=date(2026, 11, 24)), ""),
    ],
)
def test_what_is_wanted_is_listed_in_the_order_in_which_it_came(wanted: Wanted, ids: str) -> None:
    """Both days are included, whole, as the schedule counts them."""
    assert "".join(line.id for line in listed(LINES, wanted, BELGIAN, at_work={"d"})) == ids
    assert wanted.is_anything is (ids == "dcba")


def test_a_run_that_nobody_works_on_is_told_as_interrupted_and_one_that_ended_as_it_ended() -> None:
    assert [state_of(line, ()) for line in LINES] == ["interrupted", "interrupted", "done", "done_with_failures"]
    assert [state_of(line, {line.id}) for line in LINES] == ["running", "running", "done", "done_with_failures"]


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),  # winter still: the clock goes on at two
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_midnight_of_its_own_season(day: date, instant: datetime) -> None:
    assert midnight(day, BELGIAN) == instant
