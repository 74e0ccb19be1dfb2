"""What must occur in no file of a package is found in whatever a file makes of it (R-118, R-119, R-142). All
people are fictitious."""

import html
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.redaction.leak_terms import CLASSES, LeakTerms, leak_term, name_leak_term
from rules.redaction.people import Protected, Shown
from tests.rules.redaction_cast import a_redactor

STORED = a_redactor().leak_terms()
LEAK_TERMS = LeakTerms(STORED)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("Els Peeters", ("name",)),
        ("PEETERS, Els", ("name",)),
        ("de heer Vandenbroeck", ("name",)),
        ("Van den\nBroeck", ("name",)),
        ("El-Khat-\ntabi", ("name",)),
        ("Noe\u0308l Dhondt", ("name",)),
        ("melding_de-smet.pdf", ("name",)),
        ("els.peeters@voorbeeld.be", ("name", "email")),
        ("KATRIEN@voorbeeld.be", ("email",)),
        ("0475 12 34 56", ("phone",)),
        ("+32 (0)475/12.34.56", ("phone",)),
        ("tel:0032475123456", ("phone",)),
        ("85.07.30-997.34", ("national_number",)),
        ("85073099734", ("national_number",)),
        ("Molenweg 7 te 9000 Gent", ("address",)),
        ("Molenweg 71 in 9000 Gent", ()),
        ("Molenweg 7\n9000 Gent", ("address",)),
        ("Els Peeters 0475123456", ("name", "phone")),
        ("", ()),
        ("Lotte Peeters, Kerkstraat 12, 02 475 44 99, lotte.p@voorbeeld.be, 08.02.29-998.89", ()),
        ("Peeters", ()),
        ("[ouder] belde [getuige 1], [telefoonnummer]", ()),
        ("10475123456789", ()),
        ("smeten", ()),
        ("wouterson", ()),
    ],
)
def test_a_leak_term_is_found_by_its_class(text: str, classes: tuple[str, ...]) -> None:
    assert LEAK_TERMS.found_in(text) == classes


@pytest.mark.parametrize(
    "file",
    [
        json.dumps({"tekst": "zag\nNoël D'Hondt\n"}),
        json.dumps({"tekst": "zag\nNoël D'Hondt\n"}, ensure_ascii=False),
        f"<p>zag <b>No&euml;l</b>&nbsp;{html.escape(chr(68) + chr(39) + 'Hondt')}</p>",
        '<img alt="Noël D\'Hondt" src="data:image/png;base64,AAAA">',
        'tekst;"zag Noël D’Hondt"\r\n',
        "/Title (zag Noel Dhondt)",
    ],
)
def test_a_leak_term_is_found_in_what_a_file_escapes(file: str) -> None:
    assert LEAK_TERMS.found_in(file) == ("name",)


def test_content_in_base64_is_no_text() -> None:
    assert LeakTerms([name_leak_term("", "Claes")]).found_in('<img src="data:image/png;base64,+Claes/Claes+Claes=">') == ()


def test_the_stored_form_survives_json() -> None:
    assert LeakTerms(json.loads(json.dumps(STORED))).found_in("Katrien de Smet") == ("name",)


def test_a_plain_string_is_searched_as_it_is() -> None:
    leak_terms = LeakTerms(["Els Peeters", "0475123456"])
    assert leak_terms.found_in("els peeters") == ("text",)
    assert leak_terms.found_in("0475 12 34 56") == ("text",)
    assert leak_terms.found_in("10475 12 34 56") == ()


def test_an_unknown_class_is_a_part_of_a_plain_string() -> None:
    assert LeakTerms(["ref:Zwaluw"]).found_in("ref zwaluw") == ("text",)


def test_a_surname_that_is_a_word_is_looked_for_as_a_part_of_the_full_name_only() -> None:
    leak_terms = LeakTerms([name_leak_term("Roos", "Vrijdag"), name_leak_term("Jo", "De Wit")])
    assert leak_terms.found_in("Vrijdag was het wit. De Wit, Roos") == ()
    assert leak_terms.found_in("Vrijdag Roos") == ("name",)
    assert leak_terms.found_in("Jo De Wit") == ("name",)


