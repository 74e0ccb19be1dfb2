"""The message that goes with the link."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crm_compliance.answer_package.leak_check import search_message
from crm_compliance.answer_package.message import message_text
from jobs.model.answer import Addressee, Compilation
from jobs.ports.outbox import LeakFound
from jobs.requests.answer.download_link import TIMES, new_link
from rules.model.languages import LANGUAGES
from rules.redaction.leak_terms import leak_term, name_leak_term
from tests.crm_compliance.answer_package.samples import AT, ORGANISATION, SENDER, compilation, neutral
from tests.saying import texts_in

LINK = "https://antwoord.example.org/d/" + "x" * 43


def message(compiled: Compilation) -> str:
    return message_text(compiled, ORGANISATION, link=LINK, until=AT, downloads=5)


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_how_the_archive_is_opened_on_each_machine(language: str, minor: bool) -> None:
    """EXP-16: the passphrase goes another way, and the link stands on a line of its own."""
    text = message(compilation(language=language, addressee=Addressee("Lotte Peeters (fictief)", is_minor=minor, first_name="Lotte")))
    for words in ("7-Zip", "WinZip", "Keka", "ZArchiver", "iZip", "Windows", "Mac", SENDER.name, "request-0123456789ab"):
        assert words in text, words
    assert LINK in text.splitlines()
    assert ("116000" in text, "letter.pdf" in text, "Lotte" in text, "UTC" in text) == (minor, not minor, minor, not minor)
    assert all(len(line) <= 78 for line in text.splitlines() if line != LINK)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_tells_nothing_of_the_answer(language: str) -> None:
    """SUS-04: a package, a refusal and a neutral answer come with the same message."""
    answers: list[dict[str, Any]] = [{}, {"refusal": "RF-02", "items": (), "right": "erasure"}]
    told = {message(compilation(language=language, **changes)) for changes in answers} | {message(neutral(language=language))}
    assert len(told) == 1
    assert not re.search(r"Peeters|AVG|RGPD|DSGVO|GDPR", told.pop())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_promises_the_link_for_as_long_as_it_works(language: str) -> None:
    """EXP-16: fourteen days to the hour; here the clocks go back in between."""
    link = new_link(datetime(2026, 10, 20, 16, 30, 59, tzinfo=UTC))
    text = " ".join(message_text(compilation(language=language), ORGANISATION, link=LINK, until=link.until, downloads=TIMES).split())
    day = texts_in(language).day(date(2026, 11, 3))
    found = re.search(re.escape(day) + r", (\d\d:\d\d) \(UTC(\+\d\d:\d\d)\)", text)
    assert found is not None, text
    promised = datetime.fromisoformat(f"2026-11-03T{found[1]}{found[2]}")
    assert found[1] == "17:30"
    assert timedelta(0) <= link.until - promised < timedelta(minutes=1)
    assert not re.search(r"tot en met|inclus|einschließlich|including", text)


def test_no_line_of_a_french_message_begins_with_its_punctuation() -> None:
    text = message(compilation(language="fr"))
    assert "\u202f?" in text
    assert not re.search(r"(?m)^[:;?!»]| [:;?!»]", text)


LOTTE = Addressee("Lotte Peeters (fictief)", is_minor=True, first_name="Lotte")
OTHERS = (name_leak_term("Els", "Geheim"), leak_term("phone", "+32470123456"))


def searched(compiled: Compilation, planted: str = "") -> None:
    search_message(compiled, lambda each: message(each) + (planted if each is compiled else ""), ORGANISATION)


@pytest.mark.parametrize("addressee", [Addressee("Lotte Peeters (fictief)"), LOTTE], ids=["adult", "minor"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("surname", ["Keka", "Link", "Zarchiver", "Telefoon", "Mei"])
def test_nobody_who_is_called_like_a_word_of_the_message_stops_it(language: str, addressee: Addressee, surname: str) -> None:
    """R-118: what the fixed words hold is not a find, and neither is the name of whom it is for."""
    leak_terms = (*OTHERS, name_leak_term("Jo", surname), name_leak_term("Lotte", "Peeters"))
    searched(compilation(language=language, addressee=addressee, leak_terms=leak_terms))


@pytest.mark.parametrize("planted", ["Els Geheim", "GEHEIM, E.", "0470 12 34 56", "0b5c8a52-1111-4222-8333-444455556666"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_must_not_be_told_is_found_in_the_message_too(language: str, planted: str) -> None:
    """EXP-06, EXP-13: it is read before everything else."""
    with pytest.raises(LeakFound) as caught:
        searched(compilation(language=language, leak_terms=OTHERS), f"\n{planted}\n")
    assert (caught.value.file, caught.value.item) == ("message.txt", "")
    assert planted not in str(caught.value)
