"""Whatever is written around them, no leak-check term is left in a redacted text, and what is the person's
own is (R-118, R-119, EXP-06)."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.redaction.leak_terms import LeakTerms
from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor
from rules.texts.disguises import as_read
from rules.texts.folding import letters_of, squeeze, squeeze_quickly, tidy
from tests.rules.redaction_cast import LOTTE, a_redactor

FIRST = st.sampled_from(["Els", "Marc", "Noël", "Marie-Claire", "Karim", "Fatıma", "Jürgen", "Jo", "Sofie", "Iris", "Mohamed", "Åse"])
LAST = st.sampled_from(
    [
        "Van den Broeck",
        "D'Hondt",
        "De Smet",
        "El Khattabi",
        "Janssens-Peeters",
        "Müller",
        "Bos",
        "Li",
        "Öztürk",
        "Lefèvre",
        "Groß",
        "Van Dijck",
        "Claes",
    ]
)
PHONE = st.integers(min_value=470000000, max_value=499999999).map(lambda number: f"+32{number}")
NOISE = st.one_of(
    st.sampled_from(
        [
            " ",
            ", ",
            "\n",
            " belde ",
            " et ",
            "(",
            ")",
            "mevrouw ",
            "M. ",
            " op 12/03/2024 ",
            " [derde 1] ",
            "\u200b",
            "-\n",
            " de ",
            "12",
            "'s ",
            "D-12 ",
        ]
    ),
    st.text(max_size=12),
)
SPLITTING = st.sampled_from(["", " ", ".", "/", " - ", "\u00a0", "-"])


# A name as somebody in a hurry writes it.
SPOILT: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "full width": lambda written: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in written),
    "invisible": "\u200b".join,
    "no-break": lambda written: written.replace(" ", "\u00a0").replace("-", "\u2011").replace("'", "\u2019"),
    "broken": lambda written: written.replace(" ", "\n").replace("-", "-\n"),
    "joined": lambda written: written.replace(" ", "").replace("-", "").replace("'", ""),
}


def somebody(key: str, role: str) -> st.SearchStrategy[Protected]:
    def alone(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
        return st.sampled_from(values).map(lambda value: (value,))

    return st.builds(
        Protected,
        st.just(key),
        st.just(role),
        names=st.tuples(st.tuples(FIRST, LAST)),
        phones=st.tuples(PHONE),
        emails=alone(["els.claes@voorbeeld.be", "o@x.be", "j.müller@beispiel.de", "a_b@sub.voorbeeld.eu"]),
        national_numbers=alone(["85.07.30-997.34", "12.48.15-997.43", "08022999889"]),
        addresses=alone(["Molenweg 7, 9000 Gent", "Rue de l'Église 12", "Hauptstraße 5", "Lange Nieuwstraat 45"]),
    )


# Each way in which somebody is written of: who it is, spoilt, and what splits a number.
Spoil = Callable[[str], str]
WRITTEN: tuple[Callable[[Protected, Spoil, str], str], ...] = (
    lambda person, spoil, split: spoil(" ".join(person.names[0])),
    lambda person, spoil, split: spoil(", ".join(reversed(person.names[0]))),
    lambda person, spoil, split: spoil(person.names[0][1]),
    lambda person, spoil, split: f"0{person.phones[0][3:6]}{split}{person.phones[0][6:]}",
    lambda person, spoil, split: f"+32{split}(0){person.phones[0][3:6]}{split}{person.phones[0][6:]}",
    lambda person, spoil, split: f"0032{person.phones[0][3:6]}{split}{person.phones[0][6:]}",
    lambda person, spoil, split: spoil(person.emails[0]),
    lambda person, spoil, split: person.national_numbers[0].replace(".", split).replace("-", split),
    lambda person, spoil, split: spoil(person.addresses[0]),
)
PEOPLE = st.tuples(*(somebody(f"person {number}", role) for number, role in enumerate(("parent", "reporter", "suspect"))))
PIECE = st.tuples(NOISE, st.integers(0, 2), st.sampled_from(WRITTEN), st.sampled_from(list(SPOILT.values())), SPLITTING, NOISE)
CASES = st.builds(
    lambda people, pieces: (
        people,
        "".join(before + write(people[who], spoil, split) + after for before, who, write, spoil, split, after in pieces),
    ),
    PEOPLE,
    st.lists(PIECE, min_size=1, max_size=6),
)


@settings(max_examples=300, deadline=None)
@given(CASES)
def test_no_leak_term_is_left_in_a_redacted_text_and_redacting_it_again_changes_nothing(case: tuple[tuple[Protected, ...], str]) -> None:
    people, text = case
    redactor = Redactor(people, LOTTE, "nl")
    once = redactor.redact(text).text
    assert LeakTerms(redactor.leak_terms()).found_in(once) == ()
    assert redactor.redact(once).text == once


REDACTOR = a_redactor()
OWN = ("Lotte Peeters", "02/475.44.99", "lotte.p@voorbeeld.be", "Kerkstraat 12", "08.02.29-998.89")
WORDS = st.lists(
    st.sampled_from(["ze", "belde", "gisteren", "en", "vroeg", "naar", "school", ",", ".", "Toen"]), min_size=1, max_size=6
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, st.sampled_from(OWN)), min_size=1, max_size=4), CASES.map(lambda case: case[1]))
def test_what_is_the_persons_own_stays_beside_whatever_goes(own: list[tuple[str, str]], others: str) -> None:
    text = " ".join(f"{words} {written} ;" for words, written in own) + " ; " + others
    redacted = REDACTOR.redact(text).text
    assert all(redacted.count(written) >= text.count(written) for _, written in own)


@given(st.text(max_size=60))
def test_the_quick_way_to_squeeze_gives_the_same_letters(text: str) -> None:
    exact = squeeze(text)
    quick = squeeze_quickly(text)
    assert quick.lower() == exact.text == letters_of(text)
    assert all(letter.isdigit() or letter.isupper() == start for letter, start in zip(quick, exact.starts, strict=True))


@settings(max_examples=500)
@given(st.text(max_size=40))
def test_a_tidy_text_has_the_same_letters(text: str) -> None:
    plain = tidy(text)
    assert len(plain.at) == len(plain.text) + 1
    one, other = squeeze(plain.text), squeeze(text)
    assert (one.text, one.starts) == (other.text, other.starts)


@given(st.text(max_size=80))
def test_any_text_can_be_redacted(text: str) -> None:
    result = REDACTOR.redact(text)
    assert result.redactions or result.text == as_read(text)


def test_the_same_name_as_the_person_is_no_leak_term() -> None:
    namesake = Protected("namesake", "witness", names=(("Lotte", "Peeters"),))
    redactor = Redactor((namesake,), Shown(names=(("Lotte", "Peeters"),)), "nl")
    assert redactor.redact("Lotte Peeters").text == "Lotte Peeters"
    assert LeakTerms(redactor.leak_terms()).found_in("Lotte Peeters") == ()