def test_two_words_at_the_ends_of_a_table_are_no_name() -> None:
    leak_terms = LeakTerms([name_leak_term("Roos", "Vrijdag")])
    assert leak_terms.found_in("Roos          |  Vrijdag") == ()
    assert leak_terms.found_in("Roos  Vrijdag") == ("name",)


def test_what_is_known_to_be_there_is_no_find() -> None:
    """A surname that a letter happens to have; the full name is still found."""
    letter = "Met vriendelijke groeten, de functionaris Bewaring"
    leak_terms = LeakTerms([name_leak_term("Jo", "Bewaring")])
    assert leak_terms.found_in(letter) == ("name",)
    assert leak_terms.found_in(letter, leak_terms.hits_in(letter)) == ()
    assert leak_terms.found_in("Jo Bewaring", leak_terms.hits_in(letter)) == ("name",)


def test_a_short_surname_is_not_made_of_the_ends_of_words() -> None:
    leak_terms = LeakTerms([name_leak_term("", "Maes")])
    assert leak_terms.found_in("ma es, kamaes en maesland") == ()
    assert leak_terms.found_in("Maes' auto") == ("name",)


def test_a_leak_term_inside_the_persons_own_address_is_theirs() -> None:
    """A child that writes from the mother's address."""
    mother = Protected("m", "parent", names=(("Els", "Peeters"),))
    shown = Shown(names=(("Lotte", "Peeters"),), emails=("els.peeters@voorbeeld.be",))
    redactor = a_redactor(mother, shown=shown)
    leak_terms = LeakTerms(redactor.leak_terms())
    assert redactor.redact("els.peeters@voorbeeld.be of Els Peeters").text == "els.peeters@voorbeeld.be of [ouder]"
    assert leak_terms.found_in("els.peeters@voorbeeld.be") == ()
    assert leak_terms.found_in("els.peeters@voorbeeld.be Els Peeters") == ("name",)


def test_nothing_found_tells_what_it_was() -> None:
    """R-142: a class is told, never the term."""
    assert set(LEAK_TERMS.found_in(" ".join(value.partition(":")[2].replace("|", " ") for value in STORED))) <= set(CLASSES)


def test_what_is_typed_where_nothing_is_known_is_no_leak_term() -> None:
    """A CRM has `n/a` for an e-mail address, `niet bekend` for a number, a town for a street."""
    person = Protected(
        "a",
        "witness",
        names=(("Onbekend", ""),),
        emails=("n/a",),
        phones=("anoniem",),
        national_numbers=("niet bekend",),
        addresses=("9000 Gent", "Gent"),
    )
    leak_terms = a_redactor(person).leak_terms()
    assert LeakTerms(leak_terms).found_in("n/a na niet bekend, onbekend, anoniem, 9000 Gent") == ()


def test_no_leak_terms_find_nothing() -> None:
    assert LeakTerms(()).found_in("Els Peeters") == ()


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_leak_term_is_found_between_any_two_texts(before: str, after: str) -> None:
    assert "phone" in LEAK_TERMS.found_in(f"{before} | +32475123456 | {after}")


def test_two_hundred_leak_terms_are_looked_for_in_five_megabytes_within_seconds() -> None:
    people = [name_leak_term(f"Voornaam{number}", f"Achternaam{number:03d}x{'abcdefghij'[number % 10]}") for number in range(140)]
    phones = [leak_term("phone", f"+324700000{number:02d}") for number in range(60)]
    text = ("De melder vertelt dat het meisje gisteren om 14:30 niet op school wàs. " * 80_000)[:5_000_000]
    leak_terms = LeakTerms([*people, *phones])
    began = time.process_time()
    assert leak_terms.found_in(text) == ()
    assert not leak_terms.are_nearly_in(text)
    assert time.process_time() - began < 10  # of the processor, whoever else works on the machine: under two seconds


def test_a_character_reference_of_any_length_is_no_reason_to_fail() -> None:
    assert LeakTerms([name_leak_term("", "Quaghebeur")]).found_in("&#" + "9" * 5_000 + "; &#0000000081;uaghebeur") == ("name",)
