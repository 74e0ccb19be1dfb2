"""Who may be the person: classes, flags and evidence (IDN-17, IDN-18). The people are fictitious."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model.personal_records import FullContact
from rules.people.birthdates import Sentinels
from rules.people.candidates import Match, is_near_day, match
from rules.people.everybody import Everybody
from rules.people.wanted import Wanted, wanted_of

TODAY = date(2026, 11, 25)
SENTINELS = Sentinels(frozenset({date(1900, 1, 1)}), frozenset({1900}))
BORN = date(2009, 4, 3)
NUMBER = "08.02.29-998.89"  # born on 2008-02-29
OTHER_NUMBER = "12.08.15-997.54"
BIS_NUMBERS = ("12.48.15-997.43", "12.28.15-998.96")  # of somebody born on the same day as that of OTHER_NUMBER


def asked(
    first: str = "Lotte",
    last: str = "Peeters",
    birthdate: str = "",
    *,
    numbers: tuple[str, ...] = (),
    phones: tuple[str, ...] = (),
    emails: tuple[str, ...] = (),
) -> Wanted:
    return wanted_of(
        first_name=first,
        last_name=last,
        birthdate=birthdate,
        national_numbers=numbers,
        phones=phones,
        emails=emails,
        today=TODAY,
        sentinels=SENTINELS,
    )


def contact(first: str | None = "Lotte", last: str | None = "Peeters", born: date | None = None, **more: object) -> FullContact:
    return FullContact(id="1", first_name=first, last_name=last, birth_on=born, **more)  # type: ignore[arg-type]


def found(wanted: Wanted, person: FullContact) -> Match | None:
    matches = match(Everybody([person]), wanted, today=TODAY, sentinels=SENTINELS)
    return matches[0] if matches else None


def told(wanted: Wanted, person: FullContact) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    one = found(wanted, person)
    return None if one is None else (one.strength.value, one.flags, one.evidence)


NEAR, PHONE, MAIL = ("BIRTHDATE_NEAR",), "02 475 44 99", "lotte@example.org"


@pytest.mark.parametrize(
    ("wanted", "person", "expected"),
    [
        # strong
        (asked(birthdate="2009-04-03", phones=(PHONE,)), contact(born=BORN, phone=PHONE), ("strong", (), ("name", "birth_date", "phone"))),
        (asked(birthdate="2009-04-03", emails=(MAIL,)), contact(born=BORN, email_2=MAIL), ("strong", (), ("name", "birth_date", "email"))),
        (
            asked("Anna", "Smet", numbers=(NUMBER,)),
            contact(national_number=NUMBER),
            ("strong", ("NAME_DIFFERS",), ("national_number", "birth_date")),
        ),
        # medium
        (asked(birthdate="2009-04-03"), contact(born=BORN), ("medium", (), ("name", "birth_date"))),
        (asked(phones=(PHONE,)), contact(mobile=PHONE), ("medium", (), ("name", "phone"))),
        (asked(emails=(MAIL,)), contact(email=MAIL), ("medium", (), ("name", "email"))),
        (asked(emails=(MAIL,)), contact(email="lotte.p@example.org"), ("weak", (), ("name",))),  # another address is none of hers
        (asked(phones=(PHONE,)), contact(mobile="02 475 44 98"), ("weak", (), ("name",))),
        (asked(birthdate="2009-04-03"), contact(born=date(2009, 3, 4)), ("medium", NEAR, ("name", "birth_date_near"))),
        (asked(birthdate="2009-04-03"), contact(born=date(2009, 4, 8)), ("medium", NEAR, ("name", "birth_date_near"))),
        (
            asked(birthdate="2009-04-03", phones=(PHONE,)),
            contact(born=date(2009, 4, 8), phone=PHONE),
            ("medium", NEAR, ("name", "birth_date_near", "phone")),
        ),
        (asked("Peeters", "Lotte", "2009-04-03"), contact(born=BORN), ("medium", (), ("name", "swapped_names", "birth_date"))),
        # Another spelling widens the list, and makes nobody a strong candidate (IDN-16).
        (
            asked("Lotte", "Peters", "2009-04-03", phones=(PHONE,)),
            contact(born=BORN, phone=PHONE),
            ("medium", (), ("name_fuzzy", "birth_date", "phone")),
        ),
        # weak
        (asked(), contact(), ("weak", (), ("name",))),
        (asked("Anna", "Smet", phones=(PHONE,)), contact(phone=PHONE), ("weak", (), ("phone",))),
        (asked("Anna", "Smet", emails=(MAIL,)), contact(email=MAIL), ("weak", (), ("email",))),
        (asked(birthdate="2009-04-03"), contact(birth_year=2009), ("weak", (), ("name", "birth_year"))),
        (asked("Lotte", "Smet", "2009-04-03"), contact(born=BORN), ("weak", (), ("first_name", "birth_date"))),  # a married name
        (asked("Lotte", "Smet", "2009-04-03"), contact(national_number="09.04.03-997.32"), ("weak", (), ("first_name", "birth_date"))),
        (asked(), contact(first=None), ("weak", (), ("last_name",))),
        (asked(), contact(first="Onbekend"), ("weak", (), ("last_name",))),
        (asked(), contact(first="L."), ("weak", (), ("name_fuzzy",))),
        (asked(""), contact(), ("weak", (), ("last_name",))),
        (asked(), contact(None, "Lotte Peeters"), ("weak", (), ("name",))),
        (asked("", "Lotte Peeters"), contact(), ("weak", (), ("name",))),
        (asked("Lotte Peeters", ""), contact(), ("weak", (), ("name",))),
        (asked("Lotte Peeters", ""), contact(None, "Peeters Lotte"), ("weak", (), ("name",))),
        (asked("Lotte", ""), contact("Lotte", None), ("weak", (), ("name",))),  # who has one name has it in whichever field
        (asked("Lotte", ""), contact(None, "Lotte"), ("weak", (), ("name",))),
        (asked("", "Lotte", "2009-04-03"), contact("Lotte", None, BORN), ("medium", (), ("name", "birth_date"))),
        # contradiction
        (asked(birthdate="2009-04-03"), contact(born=date(1990, 4, 3)), ("contradiction", (), ("name", "birth_date_differs"))),
        (
            asked(birthdate="2009-04-03", phones=(PHONE,)),
            contact(born=date(1990, 4, 3), phone=PHONE),
            ("contradiction", (), ("name", "phone", "birth_date_differs")),
        ),
        (
            asked(numbers=(NUMBER,), phones=(PHONE,)),
            contact(national_number=OTHER_NUMBER, phone=PHONE),
            ("contradiction", (), ("name", "phone", "national_number_differs", "birth_date_differs")),
        ),
        # nobody
        (asked("Anna", "Smet", "2009-04-03"), contact(born=BORN), None),
        (asked("Lotte", "Smet"), contact(), None),
        (asked("Anna", "Peeters"), contact(), None),
        (asked("Lotte", ""), contact(), None),
        (asked("Lotte", "Peters", "2009-04-03"), contact(born=date(1990, 4, 3)), None),
        (asked("Anna", "Smet", phones=("116 000",)), contact(phone="116000"), None),
    ],
)
def test_the_table_of_strengths(wanted: Wanted, person: FullContact, expected: tuple[str, tuple[str, ...], tuple[str, ...]] | None) -> None:
    """IDN-17, IDN-18."""
    assert told(wanted, person) == expected


@pytest.mark.parametrize("text", ["08022999889", "08.02.29-998.89", "08 02 29 998 89", "8022999889"])
@pytest.mark.parametrize("kept", ["08022999889", "08.02.29-998.89", "8022999889", "０８０２２９９９８８９"])
def test_r148_a_number_finds_the_same_person_however_it_is_written(text: str, kept: str) -> None:
    one = found(asked("", "", numbers=(text,)), contact(national_number=kept))
    assert one is not None
    assert one.strength.value == "strong"
    assert ("RRN_PADDED" in one.flags) == ("8022999889" in (text, kept))
    assert one.number == "08.02.29-***.**"  # IDN-08


@pytest.mark.parametrize("text", ["12.08.15-997.55", "85.07.30-997.63", "12.13.15-997.89", "08022999888"])
def test_r146_a_number_that_is_not_valid_finds_nobody(text: str) -> None:
    assert found(asked("", "", numbers=(text,)), contact(national_number=text)) is None


@pytest.mark.parametrize("bis", BIS_NUMBERS)
def test_a_bis_number_contradicts_nobody_and_both_numbers_find_the_person(bis: str) -> None:
    """IDN-09: it may have been replaced by a register number."""
    assert told(asked(numbers=(bis,)), contact(national_number=OTHER_NUMBER)) == ("medium", (), ("name", "birth_date"))
    assert told(asked(numbers=(OTHER_NUMBER,)), contact(national_number=bis)) == ("medium", (), ("name", "birth_date"))
    for kept in (bis, OTHER_NUMBER):
        one = found(asked(numbers=(bis, OTHER_NUMBER)), contact(national_number=kept))
        assert one is not None
        assert one.strength.value == "strong"


def test_the_same_number_outweighs_a_birth_date_and_a_person_is_told() -> None:
    one = found(asked(birthdate="2008-02-29", numbers=(NUMBER,)), contact(born=date(1990, 1, 1), national_number=NUMBER))
    assert one is not None
    assert (one.strength.value, one.flags) == ("strong", ())  # the number tells the day that was given too
    one = found(asked(birthdate="1971-05-06", numbers=(NUMBER,)), contact(born=date(1990, 1, 1), national_number=NUMBER))
    assert one is not None
    assert (one.strength.value, one.flags) == ("strong", ("BIRTHDATE_CONFLICT",))


def test_a_number_that_a_spreadsheet_shortened_is_told() -> None:
    assert told(asked(phones=("475123456",)), contact(mobile="0475 12 34 56")) == ("medium", ("PHONE_GUESSED",), ("name", "phone"))
    assert told(asked(phones=("475123456", "0475/12.34.56")), contact(mobile="0475 12 34 56")) == ("medium", (), ("name", "phone"))


def test_a_day_that_means_unknown_neither_speaks_for_nor_against() -> None:
    assert told(asked(birthdate="2009-04-03"), contact(born=date(1900, 1, 1))) == ("weak", (), ("name",))
    assert told(asked(birthdate="1900-01-01"), contact(born=date(1900, 1, 1))) == ("weak", (), ("name",))
    assert told(asked(birthdate="2009-04-03"), contact(born=date(2030, 1, 1))) == ("weak", (), ("name",))


def test_who_was_anonymised_and_who_is_looked_for_by_nothing_are_nobody() -> None:
    assert found(asked(), contact(anonymised_on=TODAY)) is None
    assert found(asked("", "", "2009-04-03"), contact("", "", BORN)) is None


def test_twins_and_a_family_on_one_line_are_told_apart() -> None:
    """IDN-11: the same last name, day of birth and telephone; the first name is another."""
    assert told(asked("Lotte", "Peeters", "2009-04-03", phones=(PHONE,)), contact("Bram", "Peeters", BORN, phone=PHONE)) == (
        "weak",
        (),
        ("birth_date", "phone"),
    )


@given(st.dates(date(1930, 1, 1), TODAY), st.dates(date(1930, 1, 1), TODAY))
def test_a_near_day_has_no_direction_and_is_never_the_same_day(one: date, two: date) -> None:
    assert is_near_day(one, two) == is_near_day(two, one)
    assert not is_near_day(one, one)


@pytest.mark.parametrize(
    ("two", "is_near"),
    [
        (date(2009, 3, 4), True),  # IDN-18: day and month swapped
        (date(2009, 4, 8), True),  # one digit
        (date(2009, 4, 13), True),
        (date(2019, 4, 3), True),
        (date(2010, 4, 3), False),  # two digits
        (date(2019, 3, 4), False),  # swapped, and a digit
        (date(2009, 4, 30), False),
    ],
)
def test_what_a_near_day_is(two: date, is_near: bool) -> None:
    assert is_near_day(BORN, two) is is_near


PEOPLE = [
    FullContact(
        id=f"{number}",
        first_name=first,
        last_name=last,
        birth_on=born,
        phone=PHONE if number % 3 else None,
        email=MAIL if number % 4 == 0 else None,
        national_number=NUMBER if number % 5 == 0 else "09.04.03-997.32" if number % 7 == 0 else None,
    )
    for number, (first, last, born) in enumerate(
        (first, last, born)
        for first in ("Lotte", "Peeters", "Lotta", "Bram", "Onbekend", "x X", "L.", None)
        for last in ("Peeters", "Lotte", "Peters", "Van Peeters", "Lotte Peeters", "onbekend", None)
        for born in (BORN, date(2009, 3, 4), date(1990, 1, 1), None)
    )
]


def in_order(people: list[FullContact]) -> list[Match]:
    wanted = asked(birthdate="2009-04-03", phones=(PHONE,), emails=(MAIL,), numbers=(NUMBER,))
    return list(match(Everybody(people), wanted, today=TODAY, sentinels=SENTINELS))


@pytest.fixture(scope="module")
def as_they_stand() -> list[Match]:
    return in_order(PEOPLE)


@given(random=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(as_they_stand: list[Match], random: Random) -> None:
    shuffled = list(PEOPLE)
    random.shuffle(shuffled)
    assert in_order(shuffled) == as_they_stand


def test_of_equal_ones_who_has_nothing_against_them_comes_first() -> None:
    near = FullContact(id="1", first_name="Lotte", last_name="Peters", birth_on=date(2009, 3, 4))
    same = FullContact(id="2", first_name="Lotte", last_name="Peeters", birth_on=BORN)
    matches = match(Everybody([near, same]), asked(birthdate="2009-04-03"), today=TODAY, sentinels=SENTINELS)
    assert [(one.id, one.strength.value) for one in matches] == [("2", "medium"), ("1", "medium")]


@pytest.mark.parametrize("first", ["Lotte", "", "Lotte Peeters"])
@pytest.mark.parametrize("last", ["Peeters", "", "Peters"])
@pytest.mark.parametrize("birthdate", ["2009-04-03", ""])
def test_everybody_is_found_that_is_found_alone(first: str, last: str, birthdate: str) -> None:
    """What is quick in a crowd loses nobody."""
    wanted = asked(first, last, birthdate, phones=(PHONE,))
    alone = [one for person in PEOPLE for one in match(Everybody([person]), wanted, today=TODAY, sentinels=SENTINELS)]
    together = match(Everybody(PEOPLE), wanted, today=TODAY, sentinels=SENTINELS)
    assert sorted(alone, key=lambda one: one.id) == sorted(together, key=lambda one: one.id)
