"""The words of letters and packages."""

from __future__ import annotations

import re
import string
import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

import pytest

from crm_compliance.packages.wording import LANGUAGES, texts_in
from jobs import disclosure
from rules.full_records import FULL
from rules.purposes import PURPOSES
from rules.subject_requests import Right


def places_in(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def tables(language: str) -> dict[str, Any]:
    return tomllib.loads((files("crm_compliance.packages") / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_with_the_same_places(language: str) -> None:
    """EXP-11."""
    dutch, other = tables("nl"), tables(language)
    assert dutch.keys() == other.keys()
    for name, table in dutch.items():
        if isinstance(table, dict):
            assert table.keys() == other[name].keys(), name
            assert {key: places_in(text) for key, text in table.items()} == {key: places_in(text) for key, text in other[name].items()}
            assert all(text.strip() for text in other[name].values()), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_that_an_answer_speaks_in_has_words(language: str) -> None:
    texts = texts_in(language)
    codes = {
        "purpose": PURPOSES,
        "data_category": disclosure.DATA_CATEGORIES,
        "recipient_category": disclosure.RECIPIENT_CATEGORIES,
        "source": disclosure.SOURCES,
        "criterion": [code for code in disclosure.CRITERIA if code],
        "basis": disclosure.BASES,
        "withheld": disclosure.WITHHELD_CLASSES,
        "right": [right.value for right in Right],
        "rights": [right.value for right in Right],
        "refusal": [f"RF-{number:02}" for number in range(1, 9)],
        "refusal_more": [f"RF-{number:02}" for number in range(1, 9)],
        "kind": [kind for kind in FULL if kind != "statistic"],
    }
    assert [(table, code) for table, wanted in codes.items() for code in wanted if not texts.knows(table, code)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_that_may_be_told_has_a_label(language: str) -> None:
    from rules.structured_fields import ShownTo, rule_for

    told = {
        name
        for kind, record in FULL.items()
        if kind != "statistic"
        for name in record.__struct_fields__
        if _is_told(rule_for(kind, name), ShownTo.NEVER)
    }
    assert sorted(name for name in told if not texts_in(language).knows("field", name)) == []


def _is_told(rule: Any, never: Any) -> bool:
    return rule.shown is not never


def test_an_unknown_language_is_dutch() -> None:
    """EXP-11, R-122."""
    assert texts_in("es").language == "nl"


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("nl", "4 mei 2026", "4 mei 2026, 14:03 (UTC+02:00)"),
        ("fr", "4 mai 2026", "4 mai 2026, 14:03 (UTC+02:00)"),
        ("de", "4. Mai 2026", "4. Mai 2026, 14:03 (UTC+02:00)"),
        ("en", "4 May 2026", "4 May 2026, 14:03 (UTC+02:00)"),
    ],
)
def test_days_and_hours_are_written_as_people_write_them(language: str, day: str, moment: str) -> None:
    """EXP-12: Brussels time with its offset."""
    texts = texts_in(language)
    assert texts.day(date(2026, 5, 4)) == day
    assert texts.moment(datetime(2026, 5, 4, 12, 3, tzinfo=UTC)) == moment
    assert texts.value("2026-05-04") == day
    assert texts.value("2026-05-04T12:03:00Z") == moment


def test_an_hour_in_winter_has_the_offset_of_winter() -> None:
    assert texts_in("nl").moment(datetime(2026, 1, 31, 23, 30, tzinfo=UTC)) == "1 februari 2026, 00:30 (UTC+01:00)"


@pytest.mark.parametrize("value", ["2026-13-45", "2026-02-30", "T is a letter", "=1+1", "1234-56-78", ""])
def test_what_only_looks_like_a_date_stays_as_it_is(value: str) -> None:
    assert texts_in("nl").value(value) == value


def test_values_are_said_in_words() -> None:
    texts = texts_in("fr")
    assert (texts.value(True), texts.value("telephone"), texts.value(25.5), texts.value(7)) == ("oui", "téléphone", "25,50", "7")


def test_the_neutral_texts_name_no_right_but_the_article() -> None:
    for language in LANGUAGES:
        text = texts_in(language).say("neutral", "text", article="17")
        assert re.findall(r"\d+", text) == ["17"]
