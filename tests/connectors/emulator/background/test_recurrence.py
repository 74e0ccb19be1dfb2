"""When a job that recurs runs next."""

from datetime import UTC, datetime

import pytest

from connectors.emulator.background.recurrence import parse_recurrence


@pytest.mark.parametrize(
    ("pattern", "start", "moment", "following"),
    [
        ("FREQ=MONTHLY;INTERVAL=1;", "2026-01-31", "2026-02-10", "2026-02-28"),
        ("FREQ=MONTHLY;INTERVAL=1;", "2026-01-31", "2026-02-28", "2026-03-31"),
        ("FREQ=YEARLY", "2024-02-29", "2024-03-01", "2025-02-28"),
        ("FREQ=WEEKLY;INTERVAL=2", "2026-01-01", "2026-01-01", "2026-01-15"),
        ("FREQ=DAILY;INTERVAL=1", "2026-06-01", "2026-01-01", "2026-06-01"),
    ],
)
def test_the_next_run_is_counted_from_the_start(pattern: str, start: str, moment: str, following: str) -> None:
    recurrence = parse_recurrence(pattern)
    assert recurrence is not None
    begin, now = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, moment))
    assert recurrence.next(begin, now).date().isoformat() == following
