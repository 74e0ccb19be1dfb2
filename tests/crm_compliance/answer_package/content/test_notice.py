"""The letter to a recipient: the least that lets them act (GDPR art. 19, ERA-14). Everybody is fictitious."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from crm_compliance.answer_package.content.notice import TOLD_AS, language_of, notice_letter
from crm_compliance.answer_package.letter import letter_pdf
from jobs.register.decision import Decision, Known, Notice, What
from jobs.requests.decisions.correctable import FIELDS
from rules.model.languages import LANGUAGES
from rules.model.requests import Right
from tests.crm_compliance.answer_package.pages import opened, pages_of, text_of
from tests.crm_compliance.answer_package.samples import ORGANISATION
from tests.saying import texts_in

AT = datetime(2026, 5, 4, 12, 3, tzinfo=UTC)
DECISION = Decision(
    right=Right.RECTIFICATION,
    who="dora",
    at=AT,
    known=(Known("Lotte Peeters (fictief)", "2008-05-10"), Known("L. Peeters (fictief)", "2008-05-10")),
    corrected={"birth_on": "2009-05-10", "city": "", "last_name": "child"},
)


def letter(*deeds: What, language: str = "en", decision: Decision = DECISION, **changes: Any) -> bytes:
    given: dict[str, Any] = {"on": "2026-03-02", "is_named": True} | changes
    notice = Notice("Missing Example (fictief)", deeds=deeds, **given)
    return letter_pdf(notice_letter(notice, decision, ORGANISATION, reference="request-0123456789ab (1)", language=language, at=AT))


def said(*deeds: What, language: str = "en", **changes: Any) -> str:
    return text_of(letter(*deeds, language=language, **changes))


def test_a_correction_names_person_last_transmission_fields_and_new_values() -> None:
    text = said(What.CORRECT)
    for words in (
        "Rectification of personal data that you received from us",
        "Lotte Peeters (fictief) L. Peeters (fictief)",
        "Date of birth 10 May 2008",
        "Last passed on to you 2 March 2026",
        "Date of birth 10 May 2009",
        "Town or city not in this letter; please ask the data protection officer",
        "Last name child",  # a value is never taken for a code
        "Article 19",
        "unless the law that applies to you provides otherwise",
        "dpo@example.org",
    ):
        assert words in text, words


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_not_the_child_is_not_named(language: str) -> None:
    """Nobody knows whether the recipient ever had the name: the number of what was passed on stands for it,
    and no value is told."""
    text = said(What.CORRECT, language=language, is_named=False, numbers=("F2026-0000432", "F2026-0000433"))
    assert "F2026-0000432 F2026-0000433" in text
    assert texts_in(language).say("notice", "unnamed") in text
    assert not [word for word in ("Peeters", "2008", "2009", "child") if word in text]


@pytest.mark.parametrize("deed", [What.ERASE, What.DISOWN, What.NO_CALLER, What.RESTRICT, What.ANNOTATE])
def test_other_deeds_tell_no_field_and_no_value(deed: What) -> None:
    text = said(deed)
    assert "Lotte Peeters" in text
    assert "2009" not in text
    assert "Town" not in text


def test_whose_role_was_removed_is_told_as_an_erasure() -> None:
    """The recipient is not told what the person was in the file."""
    assert said(What.DISOWN) == said(What.NO_CALLER) == said(What.ERASE)
    assert said(What.DISOWN, What.ERASE) == said(What.ERASE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("deed", list(TOLD_AS))
def test_every_deed_has_its_letter_in_every_language(language: str, deed: What) -> None:
    """EXP-11, EXP-12: tagged, PDF/A, and without a name in what is not shown."""
    pdf = letter(deed, language=language, country="GB")
    texts = texts_in(language)
    assert texts.say("notice", f"ask_{TOLD_AS[deed]}") in text_of(pdf)
    assert texts.country("GB") in text_of(pdf)
    with opened(pdf) as file:
        xmp = file.Root.Metadata.read_bytes().decode()
        assert re.search(r"<pdfaid:part>2</pdfaid:part>\s*<pdfaid:conformance>A</pdfaid:conformance>", xmp)
        assert str(file.Root.Lang).startswith(language)
        assert not [word for word in ("Lotte", "Missing Example") if word in xmp + str(file.docinfo)]


def test_no_page_has_the_last_sentence_alone() -> None:
    """However much the letter says, the last sentence goes with the signature."""
    for count in range(1, 13):
        decision = msgspec.structs.replace(DECISION, corrected=dict.fromkeys(sorted(set(FIELDS.values()))[:count], ""))
        last = pages_of(letter(What.CORRECT, What.RESTRICT, language="de", decision=decision))[-1]
        assert texts_in("de").say("letter", "closing") in last, count


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_that_can_be_corrected_has_a_label(language: str) -> None:
    assert [name for name in FIELDS.values() if not texts_in(language).knows("field", name)] == []


def test_a_recipient_is_written_to_in_the_language_of_its_country_where_that_has_one() -> None:
    """EXP-11: else in the organisation's own; the language of the request is the requester's."""
    found = {
        country: language_of(Notice("Missing Example (fictief)", country=country), "nl") for country in ("FR", "de", "GB", "BE", "", "JP")
    }
    assert found == {"FR": "fr", "de": "de", "GB": "en", "BE": "nl", "": "nl", "JP": "nl"}


def test_what_is_not_known_is_left_out_or_said() -> None:
    unknown = msgspec.structs.replace(DECISION, known=(Known("Lotte Peeters (fictief)"),))
    text = text_of(letter(What.ERASE, on="", decision=unknown))
    assert "on a date that was not recorded" in text
    assert "Date of birth" not in text
    assert "Belgium" not in said(What.ERASE, country="BE")
