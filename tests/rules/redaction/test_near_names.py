"""What is nearly the name of somebody who is known, and what is not. Everybody is fictitious."""

import time

import pytest
from faker import Faker

from rules.people.spellings import spellings
from rules.redaction.leak_terms import OWN_NAME, LeakTerms, leak_term, name_leak_term
from rules.redaction.near_names import NearNames

PEOPLE = (
    ("Katrijn", "Quaghebeur"),
    ("Griet", "Van den Broucke"),
    ("Wim", "Claeys"),
    ("Jean-Luc", "Pirotteaux"),
    ("Youssef", "El Khattabouni"),
)


def near(text: str, *, own: tuple[tuple[str, str], ...] = ()) -> bool:
    letters = {spelling.letters for first, last in own for spelling in spellings(first, last)}
    return NearNames(PEOPLE, letters).are_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "Quaghebuer belde.", "Volgens QUAGHEBER klopt het.", "Quaghhebeur", "Quachebeur, Katrijn", "el Khattabuoni", "Vandenbrouke",
        "Griet Van den Brocuke", "Van den Brocuke, Griet", "G. Van den Brouke", "Claeis Wim", "W. Claeyss", "quaghebuer belde niet",
        "Katrijn Q. was daar", "Jean-Luc P. belde", "Youssef K.", "Griet B.", "Griet V. zag het", "Quaghebuer's fiets",
        "\u201cPirotteeaux\u201d",
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_or_an_initial_makes_a_person_look(text: str) -> None:
    """R-118, IDN-15: a surname of eight letters with one slip; a shorter one beside the first name; a first
    name with an initial."""
    assert near(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Claeus belde.", "Jan Claeus belde.", "de quaghebuer stond stil, zei Jan", "Katrijn. Quasi niets", "Katrijn q. was daar",
        "Katrijn R. was daar", "katrijn quasi", "Vandenberghe", "Wim W. belde", "Griet, B-vitamine", "Piet Q.",
    ],
)  # fmt: skip
def test_what_is_further_from_a_name_or_stands_alone_does_not(text: str) -> None:
    assert not near(text)


def test_a_name_as_it_should_be_is_for_the_other_search() -> None:
    """It is a find, which stops a release; what is nearly one never is."""
    leak_terms = LeakTerms([name_leak_term(*PEOPLE[0])])
    assert (leak_terms.found_in("Katrijn Quaghebeur"), leak_terms.are_nearly_in("Quaghebeur alleen")) == (("name",), False)
    assert (leak_terms.found_in("Katrijn Quaghebuer"), leak_terms.are_nearly_in("Katrijn Quaghebuer")) == ((), True)
    assert leak_terms.are_nearly_in("<p>Quaghe<b></b>buer</p>")


def test_the_persons_own_name_is_nearly_nobodys() -> None:
    own = (("Lotte", "Quaghebeurs"),)
    assert not near("Lotte Quaghebeurs", own=own)
    assert not LeakTerms([name_leak_term(*PEOPLE[0]), leak_term(OWN_NAME, "Lotte|Quagheber")]).are_nearly_in("Quagheber")


def test_few_ordinary_words_are_nearly_a_name() -> None:
    """A bound on false finds: a dossier of forty people, and the words of four languages and of invented
    prose in each."""
    people = []
    for country in ("nl_NL", "fr_FR", "de_DE", "en_GB"):
        fake = Faker(country)
        fake.seed_instance(7)
        people += [(fake.first_name(), fake.last_name()) for _ in range(10)]
    search = NearNames(people, frozenset())
    words = 0
    found = []
    for country in ("nl_NL", "fr_FR", "de_DE", "en_US"):
        fake = Faker(country)
        fake.seed_instance(11)
        for text in (fake.text(400).title() for _ in range(300)):
            words += len(text.split())
            found += [text] if search.are_in(text) else []
    assert words > 60_000
    assert len(found) <= 1, found


def test_a_text_costs_no_more_than_its_length() -> None:
    """A name that is nearly every word, and a word that is longer than any name."""
    search = NearNames(PEOPLE, frozenset())
    for text in ("Claeus " * 100_000, "Q" * 2_000_000, "Katrijn q " * 60_000):
        begin = time.process_time()
        assert not search.are_in(text)
        assert time.process_time() - begin < 5
