"""Letters to minors: the page of their own, its tone, and what they are not told."""

import re
from datetime import date
from typing import Any

import pytest

from crm_compliance.answer_package.characters import french
from crm_compliance.answer_package.content.answer import Paragraph
from crm_compliance.answer_package.content.make_answer import answer_of
from jobs.model.answer import Addressee
from rules.model.languages import LANGUAGES
from rules.organisation.organisation import Organisation
from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.answer_package.samples import (
    ORGANISATION,
    compilation,
    neutral,
)
from tests.crm_compliance.answer_package.test_letter import letter, said
from tests.saying import texts_in


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_child_that_asked_for_something_else_is_not_told_of_a_copy(language: str) -> None:
    """EXP-10: the page says what is in the package."""
    words = texts_in(language)
    lotte = Addressee("Lotte Peeters (fictief)", is_minor=True)
    decided = answer_of(compilation(language=language, right="erasure", addressee=lotte, items=(), withheld=()), ORGANISATION).cover
    copied = answer_of(compilation(language=language, addressee=lotte), ORGANISATION).cover
    assert decided is not None
    assert copied is not None
    assert Paragraph(words.say("child", "why_decided")) in decided.blocks
    assert Paragraph(words.say("child", "why")) not in decided.blocks
    assert Paragraph(words.say("child", "why")) in copied.blocks


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("email", ["dpo@example.org", ""])
def test_an_organisation_without_a_postal_address_leaves_no_place_empty(language: str, email: str) -> None:
    """The officer's e-mail address, and where there is none that of the controller."""
    offices = {"controller": {"name": "Bureau (fictief)", "email": "info@example.org"}, "dpo": {"name": "DPO", "email": email}}
    bureau = Organisation.model_validate(ORGANISATION.model_dump(by_alias=True) | offices)
    lotte = Addressee("Lotte Peeters (fictief)", is_minor=True)
    answer = answer_of(compilation(language=language, addressee=lotte), bureau)
    assert answer.cover is not None
    said = [answer.contact, *(each.text for each in answer.cover.blocks if isinstance(each, Paragraph) and "Bureau" in each.text)]
    assert len(said) == 2
    for each in said:
        assert each.endswith(f"Bureau (fictief), {email or 'info@example.org'}.")


def test_a_child_gets_a_page_of_its_own_first() -> None:
    """EXP-10: short sentences, 116000, together."""
    text = said(addressee=Addressee("Lotte Peeters (fictief)", is_minor=True))
    assert text.index("Voor jou") < text.index("Geachte")
    assert "Bel gratis naar 116000" in text
    assert "Vraag naar een consulent en zeg dit nummer: request-0123456789ab" in text
    assert "samen met ons lezen" in text
    assert "116000" not in said()
    sentences = re.split(
        r"[.?!]", " ".join(texts_in("nl").say("child", line) for line in ("why", "inside", "hidden", "hard", "together", "wrong"))
    )
    assert max(len(sentence.split()) for sentence in sentences) <= 16


@pytest.mark.parametrize("changes", [{"answer": "neutral"}, {"refusal": "RF-07", "right": "erasure"}], ids=["neutral", "refused"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_to_a_minor_has_a_page_for_children(language: str, changes: dict[str, Any]) -> None:
    """EXP-10: with the name that they gave and a number to call; of a package there is no word, since there
    is none."""
    lotte = Addressee("Lotte Peeters (fictief)", is_minor=True, first_name="Lotte")
    text = text_of(letter(compilation(language=language, addressee=lotte, items=(), contexts=(), withheld=(), **changes)))
    words = texts_in(language)
    assert words.say("child", "hello_name", name="Lotte") in text
    assert "116000" in text
    assert words.say("child", "why_bare") in text
    assert words.say("child", "inside") not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_to_a_minor_is_formal_and_the_page_says_so(language: str) -> None:
    """EXP-10: greeted by the name that they gave; the page before it says how the letter speaks."""
    lotte = Addressee("Lotte Peeters (fictief)", is_minor=True, first_name="Lotte")
    words = texts_in(language)
    answer = answer_of(compilation(language=language, addressee=lotte), ORGANISATION)
    assert answer.salutation == words.say("letter", "salutation_minor", name="Lotte")
    assert answer.closing == words.say("letter", "closing_minor")
    formal = {"nl": "“u”", "fr": "« vous »", "de": "„Sie“"}.get(language, "official")
    assert formal in answer.cover_end
    assert formal in answer.cover_end_page
    assert answer_of(neutral(language=language, addressee=lotte), ORGANISATION).cover_end == words.say("child", "rest_bare")
    nobody = answer_of(compilation(language=language, addressee=Addressee("", is_minor=True)), ORGANISATION)
    assert nobody.salutation == words.say("letter", "salutation")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_minor_who_takes_data_along_is_not_told_what_we_know_of_them(language: str) -> None:
    """EXP-10, RGT-10: the page says what was asked for and what is in the package."""
    lotte = Addressee("Lotte Peeters (fictief)", is_minor=True, first_name="Lotte")
    cover = answer_of(compilation(language=language, right="portability", addressee=lotte), ORGANISATION).cover
    assert cover is not None
    words = texts_in(language)
    for key, is_said in {"why_portable": True, "inside_portable": True, "why": False, "inside": False, "hidden": False}.items():
        assert (Paragraph(words.say("child", key)) in cover.blocks) is is_said, key


@pytest.mark.parametrize("scope", ["on_behalf", "on_behalf_limited"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_on_behalf_of_a_child_speaks_of_the_child(language: str, scope: str) -> None:
    """RGT-04 to RGT-09: the right that was exercised for the child, its data, its sources and its rights."""
    told = " ".join(text_of(letter(compilation(language=language, scope=scope, about="Fien Peeters (fictief)"))).split())
    usual, childs = texts_in(language), texts_in(language, on_behalf=True)
    places = {"right": usual.say("right", "access"), "received": usual.day(date(2026, 4, 20))}
    for table, key in (
        ("letter", "subject"),
        ("access", "confirm"),
        ("access", "role"),
        ("access", "your_rights_intro"),
        ("rights", "access"),
    ):
        said, otherwise = (_as_read(texts.say(table, key, **places), language) for texts in (childs, usual))
        assert said in told, key
        assert otherwise not in told, key
    assert f"{_as_read(childs.say('source', 'self'), language)}" in told
    assert _as_read(usual.say("source", "self"), language) not in told


def _as_read(text: str, language: str) -> str:
    return " ".join((french(text) if language == "fr" else text).split())
