"""A number says nothing more of a birth exactly where the rule about single ones reads that birth in it
(IDN-01 to IDN-03, IDN-05, IDN-07)."""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl
import pytest

from rules.law.youngest_child import says_no_more
from rules.model.number_schemes import BELGIAN, NONE
from rules.people.national_numbers import parse

TODAY = date(2026, 11, 25)


def numbers(birth: date) -> Iterator[str]:
    """Numbers of whoever is born on a day, and some that are almost such, as people write them."""
    for raised, serial, century in ((0, 997, ""), (20, 1, ""), (40, 998, "2"), (10, 2, ""), (0, 0, ""), (0, 999, "2"), (0, 500, "2")):
        body = f"{birth.year % 100:02d}{birth.month + raised:02d}{birth.day:02d}{serial:03d}"
        check = 97 - int(century + body) % 97
        yield f"{body}{check:02d}"
        yield f"{body}{check % 97 + 1:02d}"
        yield f"{body[:2]}.{body[2:4]}.{body[4:6]}-{body[6:]}.{check:02d}"
        yield f" {body}/{check:02d}\t"


ODD = (
    "",
    "x",
    "+1234567890",
    "85.07.30-99A.34",
    "0850730-997.34",
    "850730997340",
    "８５０７３０９９７３４",
    "85 07 30 997 34",
    "85073099734\n",
)
BIRTHS = [date(1901, 1, 1) + timedelta(days=days) for days in range(0, 45_800, 211)]


def test_it_says_no_more_where_it_is_valid_and_shows_that_day() -> None:
    pairs = [(birth, number) for birth in BIRTHS for number in numbers(birth)]
    pairs += [(birth + timedelta(days=1), number) for birth in BIRTHS[::9] for number in numbers(birth)]
    pairs += [(date(1985, 7, 30), number) for number in ODD]
    children = pl.DataFrame(pairs, schema={"birth_on": pl.Date, "national_number": pl.String}, orient="row")
    told = says_no_more(children, BELGIAN).to_list()
    read = [parse(number, today=TODAY) for _, number in pairs]
    expected = [
        number is not None and not number.padded and number.born_on == birth and text.isascii()
        for (birth, text), number in zip(pairs, read, strict=True)
    ]
    assert [pair for pair, one, other in zip(pairs, told, expected, strict=True) if one is not other] == []
    assert 1_000 < sum(told) < len(told) / 2


def test_without_a_number_or_a_birth_nothing_is_said() -> None:
    children = pl.DataFrame({"birth_on": [None, date(1985, 7, 30)], "national_number": ["85.07.30-997.34", None]})
    assert says_no_more(children, BELGIAN).to_list() == [False, False]


@pytest.mark.parametrize("scheme", [NONE, "fr"])
def test_of_another_country_no_birth_is_read(scheme: str) -> None:
    """IDN-01."""
    children = pl.DataFrame({"birth_on": [date(1985, 7, 30)], "national_number": ["1 85 05 78 006 084 36"]})
    assert says_no_more(children, scheme).to_list() == [True]
