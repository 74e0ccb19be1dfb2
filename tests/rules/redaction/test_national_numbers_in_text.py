"""National numbers of other countries in free text: EXP-06, IDN-01. All are examples of their schemes."""

import pytest

from rules.model.home import Home
from rules.redaction.national_numbers_in_text import is_national_number, national_numbers
from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor

NETHERLANDS = Home("NL", "nl.bsn")


def found(text: str, home: str = "be") -> list[str]:
    return list(dict.fromkeys(text[begin:end] for begin, end, _ in national_numbers(text, home)))


@pytest.mark.parametrize(
    "number",
    [
        "85.07.30-033.28",
        "1 85 05 78 006 084 91",
        "18505 78 006 084/91",
        "1893120105732",
        "AB 12 34 56 C",
        "12345678Z",
        "X-1234567-L",
        "RSSMRA85T10A562S",
        "44051401359",
        "1800101221144",
        "756.9217.0769.85",
        "131052-308T",
        "880320-0016",
    ],
)
def test_a_number_that_shows_what_it_is_is_found_anywhere(number: str) -> None:
    """Two check digits, or a birth date and one."""
    assert found(f"Ze gaf {number} door.") == [number]
    assert is_national_number(number)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("BSN", "111222333"),
        ("haar burgerservicenummer is", "1112.22.333"),
        ("Steuer-ID:", "86 095 742 719"),
        ("national insurance number", "AB123456C"),
        ("NHS number", "943 476 5919"),
        ("PESEL", "44051401359"),
        ("matricule", "1893120105732"),
        ("OIB", "33392005961"),
        ("cpr", "211062-5629"),
    ],
)
def test_a_number_with_one_check_digit_is_found_beside_its_word(said: str, number: str) -> None:
    assert found(f"Zij zei: {said} {number}.") == [number]


@pytest.mark.parametrize(
    "text", ["Dossier 111222333 van gisteren.", "33392005961", "Bel 0475 12 34 56 of 31612345678.", "IBAN BE68 5390 0754 7034"]
)
def test_any_other_number_is_none(text: str) -> None:
    assert found(text) == []


def test_a_number_of_the_home_country_needs_no_word() -> None:
    """IDN-01: what the schedule calls a national number, in any way of writing it."""
    assert found("Dossier 1112.22.333 van gisteren.", NETHERLANDS.scheme) == ["1112.22.333"]
    assert found("Er staat 111222334 in.", NETHERLANDS.scheme) == []
    assert found("Cédula 601-0001234-5 hier.", "none") == []


def test_it_is_replaced_in_what_is_disclosed_and_the_persons_own_is_not() -> None:
    mother = Protected("m", "parent", names=(("An", "Voorbeeld"),), national_numbers=("RSSMRA85T10A562S",))
    redactor = Redactor((mother,), Shown(names=(("Bo", "Verzonnen"),), national_numbers=("1112.22.333",)), "nl", NETHERLANDS)
    told = redactor.redact("Zijn nummer 111222333, het hare rss mra 85t10 a562s, een ander 123456782.").text
    assert told == "Zijn nummer 111222333, het hare [nationaal nummer], een ander [nationaal nummer]."
