"""Telephone numbers in one normal form (10.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people.phones import Phone, calling_code, normal_phone, numbers_of_people, phones_in, tail

# The check table of IDN-10.
TABLE = [
    ("+32 02 475 44 99", "+3224754499", "", False),
    ("02/475.44.99", "+3224754499", "", False),
    ("0032 2 475 44 99", "+3224754499", "", False),
    ("+32 (0)2 475 44 99", "+3224754499", "", False),
    ("0475/12.34.56", "+32475123456", "", False),
    ("+32 0475 12 34 56", "+32475123456", "", False),
    ("475123456", "+32475123456", "", True),
    ("32475123456", "+32475123456", "", True),
    ("04 222 33 44", "+3242223344", "", False),
    ("0031 6 12345678", "+31612345678", "", False),
    ("02 475 44 99 ext 12", "+3224754499", "12", False),
]


@pytest.mark.parametrize(("text", "number", "extension", "is_guessed"), TABLE)
def test_r149_a_number_has_one_form_however_it_is_written(text: str, number: str, extension: str, is_guessed: bool) -> None:
    assert normal_phone(text) == Phone(number, extension, is_guessed)


@pytest.mark.parametrize("text", ["116 000", "116000", "112", "101"])
def test_r149_a_short_number_stays_as_it_is_and_is_nobodys(text: str) -> None:
    assert normal_phone(text) == Phone(text.replace(" ", ""), is_short=True)
    assert numbers_of_people([text]) == {}


@pytest.mark.parametrize(
    "text",
    [
        "anoniem",
        "Privé",
        "prive",
        "ANONYMOUS",
        "unknown",
        "onbekend",
        "475 44 99",
        "0212345678",
        "+32 475",
        "00",
        "0",
        "x",
        "",
        "   ",
        None,
    ],
)
def test_what_is_withheld_or_not_a_full_number_is_none(text: str | None) -> None:
    assert normal_phone(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("\uff10\uff12 475 44 99", "+3224754499"),  # full-width digits
        ("02\u00a0475\u00a044\u00a099", "+3224754499"),
        ("Tel. 02 475 44 99 (moeder)", "+3224754499"),
        ("tel:+32-2-475-44-99;ext=12", "+3224754499"),
        ("24754499", "+3224754499"),
        ("0032 (0)475 12 34 56", "+32475123456"),
        ("04 75 12 34 56", "+32475123456"),  # 04 with 10 digits is a mobile, with 9 a line in Liège
        ("31612345678", "+31612345678"),
        ("+33 1 23 45 67 89", "+33123456789"),
    ],
)
def test_other_ways_of_writing_a_number(text: str, number: str) -> None:
    found = normal_phone(text)
    assert found is not None
    assert found.number == number


def test_a_field_may_hold_several_numbers() -> None:
    assert [phone.number for phone in phones_in("02/475.44.99 / 0475 12 34 56; 116000")] == ["+3224754499", "+32475123456", "116000"]
    assert phones_in(None) == []


def test_a_number_that_was_written_whole_once_is_no_guess() -> None:
    assert numbers_of_people(["475123456", "0475 12 34 56"]) == {"+32475123456": False}
    assert numbers_of_people(["475123456", None, "anoniem"]) == {"+32475123456": True}


@given(st.from_regex(r"0[1-9][0-9]{7}|04[0-9]{8}", fullmatch=True), st.lists(st.sampled_from(" ./-"), min_size=9, max_size=9))
def test_a_normal_form_is_its_own_normal_form_and_has_the_last_digits_of_every_form(digits: str, marks: list[str]) -> None:
    written = "".join(digit + mark for digit, mark in zip(digits, [*marks, ""], strict=False))
    found = normal_phone(written)
    assert found is not None
    assert normal_phone(found.number) == found
    assert normal_phone(f"+32 {written}") == found
    assert tail(found.number) in digits


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    found = normal_phone(text)
    assert found is None or found.is_short or normal_phone(found.number) is not None


@pytest.mark.parametrize(
    ("region", "written", "number", "is_guessed"),
    [
        ("NL", "06 12345678", "+31612345678", False),
        ("NL", "612345678", "+31612345678", True),  # a spreadsheet took the zero
        ("NL", "+32 475 12 34 56", "+32475123456", False),
        ("PT", "912 345 678", "+351912345678", False),  # there is no zero to be lost
        ("ES", "612 34 56 78", "+34612345678", False),
        ("BE", "0475 12 34 56", "+32475123456", False),
    ],
)
def test_a_number_that_says_no_country_is_one_of_the_organisation(region: str, written: str, number: str, is_guessed: bool) -> None:
    """IDN-10."""
    assert normal_phone(written, region) == Phone(number, is_guessed=is_guessed)
    assert numbers_of_people([written], region) == {number: is_guessed}
    assert calling_code(region) == number[:-9] or number.startswith("+32")
