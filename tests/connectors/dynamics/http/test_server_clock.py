"""The CRM's clock by the median of its answers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors.dynamics.bulk_delete.jobs import start_of
from connectors.dynamics.http.server_clock import ServerClock

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Ticks:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def heard(*hours: float, ticks: Ticks | None = None) -> ServerClock:
    """A clock that heard answers, each off from noon by so many hours."""
    clock = ServerClock(ticks or Ticks())
    for off in hours:
        clock.hear(format_datetime(NOON + timedelta(hours=off), usegmt=True))
    return clock


@pytest.mark.parametrize("hours", [(0, 0, 2), (2, 0, 0, 0, 0), (0, -24_000, 0), (0, 2, -2, 0, 0)])
def test_an_answer_that_tells_another_hour_moves_nothing(hours: tuple[float, ...]) -> None:
    assert heard(*hours).now() == NOON


def test_the_clock_goes_on_by_ticks_that_nobody_sets() -> None:
    ticks = Ticks()
    clock = heard(0, 0, 0, ticks=ticks)
    ticks.now += 90
    assert clock.now() == NOON + timedelta(seconds=90)


def test_a_clock_that_is_set_is_followed() -> None:
    assert heard(*[0] * 25, *[1] * 13).now() == NOON + timedelta(hours=1)


@pytest.mark.parametrize("told", [None, "", "yesterday", "Wed, 99 Nov 2026 02:30:00 GMT"])
def test_what_is_no_date_is_passed_over(told: str | None) -> None:
    clock = ServerClock(Ticks())
    clock.hear(told)
    assert (clock.now(), clock.has_heard_enough) == (None, False)
    assert start_of(clock) == "2000-01-01T00:00:00Z"


def test_a_job_of_the_crm_may_start_at_once_whatever_one_answer_says() -> None:
    assert start_of(heard(0, 0, 2)) == "2026-11-25T11:55:00Z"
