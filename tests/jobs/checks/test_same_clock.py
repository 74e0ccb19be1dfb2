"""How far the CRM's clock and ours may be apart: five minutes either way, which no network explains."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs.checks.same_clock import ClocksDiffer, refuse_other_clock
from tests.drivers.night import Night


def look(night: Night, monkeypatch: pytest.MonkeyPatch, theirs: datetime | None, *, compares_clocks: bool = True) -> None:
    monkeypatch.setattr(night.connector, "server_time", lambda: theirs)
    refuse_other_clock(replace(night.context, compares_clocks=compares_clocks))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_no_difference(night: Night, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    look(night, monkeypatch, night.clock() + timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "told"), [(-301, "301 s behind this machine's"), (301, "301 s ahead of this machine's")])
def test_a_second_more_is_refused_and_told_which_way(night: Night, monkeypatch: pytest.MonkeyPatch, seconds: int, told: str) -> None:
    with pytest.raises(ClocksDiffer, match=told) as caught:
        look(night, monkeypatch, night.clock() + timedelta(seconds=seconds))
    assert (caught.value.exit_code, caught.value.code) == (4, "clock")


def test_a_crm_that_tells_no_time_and_a_clock_that_was_set_are_compared_with_nothing(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    look(night, monkeypatch, None)
    look(night, monkeypatch, night.clock() + timedelta(days=400), compares_clocks=False)
