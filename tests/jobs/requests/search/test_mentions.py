"""Whether a text mentions somebody: full names in any spelling and order, numbers and addresses; and nothing
that is not theirs."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.requests.search.mentions import Sought
from rules.model.personal_records import FullContact

PERSON = FullContact(
    id="p",
    first_name="Noël Jan",
    last_name="Van den Broeck (fictief)",
    email="N.Broeck@Voorbeeld.example",
    mobile="+32 (0)475 12 34 56",
    phone="02/475.44.99",
    national_number="85.07.30-997.34",
)


def evidence(text: str, person: FullContact = PERSON) -> str | None:
    return Sought([person]).found_in(text).get("p")


def named(first: str, last: str) -> FullContact:
    return FullContact(id="p", first_name=first, last_name=last)


@pytest.mark.parametrize(
    "text",
    [
        "Gesprek met Noel van den Broeck.",
        "VANDENBROECK, Noël",
        "Broeck, van den, Noël",
        "Noël Jan\nVan den   Broeck",
        "noël vandenbroeck's moeder",
        "No\u00adël Van\u200b den Broeck",
        "<p>No&euml;l <b>Van</b> den&nbsp;Broeck</p>",
        "Noël van de Broeck",
        "Noël J. Vanden Broeck",
        "(Noël Van Denbroeck)",
        "Ｎｏｅｌ Ｂｒｏｅｃｋ",
    ],
)
def test_a_full_name_is_found_however_it_is_written(text: str) -> None:
    """IDN-13 to IDN-15: folded, with particles in any form, in either order, without second first names."""
    assert evidence(text) == "name"


@pytest.mark.parametrize(
    "text",
    [
        "Noël was er niet.",
        "De familie Van den Broeck.",
        "N. Broeck",
        "Noël en zijn broer Piet Broeckaert",
        "Charnoël Broeck",
        "an.broeck@voorbeeld.example",
        "n.broeck@voorbeeld.examples",
        "bel 112 of 116000",
        "dossier 2024-4754",
        "",
    ],
)
def test_a_part_of_a_name_or_another_address_is_not_enough(text: str) -> None:
    assert evidence(text) is None


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("Jean-Pierre", "D'Hondt", "gezien met jean pierre dhondt"),
        ("Jean Pierre", "Dhondt", "Jeanpierre D’Hondt belde"),
        ("Fatima", "El Khattabi", "Elkhattabi Fatima"),
        ("Fatima", "Elkhattabi", "Fatima Al-Khattabi"),
        ("Ann", "Peeters-Janssens", "Ann Janssens Peeters"),
        ("Ben", "Peeters", "Ben Peeters"),
        ("Ben", "Van den Bosch", "van den Bosch, Ben"),
        ("Łukasz", "Groß", "Lukasz Gross"),
        ("Noor", "Van der Ben", "Noor van der Ben"),
    ],
)
def test_double_names_particles_and_other_letters(first: str, last: str, text: str) -> None:
    assert evidence(text, named(first, last)) == "name"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("Ann", "Peeters-Janssens", "mevrouw Ann Janssens"),
        ("Ann", "Peeters Janssens", "Peeters, Ann"),
        ("Ann", "Van den Peeters Janssens", "Ann van den Peeters"),
    ],
)
def test_one_of_two_surnames_is_weaker_than_the_whole_name(first: str, last: str, text: str) -> None:
    """EXP-04, IDN-15: most who are called so are somebody else."""
    assert evidence(text, named(first, last)) == "name_part"
    assert evidence(f"{text}; {first} {last}", named(first, last)) == "name"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0475/12.34.56", "phone"),
        ("+32475123456", "phone"),
        ("0032 2 475 44 99", "phone"),
        ("+32 02 475 44 99", "phone"),
        ("n.broeck@voorbeeld.example", "email"),
        ("Noel <N.BROECK@voorbeeld.example>, piet@voorbeeld.example", "email"),
        ('<a href="mailto:n.broeck@voorbeeld.example">schrijf</a>', "email"),
        ("RRN 850730 997 34", "national_number"),
        ("85.07.30-997.34", "national_number"),
        ("Noël Van den Broeck, 0475 12 34 56", "phone"),
        ("Noël Van den Broeck, 85073099734, n.broeck@voorbeeld.example", "national_number"),
    ],
)
def test_the_strongest_evidence_is_told(text: str, kind: str) -> None:
    assert evidence(text) == kind


def test_a_person_of_whom_nothing_is_known_is_found_nowhere() -> None:
    for person in (FullContact(id="p"), named("", "Peeters"), named("Lotte", ""), named("-", "(fictief)")):
        assert not Sought([person])
        assert evidence("Lotte Peeters (fictief)", person) is None


def test_short_and_withheld_numbers_are_nobodys() -> None:
    """IDN-10."""
    for number in ("116000", "112", "anoniem", "475 44 99"):
        assert not Sought([FullContact(id="p", phone=number)])


def test_each_person_in_a_text_is_told_apart() -> None:
    people = [FullContact(id="a", first_name="An", last_name="Maes"), FullContact(id="b", first_name="Bo", last_name="Maes")]
    assert Sought(people).found_in("An Maes en Bo Maes") == {"a": "name", "b": "name"}
    assert Sought(people).found_in("Bo Maes") == {"b": "name"}


LETTERS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzéèëïçöŁßñ"), min_size=3, max_size=9)
AROUND = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>&"), max_size=40)


@example(first="aaa", last="aaa", particle="", before="A=", after="")
@given(first=LETTERS, last=LETTERS, particle=st.sampled_from(["", "de ", "van den ", "El ", "D'", "ter "]), before=AROUND, after=AROUND)
def test_a_name_is_found_in_any_surroundings(first: str, last: str, particle: str, before: str, after: str) -> None:
    """Whatever stands around it, the name as the CRM has it is found, in both orders and in capitals."""
    sought = Sought([named(first, particle + last)])
    if not sought:
        return
    for spelling in (f"{first} {particle}{last}", f"{particle}{last} {first}", f"{particle}{last}, {first}".upper()):
        assert sought.found_in(f"{before}\n{spelling}\n{after}").get("p") == "name"


@given(AROUND)
def test_any_text_can_be_searched(text: str) -> None:
    assert set(Sought([PERSON]).found_in(text).values()) <= {"name", "phone", "email", "national_number"}
