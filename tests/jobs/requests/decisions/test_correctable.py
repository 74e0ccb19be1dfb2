"""Which corrections a request asks for, and which differences are none (R-102, GDPR art. 16)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.model.request import GivenPerson
from jobs.requests.decisions.correct import value_of
from jobs.requests.decisions.correctable import ALL, corrections, written
from rules.model.personal_records import FullContact

TODAY = date(2026, 11, 25)
LOTTE = FullContact(
    id="1",
    first_name="Zoë",
    last_name="D'Hondt (fictief)",
    birth_on=date(2008, 5, 10),
    phone="02 475 44 99",
    email="Zoe@Example.org",
    national_number="08.02.29-998.89",
)


def asked(person: GivenPerson, **fields: str) -> dict[str, str]:
    return dict(corrections(LOTTE, person, fields, today=TODAY))


def test_whoever_says_what_the_crm_says_corrects_nothing() -> None:
    """Case, accents and the spelling of names, numbers and addresses are no difference (IDN-10, IDN-12)."""
    same = GivenPerson("zoe", "dhondt (FICTIEF)", "2008-05-10", ("08022999889",), ("+3224754499",), ("zoe@example.org",))
    assert asked(same) == {}
    assert asked(GivenPerson()) == {}


def test_what_differs_is_corrected_field_by_field() -> None:
    other = GivenPerson("Zita", "D'Hondt (fictief)", "2009-05-10", (), ("0470 11 22 33",), ("zita@example.org",))
    assert asked(other) == {"first_name": "Zita", "birth_on": "2009-05-10", "mobile": "0470 11 22 33", "email": "zita@example.org"}


def test_what_is_asked_for_in_so_many_words_counts_to_the_letter() -> None:
    assert asked(GivenPerson("zoe"), firstname="Zoe") == {"first_name": "Zoe"}
    assert asked(GivenPerson(), firstname="Zoë") == {}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("birthdate", "10/05/2009"),
        ("birthdate", "2027-01-01"),
        ("nationalnumber", "08.02.29-998.88"),
        ("email", "no address"),
        ("phone", "anoniem"),
        ("hair", "red"),
        ("firstname", "   "),
    ],
)
def test_what_cannot_be_what_it_should_be_is_left_out(field: str, text: str) -> None:
    assert asked(GivenPerson(), **{field: text}) == {}


@given(st.dates(date(1900, 1, 1), TODAY))
def test_a_correction_that_was_written_is_none_any_more(day: date) -> None:
    found = asked(GivenPerson(), birthdate=day.isoformat())
    after = FullContact(id="1", birth_on=date.fromisoformat(found["birth_on"]) if found else day)
    assert value_of("birth_on", day.isoformat()) == day
    assert written(after, "birth_on") == day.isoformat()
    assert corrections(after, GivenPerson(birthdate=day.isoformat()), {"birthdate": day.isoformat()}, today=TODAY) == []


@pytest.mark.parametrize(
    ("lacks", "asked_for", "expected"),
    [
        ({"mobile"}, {"phones": "0472 12 13 14"}, {"phone": "0472 12 13 14"}),
        ({"phone"}, {"phones": "02 475 44 98"}, {"mobile": "02 475 44 98"}),
        ({"mobile", "phone"}, {"phones": "0472 12 13 14", "city": "Gent"}, {"city": "Gent"}),
        ({"birth_place"}, {"birthplace": "Gent"}, {}),
        ({"mobile"}, {"phones": "02 475 44 98", "mobile": "0472 12 13 14"}, {"phone": "02 475 44 98"}),
        ({"phone"}, {"mobile": "0472 12 13 14", "phones": "02 475 44 98"}, {"mobile": "0472 12 13 14"}),
    ],
)
def test_what_the_crm_has_no_column_for_is_not_corrected(lacks: set[str], asked_for: dict[str, str], expected: dict[str, str]) -> None:
    """It could never be written, and the letter would say that it was."""
    assert dict(corrections(LOTTE, GivenPerson(), asked_for, today=TODAY, mapped=ALL - lacks)) == expected


def test_a_number_that_was_given_for_identification_takes_the_place_of_no_other_sort() -> None:
    """Nobody asked for the line at home to go."""
    given = GivenPerson(phones=("0472 12 13 14",))
    assert corrections(LOTTE, given, {}, today=TODAY) == [("mobile", "0472 12 13 14")]
    assert corrections(LOTTE, given, {}, today=TODAY, mapped=ALL - {"mobile"}) == []
