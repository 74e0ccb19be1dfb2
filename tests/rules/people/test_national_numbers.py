"""Register numbers and BIS numbers (10.1, R-146 to R-148)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import bis, nn

from rules.model.number_schemes import is_scheme
from rules.people.candidates import masked
from rules.people.national_numbers import parse

TODAY = date(2026, 11, 25)


def numbered(day: date, *, month_added: int = 0, serial: int = 997) -> str:
    body = f"{day.year % 100:02d}{day.month + month_added:02d}{day.day:02d}{serial:03d}"
    return body + f"{97 - int(('2' if day.year >= 2000 else '') + body) % 97:02d}"


@pytest.mark.parametrize(
    ("text", "year", "month", "day", "is_bis"),
    [
        ("85.07.30-997.34", 1985, 7, 30, False),
        ("08.02.29-998.89", 2008, 2, 29, False),
        ("12.08.15-997.54", 2012, 8, 15, False),
        ("12.48.15-997.43", 2012, 8, 15, True),
        ("12.28.15-998.96", 2012, 8, 15, True),
        ("10.00.00-997.18", 2010, None, None, False),
        ("10.05.00-997.53", 2010, 5, None, False),
        ("00.00.01-997.69", None, None, None, False),
        ("70.41.05-998.27", 1970, 1, 5, True),
    ],
)
def test_r146_r147_a_valid_number_tells_what_it_knows(
    text: str, year: int | None, month: int | None, day: int | None, is_bis: bool
) -> None:
    number = parse(text, today=TODAY)
    assert number is not None
    assert (number.year, number.month, number.day, number.is_bis, number.padded) == (year, month, day, is_bis, False)
    assert number.born_on == (date(year, month, day) if year and month and day else None)


@pytest.mark.parametrize(
    "text",
    [
        "85.07.30-997.63",  # valid in the century to come only
        "12.08.15-997.55",  # wrong check number
        "12.13.15-997.89",  # month 13
        "12.08.15-997.5",
        "12.08.15-997.543",
        "12.08.15-99A.54",
        "00000000000",
        "",
        None,
    ],
)
def test_r146_other_numbers_are_not_valid(text: str | None) -> None:
    assert parse(text, today=TODAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "08022999889",
        "08.02.29-998.89",
        "08 02 29 998 89",
        "08/02/29-998/89",
        "08\u00a002\u00a029\u00a0998\u00a089",
        "０８０２２９９９８８９",
    ],
)
def test_r148_a_number_is_read_however_it_is_written(text: str) -> None:
    number = parse(text, today=TODAY)
    assert number is not None
    assert (number.digits, number.padded) == ("08022999889", False)


def test_r148_a_zero_that_a_spreadsheet_lost_is_put_back_only_where_that_is_valid() -> None:
    number = parse("8022999889", today=TODAY)
    assert number is not None
    assert (number.digits, number.padded) == ("08022999889", True)
    assert parse("8022999888", today=TODAY) is None


@pytest.mark.parametrize("serial", [0, 999])
def test_serials_run_from_001_to_998(serial: int) -> None:
    assert parse(numbered(date(2010, 5, 5), serial=serial), today=TODAY) is None
    assert parse(numbered(date(2010, 5, 5), serial=998), today=TODAY) is not None


def test_a_birth_after_today_is_not_valid_and_becomes_so_on_its_day() -> None:
    born_on = date(2026, 11, 26)
    assert parse(numbered(born_on), today=born_on - timedelta(days=1)) is None
    assert parse(numbered(born_on), today=born_on) is not None


def test_a_day_that_its_month_does_not_have_leaves_the_month() -> None:
    body = "100231997"
    number = parse(body + f"{97 - int('2' + body) % 97:02d}", today=TODAY)
    assert number is not None
    assert (number.year, number.month, number.day) == (2010, 2, None)


@pytest.mark.parametrize("month", [20, 40])
def test_a_bis_number_may_have_an_unknown_month(month: int) -> None:
    body = f"10{month}00997"
    number = parse(body + f"{97 - int('2' + body) % 97:02d}", today=TODAY)
    assert number is not None
    assert (number.year, number.month, number.is_bis) == (2010, None, True)


@given(st.dates(date(1900, 1, 2), TODAY), st.sampled_from([0, 20, 40]), st.integers(1, 998))
def test_every_issued_number_gives_its_birth_date_as_stdnum_does(born_on: date, month_added: int, serial: int) -> None:
    text = numbered(born_on, month_added=month_added, serial=serial)
    number = parse(text, today=TODAY)
    assert number is not None
    assert number.born_on == born_on
    assert (bis if month_added else nn).get_birth_date(text) == born_on


@given(st.from_regex(r"\A[0-9]{11}\Z"))
def test_what_we_find_valid_is_valid_for_stdnum(text: str) -> None:
    number = parse(text, today=TODAY)
    if number is not None:
        assert nn.is_valid(text) or bis.is_valid(text)
        assert number.year == nn.get_birth_year(text)
        assert number.month == nn.get_birth_month(text)


@pytest.mark.parametrize(
    ("scheme", "text", "digits"),
    [
        ("nl.bsn", "1112.22.333", "111222333"),
        ("nl.bsn", "1112.52.333", None),
        ("nl.bsn", "85.07.30-033.28", None),
        ("fi.hetu", "131052-308T", "131052-308T"),
        ("none", "85.07.30-033.28", None),
    ],
)
def test_numbers_of_another_country_are_compared_and_tell_no_birth_date(scheme: str, text: str, digits: str | None) -> None:
    """IDN-01: valid as python-stdnum has it; a decision asks no machine's clock."""
    found = parse(text, today=date(2026, 6, 1), scheme=scheme)
    assert (found.digits if found is not None else None) == digits
    assert found is None or (found.year, found.born_on) == (None, None)
    assert masked(found) == ("" if digits is None else f"…{digits[-2:]}")  # IDN-08: six of nine would be most of it


@pytest.mark.parametrize(
    ("scheme", "known"), [("be", True), ("none", True), ("nl.bsn", True), ("nl.xyz", False), ("os.path", False), ("nl", False)]
)
def test_a_scheme_that_nobody_checks_is_none(scheme: str, known: bool) -> None:
    assert is_scheme(scheme) is known
