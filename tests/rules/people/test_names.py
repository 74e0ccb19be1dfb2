"""Names in forms that can be compared (10.4). The people are fictitious."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people.name_index import Names, near_names
from rules.people.names import Likeness, comparison_key, first_names_alike, last_names_alike, name_of, whole_names_alike

SAME, ALIKE, NONE = Likeness.SAME, Likeness.ALIKE, Likeness.NONE
CORES = ("Broeck", "Peeters", "Hondt", "Smet", "Dijck", "Khattabi", "Yılmaz", "Kowalski", "Lefèvre", "Groß", "Nguyễn", "Maes")
PARTICLES = ("Van den", "De", "D'", "El", "Al-", "Ben", "van der", "'t", "Ait", "Vanden", "Dos")


def last(one: str, two: str) -> Likeness:
    return last_names_alike(name_of(one), name_of(two))


def first(one: str, two: str) -> Likeness:
    return first_names_alike(name_of(one), name_of(two))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("D'Hondt", "Dhondt"),
        ("D'Hondt", "d’hondt"),
        ("Noël", "Noel"),
        ("Groß", "Gross"),
        ("Œuvrard", "Oeuvrard"),
        ("Ægir", "Aegir"),
        ("Sørensen", "Sorensen"),
        ("Łukasz", "Lukasz"),
        ("Đorđe", "Dorde"),
        ("Jean-Pierre", "Jeanpierre"),
        ("Jean‑Pierre", "Jean–Pierre"),
        ("J.R.", "jr"),
        ("A  B", "a b"),
        ("İpek", "Ipek"),
        ("Yılmaz", "Yilmaz"),
        ("Иванов", "Ivanov"),
        ("Şahin", "sahin"),
        ("Ｌｏｔｔｅ", "lotte"),
    ],
)
def test_two_spellings_have_one_comparison_key(one: str, two: str) -> None:
    """IDN-13."""
    assert comparison_key(one) == comparison_key(two)


@given(st.text(max_size=30))
def test_a_comparison_key_is_its_own_key_and_ascii(text: str) -> None:
    key = comparison_key(text)
    assert key.isascii()
    assert comparison_key(key) == key


@pytest.mark.parametrize(
    ("one", "two", "likeness"),
    [
        ("Van den Broeck", "Vandenbroeck", SAME),  # IDN-14, R-150
        ("Van den Broeck", "Broeck, van den", SAME),
        ("Van den Broeck", "Broeck", SAME),
        ("D'Hondt", "Dhondt", SAME),
        ("El Khattabi", "Al-Khattabi", SAME),
        ("El Khattabi", "Elkhattabi", SAME),
        ("Ait Ouali", "Ouali", SAME),
        ("Peeters-Janssens", "Janssens Peeters", SAME),  # IDN-15: either order
        ("Peeters-Janssens", "Peeters", ALIKE),  # or cut
        ("Van Dijck", "Van Dyck", ALIKE),  # IDN-16
        ("Bruggeman", "Brughman", ALIKE),
        ("Claes", "Claas", ALIKE),
        ("Leclerc", "Leclercq", ALIKE),
        ("Renault", "Renaud", ALIKE),
        ("De Smet", "De Smedt", ALIKE),
        ("Kowalski", "Kowalska", ALIKE),
        ("Ivanov", "Ivanova", ALIKE),
        ("Chakir", "Shakir", ALIKE),
        ("Rasjidi", "Rachidi", ALIKE),
        ("Sjevtsjenko", "Shevchenko", ALIKE),
        ("Schewtschenko", "Chevtchenko", ALIKE),
        ("Djabri", "Jabri", ALIKE),
        ("Peeters", "Peters", ALIKE),
        ("Janssens", "Jansens", ALIKE),
        ("Peeters", "Peetesr", ALIKE),  # a slip of the pen
        ("Baks", "Bafs", NONE),  # of four letters none
        ("Bakes", "Bafes", ALIKE),
        ("Bakermol", "Bafernol", NONE),  # two of nine letters or more
        ("Bakermold", "Bafernold", ALIKE),
        ("Vandamme", "Vandenbroeck", NONE),
        ("Peeters", "Janssens", NONE),
        ("Kind A", "Kind B", NONE),
        ("Kind 1", "Kind 2", NONE),
        ("Peeters (fictief)", "Janssens (fictief)", NONE),
        ("Peeters (fictief)", "Peeters", SAME),
        ("Maes", "Claes", NONE),
        ("", "", NONE),
        ("Onbekend", "onbekend", NONE),
        ("Peeters", "Onbekend", NONE),
    ],
)
def test_how_much_two_last_names_are_alike(one: str, two: str, likeness: Likeness) -> None:
    assert last(one, two) is likeness
    assert last(two, one) is likeness


@pytest.mark.parametrize(
    ("one", "two", "likeness"),
    [
        ("Jan", "Jan Pieter", SAME),  # IDN-15: a second first name may be missing
        ("Jean-Pierre", "Jean Pierre", SAME),
        ("Abdelkader", "Abd el Kader", SAME),
        ("Noël", "noel", SAME),
        ("Mohamed", "Mohammed", ALIKE),  # IDN-16
        ("Mohamed", "Muhammad", ALIKE),
        ("Mohamed", "Mohamad", ALIKE),
        ("Youssef", "Yusuf", ALIKE),
        ("Youssef", "Yousef", ALIKE),
        ("Fatima", "Fatma", ALIKE),
        ("Fatima", "Fatiha", NONE),
        ("Djamila", "Jamila", ALIKE),
        ("Chaima", "Shaima", ALIKE),
        ("Anne Marie", "Marie", ALIKE),
        ("J.", "Jan", ALIKE),
        ("Thomas", "Thoams", ALIKE),
        ("Jan", "Jean", NONE),
        ("Bram", "Bart", NONE),
        ("Lotte", "Onbekend", NONE),
    ],
)
def test_how_much_two_first_names_are_alike(one: str, two: str, likeness: Likeness) -> None:
    assert first(one, two) is likeness
    assert first(two, one) is likeness


@pytest.mark.parametrize(
    ("whole", "likeness"),
    [
        ("Peeters, Lotte", SAME),
        ("Lotte Peeters", SAME),
        ("Lotte Peeters (fictief)", SAME),
        ("LOTTE PEETERS", SAME),
        ("Lotte Anna Peeters", SAME),
        ("Lotte Peters", ALIKE),
        ("Anna Peeters", NONE),
        ("Peeters", NONE),
        ("rol", NONE),
        ("", NONE),
    ],
)
def test_a_name_in_one_piece(whole: str, likeness: Likeness) -> None:
    assert whole_names_alike(name_of("Lotte"), name_of("Peeters"), name_of(whole)) is likeness


@given(st.sampled_from(CORES), st.sampled_from(PARTICLES), st.sampled_from(PARTICLES))
def test_particles_change_no_last_name(core: str, particle: str, other: str) -> None:
    """IDN-14: joined, separated, dropped, sorted behind the name."""
    name = f"{particle} {core}"
    for written in (core, f"{particle}{core}", f"{core}, {particle}", f"{other} {core}", name.upper(), name.lower()):
        assert last(name, written) is SAME


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_likeness_has_no_direction(one: str, two: str) -> None:
    assert last(one, two) is last(two, one)
    assert first(one, two) is first(two, one)
    assert last(one, one) is (SAME if name_of(one) else NONE)


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and what may be another way to write it."""
    name = draw(
        st.sampled_from([*CORES, "Van den Broeck", "Mohamed", "Youssef", "Fatima", "Janssens-Peeters", "Renault", "Bruggeman", "Jan"])
    )
    letters = list(name)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(letters) - 1))
        letters[place] = draw(st.sampled_from(["", letters[place] * 2, draw(st.sampled_from("aeioukcsztdy -'"))]))
    return name, "".join(letters)


@given(st.lists(misspelt(), min_size=1, max_size=8))
def test_a_quick_search_loses_nobody(names: list[tuple[str, str]]) -> None:
    wanted, _ = names[0]
    texts = {text for pair in names for text in pair}
    firsts, lasts, _ = near_names(Names(texts), name_of(wanted), name_of(wanted))
    assert firsts == {text for text in texts if first(wanted, text) is not NONE}
    assert lasts == {text for text in texts if last(wanted, text) is not NONE}
