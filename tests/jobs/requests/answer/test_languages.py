"""In which language somebody is answered (EXP-11)."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.requests.answer.compile import language_of
from jobs.requests.answer.own_words import category_words
from tests.rules.builders import shipped_policy
from tests.saying import SHIPPED


@pytest.mark.parametrize(
    ("asked", "preferred", "answer", "languages", "expected"),
    [
        ("fr", "de", "package", ("nl", "fr", "de", "en"), "fr"),
        ("es", "de", "package", ("nl", "fr", "de", "en"), "de"),
        ("es", "de", "neutral", ("nl", "fr", "de", "en"), "nl"),
        ("es", None, "package", ("en", "fr"), "en"),
        ("nl", "de", "package", ("en", "fr"), "en"),
        ("nl", "fr", "package", ("en", "fr"), "fr"),
    ],
)
def test_nobody_is_answered_in_a_language_in_which_the_organisation_does_not_write(
    asked: str, preferred: str | None, answer: str, languages: tuple[str, ...], expected: str
) -> None:
    """EXP-11, R-122; a neutral answer follows nothing that only the file shows (SUS-04)."""
    request: Any = SimpleNamespace(language=asked)
    found: Any = SimpleNamespace(
        entitlement=SimpleNamespace(answer=answer),
        people=SimpleNamespace(requester={"c"}),
        material=SimpleNamespace(contacts={"c": SimpleNamespace(language=preferred)}),
    )
    assert language_of(request, found, languages) == expected


def test_a_category_without_a_word_of_the_organisation_is_called_what_the_schedule_calls_it() -> None:
    """EXP-12: nobody is told a key. Several that go by one row have no name in it."""
    item: Any = SimpleNamespace(fields=[SimpleNamespace(name="categories", value="social_card, runaway, sexting, 745610003")])
    silent = SHIPPED.model_copy(update={"words": {}})
    told = category_words(shipped_policy(), silent, [item], "de")
    assert told == {
        "categories.social_card": "Anfrage außerhalb unserer Zuständigkeit (Sozialkarte)",
        "categories.runaway": "Weglaufen",
    }
    assert category_words(shipped_policy(), SHIPPED, [item], "de") == {}
