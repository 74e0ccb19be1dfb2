"""Periods on civil dates, and civil dates from the wire."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import msgspec
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from rules.dates.calendar import BELGIAN, Calendar
from rules.dates.periods import (
    add_months,
    add_years,
    end_of_calendar_year_after,
    last_day_of_month,
    period_of_months,
)
from tests.wire_days import civil_date

DAYS = st.dates(date(1753, 1, 1), date(9000, 12, 31))
INSTANTS = st.datetimes(datetime.fromisoformat("1753-01-02"), datetime.fromisoformat("9998-12-31"), timezones=st.just(UTC))


@given(DAYS, st.integers(-2400, 2400))
def test_adding_months_is_what_dateutil_says(day: date, months: int) -> None:
    assert add_months(day, months) == day + relativedelta(months=months)


@given(DAYS, st.integers(0, 130))
def test_adding_years_is_what_dateutil_says(day: date, years: int) -> None:
    assert add_years(day, years) == day + relativedelta(years=years)


@given(DAYS, DAYS, st.integers(0, 1500))
def test_a_later_day_never_ends_sooner(one: date, other: date, months: int) -> None:
    early, late = sorted((one, other))
    assert add_months(early, months) <= add_months(late, months)


def test_one_addition_is_not_six_additions_of_a_month() -> None:
    day = date(2025, 8, 31)
    assert add_months(day, 6) == date(2026, 2, 28)
    for _ in range(6):
        day = add_months(day, 1)
    assert day == date(2026, 2, 28)
    assert add_months(date(2025, 3, 31), 2) == date(2025, 5, 31)
    assert add_months(add_months(date(2025, 3, 31), 1), 1) == date(2025, 5, 30)


def test_beyond_the_calendar_is_its_last_day() -> None:
    assert add_months(date(9999, 12, 1), 6) == date.max
    assert add_months(date(1, 1, 1), -1) == date.min
    assert end_of_calendar_year_after(date(9998, 1, 1), 10) == date(9999, 12, 31)


def test_months_have_their_last_day() -> None:
    assert [last_day_of_month(2024, 2).day, last_day_of_month(2026, 2).day, last_day_of_month(2026, 12).day] == [29, 28, 31]
    assert last_day_of_month(9999, 12) == date.max


def test_a_period_is_written_in_whole_years_where_it_can_be() -> None:
    assert [period_of_months(months) for months in (0, 6, 12, 18, 300)] == ["P0M", "P6M", "P1Y", "P18M", "P25Y"]


# West and east of Greenwich, over the date line, and with summer times that begin or end at midnight.
ZONES = [
    Calendar(zone=ZoneInfo(name))
    for name in (
        "Europe/Brussels", "Europe/Lisbon", "Europe/Athens", "Atlantic/Azores", "America/St_Johns", "America/Santiago", "Asia/Beirut",
        "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati", "UTC",
    )
]  # fmt: skip


@given(st.sampled_from(ZONES), st.dates(date(1900, 1, 1), date(9998, 12, 30)))
def test_a_day_ends_at_the_instant_at_which_its_zone_begins_the_next(calendar: Calendar, end: date) -> None:
    """DAT-02: from then on the day does not come again."""
    instant = calendar.end(end)
    if calendar.day(instant - timedelta(days=1)) <= end:  # else the day was none there: a zone went over the date line
        assert calendar.day(instant) > end
        assert calendar.day(instant - timedelta(seconds=1)) == end
        assert calendar.day(instant + timedelta(hours=1)) > end


@pytest.mark.parametrize(
    ("zone", "end", "expires"),
    [
        ("Europe/Lisbon", "2026-03-28", "2026-03-29T00:00:00Z"),  # summer time begins an hour later
        ("Europe/Lisbon", "2026-10-25", "2026-10-26T00:00:00Z"),
        ("Europe/Lisbon", "2026-07-01", "2026-07-01T23:00:00Z"),
        ("Europe/Athens", "2026-07-01", "2026-07-01T21:00:00Z"),
        ("Europe/Athens", "2026-12-31", "2026-12-31T22:00:00Z"),
        ("America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"),  # there is no midnight: at 24:00 it is 01:00
        (
            "America/St_Johns",
            "2009-10-31",
            "2009-11-01T03:30:00Z",
        ),  # midnight comes twice, the last hour between
        ("Atlantic/Azores", "2026-10-24", "2026-10-25T00:00:00Z"),  # midnight comes twice, and both are the next day
    ],
)
def test_a_last_day_ends_where_the_organisation_works(zone: str, end: str, expires: str) -> None:
    assert Calendar(zone=ZoneInfo(zone)).end(date.fromisoformat(end)) == datetime.fromisoformat(expires)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        BELGIAN.day(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_the_ends_of_the_calendar_are_days_too() -> None:
    """A user's "never" is told as one that is in the future, not as a bug."""
    assert BELGIAN.day(datetime(9999, 12, 31, 23, 59, tzinfo=UTC)) == date.max
    assert BELGIAN.day(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))) == date.min


