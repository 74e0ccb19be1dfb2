"""Whatever an act is refused with is said in the language of the page, the words of the program below it."""

import pytest

from connectors.interface.errors import ConnectorError
from crm_compliance.console.language.codes import WORDS, words_of
from crm_compliance.console.language.error_message import Said, told
from jobs.register.intake import Wrong
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.model.languages import UI_LANGUAGES, UiLanguage
from tests.crm_compliance.console.language.source_codes import codes_of_errors

# Where no page comes: commands, programs that ask the API, and what a service says in its log.
ELSEWHERE = {"certificate_broken", "channel", "channel_refused", "person_needed", "stopping", "token"}


def test_every_code_of_an_error_has_words_in_each_language() -> None:
    codes = codes_of_errors()
    assert len(codes) > 60
    assert codes.keys() >= {"not_a_hold", "standing_changed", "breaker", "approval", "crm_unreachable"}  # each is made in another way
    assert {code: place for code, place in codes.items() if not WORDS["error"].get(code)}.keys() == ELSEWHERE
    for language in UI_LANGUAGES[:2]:
        word = words_of(language)
        assert [code for code in codes.keys() - ELSEWHERE if word("error", code) == WORDS["error"][code]] == []


def test_every_mistake_of_a_form_has_words() -> None:
    assert set(WORDS["mistake"]) == set(Wrong)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "Alles ligt stil: er wordt niets uitgevoerd tot de noodstop wordt opgeheven."),
        ("fr", "Tout est arrêté\u00a0: rien n’est exécuté tant que l’arrêt n’est pas levé."),
        ("en", "Everything is stopped: nothing is applied until the stop is lifted."),
    ],
)
def test_the_words_come_first_and_the_program_below(language: UiLanguage, said: str) -> None:
    found = told(language, Refused("everything is stopped since noon", hint="lift it", code="stopped", where="plan-1"))
    assert found == (said, "", "everything is stopped since noon: lift it", "stopped", "plan-1", (), "")


def test_a_code_without_words_is_told_by_its_message() -> None:
    found = told("nl", Refused("this is new", hint=hint_to("resume"), code="something_new"))
    assert found == ("this is new", "", "", "something_new", "", (), "")


def test_a_page_says_its_own_refusals_in_full() -> None:
    error = UsageError("the schedule to try is missing", where="file", hint="choose a file or a version")
    assert told("fr", error)[:3] == (
        "le calendrier à essayer manque",
        "choisissez un fichier ou une version",
        "",
    )
    assert told("en", error)[:3] == (str(error), "choose a file or a version", "")
    assert told("nl", Refused(Said("Dit staat er al."), code="not_shown"))[:3] == ("Dit staat er al.", "", "")


def test_one_code_for_many_fields_is_told_by_the_field() -> None:
    error = UsageError("the last day of the hold is in the past", field="ends_on")
    assert told("nl", error).message.startswith("De laatste dag van de bewaarplicht")
    assert told("nl", error).detail == "the last day of the hold is in the past"
    assert told("nl", UsageError("there is no plan plan-9")).detail == "there is no plan plan-9"


def test_words_of_the_page_have_no_hint_beside_them_that_is_for_whoever_runs_the_service() -> None:
    assert str(ConnectorError("no answer").hint).startswith("look at the Web API root")
    assert told("nl", ConnectorError(Said("Het CRM antwoordt niet.")))[:2] == ("Het CRM antwoordt niet.", "")
    assert told("nl", UsageError(Said("Dit ontbreekt."), hint=Said("Vul het in."))).hint == "Vul het in."
