"""Pages call records what the organisation calls them, and make no mistakes of grammar for it."""

import json
import re
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.console.language.catalogs import catalogs
from crm_compliance.console.language.codes import messages, words_of
from crm_compliance.console.language.error_message import told
from crm_compliance.console.language.own_words import NONE, OwnWords, own_words_of
from crm_compliance.console.language.templates import environment_of
from rules.dates.calendar import Calendar
from rules.errors import UsageError
from rules.model.languages import UI_LANGUAGES, UiLanguage
from tests.meta.test_house import ROOT

OWN = OwnWords(
    nouns=(
        ("nl", "dossier", "Zaak", "zaken"),
        ("nl", "fiche", "Melding", "meldingen"),
        ("fr", "dossier", "Suivi", "suivis"),
        ("fr", "fiche", "Appel", "appels"),
        ("en", "dossier", "Inquiry", "inquiries"),
        ("en", "fiche", "PV", ""),
    ),
    labels=((("nl", "recording"), "Gesprek op band"),),
    tables=(("kh_zaak", "cf_dossier"), ("kh_band", "cf_recording")),
)
BLANKS = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "A dossier is open, %(dossiers)s dossiers are not", "An inquiry is open, %(dossiers)s inquiries are not"),
        ("en", "Dossier or fiche: cf_dossier", "Inquiry or PV: cf_dossier"),
        ("en", "dossiers and their fiches", "dossiers and their fiches"),  # no word for several: all of them or none
        ("nl", "De fiche gaat mee met een open dossier", "De melding gaat mee met een open zaak"),
        ("nl", "Het dossier is nog open", "Het dossier is nog open"),  # "de zaak": no article is guessed
        ("nl", "Het gaat mee met de dossiers; elk dossier", "Het gaat mee met de dossiers; elk dossier"),
        ("nl", "De fiches van de dossiers", "De meldingen van de zaken"),
        ("nl", "Een dossier en zijn fiches", "Een zaak en zijn meldingen"),
        ("nl", "Een dossier telt zodra ze er is", "Een dossier telt zodra ze er is"),
        ("nl", "Een dossier dat nog open is", "Een dossier dat nog open is"),
        ("nl", "Een dossier of fiche die eerst gaat", "Een dossier of fiche die eerst gaat"),
        ("fr", "Le dossier est ouvert", "Le suivi est ouvert"),
        ("fr", "La fiche est isolée", "La fiche est isolée"),
        ("fr", "Fiche sans dossier", "Appel sans suivi"),
        ("fr", "Dossier de preuve", "Dossier de preuve"),  # the evidence pack is no file of a person
        ("fr", "Dossiers", "Suivis"),
    ],
)
def test_a_noun_is_replaced_where_nothing_has_to_change_with_it(language: UiLanguage, text: str, said: str) -> None:
    assert OWN.reworded(language, text) == said


@pytest.mark.parametrize("language", UI_LANGUAGES)
def test_what_is_filled_in_and_what_names_no_file_stays(language: UiLanguage) -> None:
    texts = (
        messages()
        if language == "en"
        else [each for found in catalogs(language).values() for message in found for each in _texts(message.string)]
    )
    for text in texts:
        said = OWN.reworded(language, text)
        assert BLANKS.findall(said) == BLANKS.findall(text)
        assert said == text or re.search(r"\b(?:dossier|fiche)s?\b", text, re.IGNORECASE)


def test_a_table_of_the_crm_is_called_what_its_kind_is() -> None:
    word = words_of("nl", OWN)
    assert (word("table", "kh_zaak"), word("deleted", "kh_zaak"), word("table", "kh_other")) == ("Zaak", "Zaken", "kh_other")
    assert {word("table", "kh_band"), word("row", "recording"), word("unit", "recording")} == {"Gesprek op band"}
    assert word("deleted", "kh_band") == "Opnamen", "of several there is no word of the organisation's own"
    assert words_of("en", OWN)("table", "kh_band") == "Recording"


def test_the_shipped_organisation_and_files_that_cannot_be_used_have_the_words_of_the_console() -> None:
    assert own_words_of(Settings()) == NONE
    assert own_words_of(Settings(organisation=Path("nowhere.yaml"))) == NONE


@pytest.mark.parametrize(
    ("word", "is_taken"), [("Prise en charge (PEC)", True), ("L’appel", True), ("100% <b>Zaak</b>", False), ("Vraag & antwoord", False)]
)
def test_a_word_with_signs_that_a_page_reads_as_something_else_is_not_put_into_its_messages(
    tmp_path: Path, word: str, is_taken: bool
) -> None:
    path = tmp_path / "organisation.yaml"
    shipped = (ROOT / "rules/organisation/shipped/childfocus.yaml").read_text(encoding="utf-8")
    path.write_text(
        re.sub(r'(?<=  words:\n    dossier:\n      nl: )"Dossier"', json.dumps(word, ensure_ascii=False), shipped), encoding="utf-8"
    )
    own = own_words_of(Settings(organisation=path))
    assert ("nl", "dossier", word, "dossiers") in own.nouns if is_taken else not any(each[:2] == ("nl", "dossier") for each in own.nouns)
    assert words_of("nl", own)("unit", "dossier") == (word if is_taken else "Dossier")
    assert environment_of("nl", Calendar("BE"), own).from_string('{{ _("every dossier") }}').render() == "elk dossier"


def test_a_message_that_has_no_words_in_a_language_is_not_taken_for_one_that_has_some() -> None:
    """In English its nouns are the same, and it would stand on the page half in one language."""
    error = UsageError("holds by conditions are for dossiers, fiches and recordings")
    assert told("nl", error, own=OWN) == told("nl", error)


def _texts(said: object) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said) if isinstance(said, tuple) else ()