@given(INSTANTS)
def test_a_user_local_value_is_the_day_it_was_in_brussels_in_every_year(instant: datetime) -> None:
    text = instant.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    assert civil_date(text, "user_local") == BELGIAN.day(instant)
    assert civil_date(text, "time_zone_independent") == civil_date(text[:10], "date_only") == instant.date()


@given(st.sampled_from(ZONES), INSTANTS)
def test_a_user_local_value_is_the_day_it_was_in_any_zone(calendar: Calendar, instant: datetime) -> None:
    """DAT-08: however far its clocks were ever ahead of UTC or behind it."""
    text = instant.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    assert civil_date(text, "user_local", calendar.zone) == calendar.day(instant)


@pytest.mark.parametrize("year", [1753, 1879, 1880, 1891, 1892, 1914, 1917, 1918, 1940, 1942, 1944, 1945, 1946, 1977, 1978, 2026])
def test_late_evenings_follow_the_real_history_of_the_zone(year: int) -> None:
    brussels = ZoneInfo("Europe/Brussels")
    instant = datetime(year, 1, 1, 20, 0, tzinfo=UTC)
    while instant.year == year:
        for minutes in (0, 59, 60, 119, 120, 179, 180, 222, 223, 239):
            moment = instant + timedelta(minutes=minutes, seconds=30)
            text = moment.replace(tzinfo=None).isoformat() + "Z"
            assert civil_date(text, "user_local") == moment.astimezone(brussels).date(), text
        instant += timedelta(days=1)


def test_brussels_was_never_behind_utc_or_more_than_two_hours_ahead() -> None:
    """The short cut before 21:00Z rests on this."""
    brussels = ZoneInfo("Europe/Brussels")
    instant = datetime(1753, 1, 1, tzinfo=UTC)
    while instant.year < 2060:
        offset = instant.astimezone(brussels).utcoffset()
        assert offset is not None
        assert timedelta(0) <= offset <= timedelta(hours=2)
        instant += timedelta(days=1, hours=5)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-04-30T22:15:00.1234567Z", date(2026, 5, 1)),
        ("2026-05-01T00:15:00+02:00", date(2026, 5, 1)),
        ("2026-04-30T23:15:00-02:00", date(2026, 5, 1)),
        ("2026-04-30T22:15:00", date(2026, 5, 1)),
        ("9999-12-31T23:59:59Z", date(9999, 12, 31)),
        ("1900-01-01T00:00:00Z", date(1900, 1, 1)),
    ],
)
def test_other_forms_of_a_user_local_value_are_understood(text: str, day: date) -> None:
    assert civil_date(text, "user_local") == day


@pytest.mark.parametrize("text", ["", "Lotte Peeters", "2026-02-30", "2026-04-30Txx:00:00Z"])
@pytest.mark.parametrize("behaviour", ["date_only", "user_local", "time_zone_independent"])
def test_what_is_no_date_is_refused_without_being_repeated(text: str, behaviour: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        civil_date(text, behaviour)
    assert not text or text not in str(caught.value)
