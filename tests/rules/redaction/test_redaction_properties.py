"""Whatever is written around them, no needle is left in a redacted text, and what is the person's own is
(R-118, R-119, EXP-06)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.redaction.needles import Needles
from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor
from rules.texts.disguises import as_read
from rules.texts.folding import squeeze, squeeze_quickly, tidy
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


def _spoilt(draw: st.DrawFn, written: str) -> str:
    """A name as somebody in a hurry writes it."""
    change = draw(st.sampled_from(["as it is", "upper", "lower", "title", "full width", "invisible", "no-break", "broken", "joined"]))
    match change:
        case "upper":
            return written.upper()
        case "lower":
            return written.lower()
        case "title":
            return written.title()
        case "full width":
            return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in written)
        case "invisible":
            return "\u200b".join(written)
        case "no-break":
            return written.replace(" ", "\u00a0").replace("-", "\u2011").replace("'", "\u2019")
        case "broken":
            return written.replace(" ", "\n").replace("-", "-\n")
        case "joined":
            return written.replace(" ", "").replace("-", "").replace("'", "")
    return written


@st.composite
def somebody(draw: st.DrawFn, key: str, role: str) -> Protected:
    return Protected(
        key,
        role,
        names=((draw(FIRST), draw(LAST)),),
        phones=(draw(PHONE),),
        emails=(draw(st.sampled_from(["els.claes@voorbeeld.be", "o@x.be", "j.müller@beispiel.de", "a_b@sub.voorbeeld.eu"])),),
        national_numbers=(draw(st.sampled_from(["85.07.30-997.34", "12.48.15-997.43", "08022999889"])),),
        addresses=(draw(st.sampled_from(["Molenweg 7, 9000 Gent", "Rue de l'Église 12", "Hauptstraße 5", "Lange Nieuwstraat 45"])),),
    )


@st.composite
def texts_about(draw: st.DrawFn, people: tuple[Protected, ...]) -> str:
    pieces: list[str] = []
    for _ in range(draw(st.integers(min_value=1, max_value=6))):
        person = draw(st.sampled_from(people))
        first, last = person.names[0]
        number, rest = person.phones[0][3:6], person.phones[0][6:]
        split = draw(SPLITTING)
        pieces.append(draw(NOISE))
        pieces.append(
            draw(
                st.sampled_from(
                    [
                        _spoilt(draw, f"{first} {last}"),
                        _spoilt(draw, f"{last}, {first}"),
                        _spoilt(draw, last),
                        f"0{number}{split}{rest}",
                        f"+32{split}(0){number}{split}{rest}",
                        f"0032{number}{split}{rest}",
                        _spoilt(draw, person.emails[0]),
                        person.national_numbers[0].replace(".", split).replace("-", split),
                        _spoilt(draw, person.addresses[0]),
                    ]
                )
            )
        )
        pieces.append(draw(NOISE))
    return "".join(pieces)


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Protected, ...], str]:
    people = tuple(draw(somebody(f"person {number}", role)) for number, role in enumerate(("parent", "reporter", "suspect")))
    return people, draw(texts_about(people))


@settings(max_examples=300, deadline=None)
@given(cases())
def test_no_needle_is_left_in_a_redacted_text(case: tuple[tuple[Protected, ...], str]) -> None:
    people, text = case
    redactor = Redactor(people, LOTTE, "nl")
    result = redactor.redact(text)
    assert Needles(redactor.needles()).found_in(result.text) == ()


@settings(max_examples=200, deadline=None)
@given(cases())
def test_a_redacted_text_does_not_change_when_it_is_redacted_again(case: tuple[tuple[Protected, ...], str]) -> None:
    people, text = case
    redactor = Redactor(people, LOTTE, "nl")
    once = redactor.redact(text)
    assert redactor.redact(once.text).text == once.text


OWN = ("Lotte Peeters", "02/475.44.99", "lotte.p@voorbeeld.be", "Kerkstraat 12", "08.02.29-998.89")
WORDS = st.lists(
    st.sampled_from(["ze", "belde", "gisteren", "en", "vroeg", "naar", "school", ",", ".", "Toen"]), min_size=1, max_size=6
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, st.sampled_from(OWN)), min_size=1, max_size=4), cases().map(lambda case: case[1]))
def test_what_is_the_persons_own_stays_beside_whatever_goes(own: list[tuple[str, str]], others: str) -> None:
    text = " ".join(f"{words} {written} ;" for words, written in own) + " ; " + others
    redacted = a_redactor().redact(text).text
    assert all(redacted.count(written) >= text.count(written) for _, written in own)


@given(st.text(max_size=60))
def test_the_quick_way_to_squeeze_gives_the_same_letters(text: str) -> None:
    exact = squeeze(text)
    quick = squeeze_quickly(text)
    assert quick.lower() == exact.text
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
    result = a_redactor().redact(text)
    assert result.redactions or result.text == as_read(text)


def test_the_same_name_as_the_person_is_no_needle() -> None:
    namesake = Protected("namesake", "witness", names=(("Lotte", "Peeters"),))
    redactor = Redactor((namesake,), Shown(names=(("Lotte", "Peeters"),)), "nl")
    assert redactor.redact("Lotte Peeters").text == "Lotte Peeters"
    assert Needles(redactor.needles()).found_in("Lotte Peeters") == ()
