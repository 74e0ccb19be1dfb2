"""Days and hours as people of the three languages type them."""

from datetime import date

import pytest

from crm_compliance.console.language.days import iso_day, iso_hour, typed_day


@pytest.mark.parametrize("typed", ["25/11/2026", "25-11-2026", "25.11.2026", "25 11 2026", "2026-11-25"])
def test_the_day_stands_before_the_month(typed: str) -> None:
    assert iso_day(typed) == "2026-11-25"


@pytest.mark.parametrize("typed", ["", "5/6/26", "2012", "25/11", "11/2026", "٢٥/١١/٢٠٢٦", "tomorrow"])
def test_what_may_mean_several_days_is_left_for_whoever_refuses_it(typed: str) -> None:
    assert iso_day(typed) == typed


def test_a_day_that_there_is_not_becomes_no_other() -> None:
    with pytest.raises(ValueError, match="day"):
        date.fromisoformat(iso_day("31/02/2026"))
    with pytest.raises(ValueError, match="month"):
        date.fromisoformat(iso_day("11/25/2026"))


@pytest.mark.parametrize(("typed", "hour"), [("9:05", "09:05"), ("9.05", "09:05"), ("9u05", "09:05"), ("9h05", "09:05"), ("noon", "noon")])
def test_an_hour_is_typed_as_people_write_it(typed: str, hour: str) -> None:
    assert iso_hour(typed) == hour


def test_a_field_shows_what_it_would_take() -> None:
    assert typed_day(date(2026, 3, 4)) == typed_day("2026-03-04") == "04/03/2026"
    assert iso_day(typed_day("2026-03-04")) == "2026-03-04"
    assert (typed_day("2012"), typed_day(None), typed_day("")) == ("2012", "", "")
