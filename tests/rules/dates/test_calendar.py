"""Belgian working days (DDL-04, DDL-05)."""

from datetime import date, timedelta

import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from rules.dates.calendar import Calendar, are_known, is_working_day, rolled, working_day_after

DAYS = st.dates(date(2018, 5, 25), date(2100, 12, 31))


@given(st.integers(2018, 2100))
def test_the_public_holidays_are_the_ten_of_the_act(year: int) -> None:
    """Against the dates of Easter by another library."""
    sunday = easter(year)
    fixed = [(1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)]
    movable = [sunday + timedelta(days=1), sunday + timedelta(days=39), sunday + timedelta(days=50)]
    expected = {date(year, month, day) for month, day in fixed} | set(movable)
    first = date(year, 1, 1)
    days = [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]
    found = {day for day in days if not is_working_day(day) and day.weekday() < 5}
    assert found == {day for day in expected if day.weekday() < 5}


@pytest.mark.parametrize("day", [(2027, 3, 26), (2026, 11, 2), (2027, 11, 15), (2028, 12, 26), (2026, 5, 15), (2025, 7, 11), (2024, 9, 27)])
def test_other_days_off_are_working_days(day: tuple[int, int, int]) -> None:
    """Good Friday, All Souls, the King's feast, Boxing Day, bridge days and days of the communities are none
    (DDL-05)."""
    assert is_working_day(date(*day))


def test_days_of_the_organisation_count_where_it_names_them() -> None:
    off = Calendar(extra=frozenset({date(2026, 12, 28)}))
    assert is_working_day(date(2026, 12, 28))
    assert not is_working_day(date(2026, 12, 28), off)
    assert rolled(date(2026, 12, 25), off) == date(2026, 12, 29)


@pytest.mark.parametrize(
    ("country", "day", "off"),
    [
        ("BE", date(2026, 7, 21), True),
        ("NL", date(2026, 7, 21), False),
        ("NL", date(2026, 4, 27), True),
        ("BE", date(2026, 4, 27), False),
        ("DE", date(2026, 6, 4), False),
        ("DE-NW", date(2026, 6, 4), True),
        ("LU", date(2026, 6, 23), True),
    ],
)
def test_public_holidays_are_those_of_the_country(country: str, day: date, off: bool) -> None:
    """DDL-05: of another country, or of a part of one."""
    assert is_working_day(day, Calendar(country)) is not off


@pytest.mark.parametrize(("country", "known"), [("BE", True), ("DE-NW", True), ("DE-XX", False), ("XQ", False), ("Belgium", False)])
def test_a_country_of_which_no_holidays_are_known_is_none(country: str, known: bool) -> None:
    assert are_known(country) is known


@given(DAYS)
def test_rolling_never_goes_back_and_ends_on_the_first_working_day(day: date) -> None:
    end = rolled(day)
    assert is_working_day(end)
    assert not any(is_working_day(day + timedelta(days=n)) for n in range((end - day).days))


@given(DAYS, st.integers(1, 12))
def test_the_day_itself_is_not_counted(day: date, count: int) -> None:
    """DDL-07: the first working day after the receipt is 1."""
    end = working_day_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(is_working_day(each) for each in between) == count
    assert is_working_day(end)


def test_r137_the_fifth_working_day_after_a_friday_is_the_next_friday() -> None:
    assert working_day_after(date(2026, 6, 5), 5) == date(2026, 6, 12)
