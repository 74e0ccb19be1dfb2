"""The words of letters and packages."""

import re
import string
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any, get_args

import pytest

from crm_compliance.answer_package.content import wording
from crm_compliance.answer_package.content.wording import NO_WORDS, ON_BEHALF
from jobs.model import answer
from jobs.requests.context.transmissions import PROCESSOR
from jobs.requests.search.scope import MENTION
from rules.model.languages import LANGUAGES
from rules.model.personal_records import FULL, PARTICIPATIONS, TOOK_PART
from rules.model.purposes import PURPOSES
from rules.model.requests import Right
from rules.organisation.words import Words
from rules.rights.withholding import CLASSES
from tests.saying import SHIPPED, texts_in


def places_in(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def tables(language: str) -> dict[str, Any]:
    return tomllib.loads((files("crm_compliance.answer_package") / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


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
        "data_category": get_args(answer.DataCategory),
        "recipient_category": [PROCESSOR.name],
        "source": get_args(answer.Source),
        "criterion": get_args(answer.Criterion),
        "basis": get_args(answer.Basis),
        "withheld": ["voice", "image", "attachment", "text", "item", MENTION, *CLASSES],
        "right": [right.value for right in Right],
        "rights": [right.value for right in Right],
        "refusal": [f"RF-{number:02}" for number in range(1, 9)],
        "refusal_more": [f"RF-{number:02}" for number in range(1, 9)],
        "kind": [kind for kind in FULL if kind != "statistic"],
        "value": [*PARTICIPATIONS.values(), TOOK_PART],
    }
    assert [(table, code) for table, wanted in codes.items() for code in wanted if not texts.knows(table, code)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_that_may_be_told_has_a_label(language: str) -> None:
    from rules.rights.fields import ShownTo, rule_for

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
        text = texts_in(language).say("neutral", "text", article="17", authority="…")
        assert re.findall(r"\d+", text) == ["17"]


def test_what_is_said_otherwise_on_behalf_of_a_child_is_said_to_others_too() -> None:
    """A text of its own stands in the place of one that there is, with the same places."""
    dutch = tables("nl")
    for name, table in dutch.items():
        if name.endswith(ON_BEHALF):
            usual = dutch[name.removesuffix(ON_BEHALF)]
            assert {key: places_in(text) for key, text in table.items()} == {key: places_in(usual[key]) for key in table}, name


SPOKEN_OF = ("rights", "right", "source", "place", "basis", "criterion", "kind", "role", "data_category", "asked", "what")
READER = {
    "nl": r"(?i)\b(u|uw|uzelf)\b",
    "fr": r"(?i)\b(vous|votre|vos)\b",
    "de": r"\b(Sie|Ihnen|Ihre\w?)\b",
    "en": r"(?i)\b(you|your|yourself)\b",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_behalf_of_a_child_nothing_is_said_of_the_data_of_the_reader(language: str) -> None:
    """RGT-04 to RGT-09: the data, the source, the basis and the rights are the child's; a remark is of who
    made it."""
    texts = texts_in(language, on_behalf=True)
    of_the_reader = [
        (table, key)
        for table in SPOKEN_OF
        for key in tables(language)[table]
        if key not in ("not_decided", "annotate") and re.search(READER[language], texts.code(table, key))
    ]
    assert of_the_reader == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_behalf_of_a_child_a_refusal_takes_nobody_for_the_child(language: str) -> None:
    """RF-01, RF-06: the reader is not the person concerned, and the consent need not be the reader's."""
    own, behalf = texts_in(language), texts_in(language, on_behalf=True)
    assert not re.search(READER[language], behalf.code("refusal", "RF-06"))
    assert behalf.code("refusal", "RF-01") != own.code("refusal", "RF-01")


@pytest.mark.parametrize("right", [Right.ERASURE, Right.OBJECTION, Right.CONSENT_WITHDRAWAL])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_done_is_a_sentence_by_itself_before_the_one_on_what_is_in_the_way(language: str, right: Right) -> None:
    assert texts_in(language).say("outcome", right).endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
def test_apostrophes_are_those_of_print(language: str) -> None:
    assert [text for text in texts_in(language).all_texts() if re.search(r"\w'\w", text)] == []


def test_french_has_a_blank_before_high_punctuation_and_no_other_language_has() -> None:
    for language in LANGUAGES:
        for text in texts_in(language).all_texts():
            plain = re.sub(r"https?:|\{[^}]*\}:?", "·", text)
            if language == "fr":
                assert not re.search(r"[^\s·][:;?!»]|«\S", plain.replace("· :", "")), text
            else:
                assert not re.search(r"\s[:;?!]", plain), text


RELEASING = """
from crm_compliance.answer_package.leak_check import searched_files
from crm_compliance.console.language.formats import Formats
from rules.dates.calendar import Calendar
from tests.crm_compliance.answer_package.samples import ORGANISATION, compilation

list(searched_files(compilation(language="de"), (), ORGANISATION))
for language in ("nl", "fr", "en"):
    print(*Formats.of(language, Calendar()).month_and_year("2026-11"), *Formats.of(language, Calendar()).day_and_month("2026-12-01"))
"""


def test_a_search_for_leaks_changes_no_name_of_a_month_elsewhere_in_the_process() -> None:
    """In a process of its own, in which no locale has been loaded yet: the console opens its pages in the
    process that releases answers."""
    said = subprocess.run([sys.executable, "-c", RELEASING], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["nov 2026 1 dec", "nov. 2026 1 déc.", "Nov 2026 1 Dec"]


def test_a_role_a_category_and_an_amount_are_said_as_the_organisation_says_them_and_its_country_pays() -> None:
    """EXP-12: a role is called in the copy what it is called above it; the same word elsewhere is not it."""
    client = Words(nl="cliënt", fr="client", de="Klient", en="client")
    abroad = SHIPPED.model_copy(update={"digest": "abroad", "country": "GB", "words": {"role": {"child": client, "other": client}}})
    texts = wording.texts_in("en", abroad).with_words({"categories.arrears": "Rent arrears"})
    assert (texts.field("role", "child"), texts.field("role", "other"), texts.field("channel", "other")) == ("client", "client", "other")
    assert texts.field("categories", "arrears, 7") == "Rent arrears, 7"
    assert texts.field("amount", 25.5) == "£25.50"


def test_what_is_said_without_words_names_no_month_country_or_city() -> None:
    """As the locale `root` of CLDR writes it, which is not asked for it."""
    texts = texts_in(NO_WORDS)
    assert texts.day(date(2026, 5, 4)) == texts.value("2026-05-04") == "2026 M05 4"
    assert texts.moment(datetime(2026, 5, 4, 12, 3, tzinfo=UTC)) == "2026 M05 4, 14:03 (UTC+02:00)"
    assert (texts.field("amount", -1234.5), texts.value(1234.5)) == ("-€\u00a01,234.50", "1,234.50")
    assert (texts.country("BE"), texts.city, texts.with_words({"new_visit": "Visite"}).country("FR")) == ("BE", "", "FR")
