"""The words that a letter explains."""

import re
from typing import Any

import msgspec
import pytest

from crm_compliance.answer_package.content.answer import Facts
from crm_compliance.answer_package.content.make_answer import answer_of
from jobs.model.answer import Compilation
from rules.model.languages import LANGUAGES
from rules.model.requests import Right
from tests.crm_compliance.answer_package.samples import ORGANISATION, PERSON, compilation, fiche
from tests.saying import texts_in


def explained(compiled: Compilation) -> tuple[list[str], str]:
    """The words that an answer explains, and all that it says besides."""
    answer = answer_of(compiled, ORGANISATION)
    *said, words = answer.sections
    facts = words.blocks[0]
    assert isinstance(facts, Facts)
    return [fact.label for fact in facts.facts], msgspec.json.encode(said).decode() + answer.scope


MARKETING = {"right": "objection", "contexts": (), "withheld": (), "items": (msgspec.structs.replace(PERSON, title="unsubscribe"),)}
PROFILE = {"items": (msgspec.structs.replace(PERSON, title="profile"),), "withheld": ()}


@pytest.mark.parametrize("changes", [{}, {"granted": ("item-1",), "kept": ("context-1",)}, {"granted": ("item-1",), **PROFILE}, MARKETING])
@pytest.mark.parametrize("right", [right.value for right in Right])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_explained_that_the_letter_does_not_have(language: str, right: str, changes: dict[str, Any]) -> None:
    terms, said = explained(compilation(**{"language": language, "right": right, **changes}))
    for term in terms:
        if number := re.search(r"^Arti\w+ (\d+)", term):
            assert re.search(rf"(?i)\bart(ikel|icle|\.) {number[1]}\b", said), term
        else:
            assert all(each.casefold() in said.casefold() for each in term.split(", ")), term


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_objection_to_advertising_explains_no_article_on_erasure(language: str) -> None:
    terms, said = explained(compilation(language=language, granted=("item-1",), **MARKETING))
    assert "17" not in said
    assert terms == [texts_in(language).say("words", "law")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_copy_are_explained(language: str) -> None:
    words = texts_in(language)
    terms, _ = explained(compilation(language=language, items=(fiche(2),), withheld=()))
    for word in ("dossier", "fiche", "law", "article_6", "article_9", "article_15"):
        assert words.say("words", word) in terms, word
    assert any(term.startswith("[") for term in terms)
