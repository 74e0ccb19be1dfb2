"""Dutch and French say everything that English says, with the same blanks to fill; codes have words."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from crm_compliance.console.language.catalogs import catalogs, language_for
from crm_compliance.console.language.codes import WORDS, words_of
from crm_compliance.console.language.history_codes import OF_HISTORY
from crm_compliance.console.language.messages import missing
from crm_compliance.console.language.request_codes import KINDS as OF_REQUESTS
from crm_compliance.console.language.review_codes import KINDS as OF_REVIEWS
from crm_compliance.console.language.rules import families
from crm_compliance.console.language.schedule_codes import OF_SCHEDULES
from crm_compliance.console.language.step_codes import OF_STEPS
from jobs.model.plan import Kind, PlanState
from jobs.model.run import RunState
from rules.holds.placements import HoldState, HoldType
from rules.model.decisions import Flag, Reason
from rules.model.languages import UiLanguage
from rules.model.requests import RequestState
from rules.model.residual_data import ResidualPlace
from rules.model.roles import Role

OTHERS: tuple[UiLanguage, ...] = ("nl", "fr")
GLOSSARY = Path(__file__).parents[4] / "docs" / "glossary.md"
COUNT = re.compile(r"%\(num\)s")
BLANK = re.compile(r"%(?:\([a-z_]+\))?s")


def first_of(entry: Message) -> str:
    return entry.id if isinstance(entry.id, str) else entry.id[0]


def texts_of(entry: Message) -> tuple[str, ...]:
    return (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_lacks_nothing(language: UiLanguage) -> None:
    assert missing(language) == {}, "python -m crm_compliance.console.language.messages " + language


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_stands_between_two_messages_that_would_be_read_with_the_first(language: UiLanguage) -> None:
    folder = files("crm_compliance.console.language") / "catalogs" / language
    texts = [each.read_text(encoding="utf-8") for each in folder.iterdir() if each.name.endswith(".po")]
    assert [line for text in texts for line in re.findall(r'\n\n(".*)', text)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_blanks_of_its_text(language: UiLanguage) -> None:
    """What is one of something may say so in a word."""
    wrong = []
    for name, catalog in catalogs(language).items():
        for entry in catalog:
            asked = entry.id if isinstance(entry.id, str) else entry.id[-1]
            said = (entry.string,) if isinstance(entry.string, str) else entry.string or ()
            may_lack = set(COUNT.findall(asked)) if not isinstance(entry.id, str) else set()
            for one in said if entry.id else ():
                lacking, added = set(BLANK.findall(asked)) - set(BLANK.findall(one)), set(BLANK.findall(one)) - set(BLANK.findall(asked))
                if added or lacking - may_lack:
                    wrong.append((name, asked, one))
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_an_apostrophe_is_none_of_a_typewriter(language: UiLanguage) -> None:
    said = [text for catalog in catalogs(language).values() for entry in catalog if entry.id for text in texts_of(entry)]
    said += [text for family in families(language) for rule in family.rules for text in (rule.title, rule.text)]
    assert [text for text in said if re.search(r"\w'\w", text.replace("D'Hondt", ""))] == [], "that name is an example of both"


@pytest.mark.parametrize(("language", "word"), [("nl", "anonim"), ("fr", "anonym")])
def test_a_number_of_units_disposed_of_does_not_pass_for_a_number_deleted(language: UiLanguage, word: str) -> None:
    """The page of the same plan has both apart."""
    counted = re.compile(
        r"dispose$|.*(dispose of %s|disposed? of, by|it disposes of|units that a plan may dispose|^to dispose of$)", re.IGNORECASE
    )
    entries = [entry for catalog in catalogs(language).values() for entry in catalog if counted.match(str(first_of(entry)))]
    assert len(entries) > 8
    assert [text for entry in entries for text in texts_of(entry) if word not in text] == []


@pytest.mark.parametrize(
    ("language", "column", "others"), [("nl", 2, r"\bruns?\b|bevriez|opnames|registratie\b"), ("fr", 3, r"grand livre")]
)
def test_a_thing_has_the_word_of_the_glossary_and_no_other(language: UiLanguage, column: int, others: str) -> None:
    rows = [line.split("|") for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    words = {row[1].strip(): row[column].strip() for row in rows}
    named = ("recording", "hold, legal hold", "plan", "apply", "run", "ledger", "certificate of disposal", "to confirm")
    said = "\n".join(
        text.replace("\u00ad", "") for catalog in catalogs(language).values() for entry in catalog if entry.id for text in texts_of(entry)
    )
    assert [words[each] for each in named if words[each].partition(" (")[0] not in said] == []
    assert re.findall(others, BLANK.sub("", said), re.IGNORECASE) == []


@pytest.mark.parametrize("language", OTHERS)
def test_catalogs_that_share_a_text_agree_on_it(language: UiLanguage) -> None:
    said: dict[object, str] = {}
    for catalog in catalogs(language).values():
        for entry in catalog:
            if entry.id and not isinstance(entry.id, tuple | list):
                assert said.setdefault(entry.id, str(entry.string)) == entry.string, entry.id


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("flag", tuple(Flag)),
        ("hold_state", tuple(HoldState)),
        ("hold_type", tuple(HoldType)),
        ("kind", tuple(Kind)),
        ("reason", tuple(Reason)),
        ("residual_place", tuple(ResidualPlace)),
        ("role", tuple(Role)),
        ("state", (*PlanState, *RunState, *RequestState)),
    ],
)
def test_every_code_has_words(kind: str, codes: tuple[str, ...]) -> None:
    assert [code for code in codes if not WORDS[kind].get(code)] == []


def test_no_kind_of_code_takes_the_words_of_another() -> None:
    """Whoever adds a kind by a name that is in use would take away the words that pages show."""
    parts = [OF_HISTORY, OF_REQUESTS, OF_REVIEWS, OF_SCHEDULES, OF_STEPS]
    assert all(WORDS[kind] is words for part in parts for kind, words in part.items())
    assert len(set().union(*parts)) == sum(map(len, parts))


def test_a_code_without_words_is_shown_as_it_is() -> None:
    assert words_of("nl")("reason", "SOMETHING_NEW") == "SOMETHING_NEW"
    assert words_of("nl")("reason", "OPEN_DOSSIER") == "Het dossier is nog open."


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [("fr", "nl", "fr"), ("", "de;q=1, fr-BE;q=0.8, nl;q=0.9", "nl"), ("xx", "de", "en"), ("", "nl;q=x", "en")],
)
def test_a_language_is_the_chosen_one_else_the_first_of_theirs(chosen: str, accepted: str, language: str) -> None:
    assert language_for(chosen, accepted) == language
