"""What may stand instead of a date or a number: a band that is published (section 5.2, R-093)."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.anonymisation.bands import AGE_BANDS, DURATION_BANDS, age_band, duration_band, fiches_band, sex


def test_the_age_is_in_completed_years() -> None:
    """R-093."""
    assert age_band(date(2011, 3, 1), date(2023, 2, 28)) == "6-11"
    assert age_band(date(2011, 3, 1), date(2023, 3, 1)) == "12-14"


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-5"), (5, "0-5"), (6, "6-11"), (11, "6-11"), (12, "12-14"), (14, "12-14"),
        (15, "15-17"), (17, "15-17"), (18, "18-24"), (24, "18-24"), (25, "25+"), (80, "25+"),
    ],
)  # fmt: skip
def test_each_age_has_its_band(age: int, band: str) -> None:
    assert age_band(date(1940, 6, 15), date(1940 + age, 6, 15)) == band


def test_the_birthday_of_29_february_comes_on_1_march() -> None:
    assert age_band(date(2008, 2, 29), date(2026, 2, 28)) == "15-17"
    assert age_band(date(2008, 2, 29), date(2026, 3, 1)) == "18-24"


def test_without_both_dates_or_before_birth_the_age_is_unknown() -> None:
    assert age_band(None, date(2026, 1, 1)) == age_band(date(2010, 1, 1), None) == "unknown"
    assert age_band(date(2026, 1, 2), date(2026, 1, 1)) == "unknown"


@settings(deadline=None)
@given(st.dates(), st.dates())
def test_a_later_opening_never_gives_a_younger_band(birth_on: date, opened_on: date) -> None:
    assume(birth_on <= opened_on < date.max)
    assert AGE_BANDS.index(age_band(birth_on, opened_on + timedelta(days=1))) >= AGE_BANDS.index(age_band(birth_on, opened_on))


@pytest.mark.parametrize(
    ("days", "band"),
    [(0, "same_day"), (1, "2d"), (2, "2d"), (3, "7d"), (7, "7d"), (8, "31d"), (31, "31d"), (32, "1y"), (365, "1y"), (366, "longer")],
)
def test_a_duration_has_its_band(days: int, band: str) -> None:
    assert duration_band(date(2025, 1, 10), date(2025, 1, 10) + timedelta(days=days)) == band
    assert band in DURATION_BANDS


def test_a_leap_year_is_one_year() -> None:
    assert duration_band(date(2024, 1, 10), date(2025, 1, 10)) == "1y"
    assert duration_band(date(2024, 2, 29), date(2025, 3, 1)) == "longer"


def test_a_duration_needs_two_dates_in_order() -> None:
    assert duration_band(None, date(2025, 1, 1)) is duration_band(date(2025, 1, 1), None) is None
    assert duration_band(date(2025, 1, 2), date(2025, 1, 1)) is None


def test_a_number_of_fiches_has_its_band() -> None:
    assert [fiches_band(n) for n in (0, 1, 2, 5, 6, 400)] == [None, "1", "2-5", "2-5", "6+", "6+"]


def test_a_sex_that_is_not_known_is_unknown() -> None:
    assert [sex(key) for key in ("f", "m", "x", None, "", "4", "unknown")] == ["f", "m", "x", "unknown", "unknown", "unknown", "unknown"]
