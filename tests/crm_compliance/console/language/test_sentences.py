"""What jobs say of what they found is said in the language of the page, with all its facts."""

import re
from pathlib import Path

import pytest

from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.formats import Formats
from crm_compliance.console.language.sentences import detail_in
from jobs.model.plan import Alarm
from jobs.model.sentence import SENTENCES, Sentence
from rules.dates.calendar import Calendar
from rules.model.languages import UiLanguage

BLANK = re.compile(r"%\((\w+)\)s")


def said_in(language: UiLanguage, sentence: Sentence | str) -> tuple[str, str]:
    return detail_in(words_of(language), Formats.of(language, Calendar("UTC")), sentence)


@pytest.mark.parametrize("language", ["nl", "fr"])
@pytest.mark.parametrize("name", SENTENCES)
def test_each_language_says_every_fact(name: str, language: UiLanguage) -> None:
    blanks = set(BLANK.findall(SENTENCES[name]))
    assert set(BLANK.findall(words_of(language)("sentence", name))) == blanks
    sentence = Sentence(name, {blank: f"<{blank}>" for blank in blanks})
    text, marked = said_in(language, sentence)
    assert not marked
    assert text != str(sentence)
    assert all(f"<{blank}>" in text for blank in blanks)


def test_numbers_and_codes_are_told_as_the_language_has_them() -> None:
    queue = Sentence.of("queue_old", units=1234, role="dpo", days=30, oldest=91)
    assert said_in("nl", queue)[0] == (
        "Eenheden die meer dan 30 dagen op een beslissing wachten (Functionaris voor gegevensbescherming): 1.234, de oudste al 91 dagen"
    )
    assert said_in("nl", Sentence.of("no_run", kind="recordings", hours=49))[0] == "Opnamen: al 49 uur is geen uitvoering voltooid"
    assert said_in("fr", Sentence.of("nothing_due", median=12.5))[0].endswith("est de 12,5")


def test_what_was_stored_before_there_were_sentences_is_shown_as_it_was_written() -> None:
    assert said_in("nl", "3 units are half done") == ("3 units are half done", "en")


def test_an_alarm_answers_programs_with_code_and_english() -> None:
    alarm = Alarm.of("NOTHING_DUE", "nothing_due", median=12.0)
    assert alarm.document == {"code": "NOTHING_DUE", "message": "nothing is due; the median of the last runs is 12"}


def test_no_job_writes_a_sentence_that_there_is_not() -> None:
    """Of those that are named where an alarm or a warning is made, none lacks, and none is left over."""
    made = re.compile(r"(?:Alarm\.of\(\w+, |Sentence\.of\()\s*\"(\w+)\"|else \"(canary\w+)\"|= \"(canary\w+)\" if")
    sources = [path.read_text() for folder in ("jobs", "crm_compliance") for path in Path(folder).rglob("*.py")]
    named = {name for source in sources for found in made.findall(source) for name in found if name}
    assert named == set(SENTENCES)
