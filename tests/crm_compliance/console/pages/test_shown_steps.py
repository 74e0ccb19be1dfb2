"""Every step that a rule can make is told in words: no name of data, no code by itself, no bare day."""

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest
from hypothesis import given

import jobs.plans.questions.explain
import jobs.plans.questions.explain_contact
import rules.law.decision_steps
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.catalogs import translations
from crm_compliance.console.language.codes import WORDS, words_of
from crm_compliance.console.language.formats import Formats
from crm_compliance.console.pages.conclusions import period
from crm_compliance.console.pages.shown_steps import Shown, shown
from crm_compliance.reports.why import hidden_from
from rules.dates.calendar import Calendar
from rules.holds.holds import Holds
from rules.law.decision_steps import explain_each
from rules.model.decisions import Step
from rules.model.languages import UiLanguage
from rules.model.records import Unit, UnitKind
from rules.policy.categories import Anchor, Outcome
from rules.policy.policy import Policy
from rules.retention.clocks import BIRTH, COMMUNICATED_ON, CREATED_ON, STARTED_ON
from tests.rules.builders import POLICY, a_child, a_dossier, a_fiche
from tests.rules.strategies import AS_OF, examples, group, holds, policies, units

OF_BIRTH = hidden_from(sees_holds=True)

DATA_NAME = re.compile(r"[a-z]+_[a-z_]+|\d{4}-\d{2}-\d{2}|[A-Z]{3,}_[A-Z_]+|\bP\d+[MY]\b|\bTrue\b|\bNone\b")
MOMENTS = {"first_fiche_on": "2026-01-01", "last_activity": "2026-01-01", "created_on_used": False}
UNIT_ID = "0f0e0d0c-0000-4000-8000-000000000001"


def visit_in(language: UiLanguage) -> Visit:
    """All that the words of a step ask of a visit."""
    said, formats = translations(language), Formats.of(language, Calendar())
    visit = SimpleNamespace(
        language=language,
        say=said.ugettext,
        say_counted=lambda one, many, count: said.ungettext(one, many, count) % formats.number(count),
        word=words_of(language),
        category=lambda key: f"category {len(key)}",
        formats=formats,
    )
    return cast("Visit", visit)


def texts(step: Shown) -> Iterator[str]:
    yield step.so
    yield from (each.text for each in step.because)
    for name, values, _ in step.inputs:
        yield name
        yield from (each.text for each in values)


def bare(language: UiLanguage, steps: list[Step]) -> list[str]:
    """The texts that are not words; one sentence names a filler as the CRM writes it."""
    found = (text for step in shown(visit_in(language), steps, OF_BIRTH) for text in texts(step))
    return [text for text in found if DATA_NAME.search(text.replace("1900-01-01", ""))]


@examples(40)  # of five units
@given(some=group(5, units()), policy=policies(), held=holds())
def test_no_step_of_any_unit_shows_a_name_of_data(some: list[Unit], policy: Policy, held: Holds) -> None:
    for _, steps in explain_each(some, policy, held, AS_OF):
        assert bare("nl", steps) == []


def names_in(module: ModuleType) -> set[str]:
    """Every name that a module writes into a mapping: what its steps can ask or give."""
    tree = ast.parse(inspect.getsource(module))
    keys = [key for each in ast.walk(tree) if isinstance(each, ast.Dict) for key in each.keys]
    keys += [each.slice for each in ast.walk(tree) if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store)]
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def test_every_name_that_a_step_can_have_has_words() -> None:
    names = names_in(rules.law.decision_steps) | names_in(jobs.plans.questions.explain) | names_in(jobs.plans.questions.explain_contact)
    assert {"fiches", "last_activity", "proceedings_ended_on", "follows", "contacts_that_point_here"} <= names
    assert sorted(names - set(WORDS["input"])) == []
    assert sorted(set(WORDS["input"]) - names) == [], "words for nothing"


def test_every_date_that_a_period_counts_from_has_words() -> None:
    dates = {*Anchor, STARTED_ON, COMMUNICATED_ON, CREATED_ON, BIRTH}
    assert sorted(dates - set(WORDS["counted"]) - set(WORDS["anchor"])) == []
    assert set(UnitKind) == set(WORDS["step_row"])
    assert set(Outcome) == set(WORDS["case"])


@pytest.mark.parametrize(
    ("step", "so"),
    [
        (Step("RET-01", {"dossiers": [UNIT_ID]}, f"the fiche goes with the last of them, {UNIT_ID}"), "het laatste van haar dossiers"),
        (Step("RET-03", {"owner": "delete"}, "keep"), "Het blijft bewaard."),
        (Step("RET-05", {"belongs_to": f"fiche {UNIT_ID}"}, f"it goes with cf_dossier {UNIT_ID}"), "Het gaat daarmee mee."),
        (Step("RET-20", {f"cf_dossier {UNIT_ID}": "EXPIRED"}, "1 units that stay refer to this contact"), "1 eenheid die blijft"),
        (Step("RET-20", {}, "0 units that stay refer to this contact"), "0 eenheden die blijven"),
        (Step("RET-20", {"contacts_that_point_here": 2, "activities_about_others": 0}, "1 of these stay"), "houdt het contact tegen"),
        (Step("RET-20", {"in_no_unit": 2}, "keep"), "Het blijft bewaard."),
        (Step("RET-20", {"mentioned_by_others": 1}, "keep"), "Het blijft bewaard."),
        (Step("HLD-04", {"contact": "its own row"}, ["HOLD_LEGAL"]), "Een bewaarplicht houdt het tegen:"),
        (Step("RET-20", {"relation": True}, "trimmed"), "beperkt tot wat die nodig heeft"),
        (Step("RET-06", {"category": "donation"}, False), "stelt voor deze categorie geen einde"),
    ],
)
def test_steps_of_contacts_files_and_relations_are_told(step: Step, so: str) -> None:
    assert bare("nl", [step]) == []
    (told,) = shown(visit_in("nl"), [step], OF_BIRTH)
    assert so in told.so


@pytest.mark.parametrize(
    ("language", "end", "age", "kept"),
    [
        ("nl", "Het einde van de bewaring is 20 sep 2026, door de categorie", "Termijn: 18 jaar", "Het wordt geanonimiseerd."),
        ("fr", "La fin de conservation est le 20 sept. 2026, par la catégorie", "Délai: 18 ans", "C’est anonymisé."),
        ("en", "The retention end is 20 Sept 2026, by the category", "Period: 18 years", "It is anonymised."),
    ],
)
def test_a_decision_reads_as_sentences(language: UiLanguage, end: str, age: str, kept: str) -> None:
    fiche = a_fiche("grooming", communicated_on=date(2026, 3, 20))
    dossier = a_dossier(fiche, children=[a_child(birth_on=date(2007, 9, 1))])
    ((_, steps),) = explain_each([dossier], POLICY, Holds.none(), AS_OF)
    told = list(shown(visit_in(language), steps, OF_BIRTH))
    written = "\n".join([*(text for step in told for text in texts(step)), *_pairs(told)])
    assert end in written
    assert age in written
    assert kept in written
    assert "2007" not in written, "nobody's birth date"
    assert bare(language, steps) == []


def _pairs(told: list[Shown]) -> list[str]:
    return [f"{name}: {'; '.join(each.text for each in values)}" for step in told for name, values, _ in step.inputs]


def test_what_is_empty_is_left_out_and_a_long_list_shows_its_ends() -> None:
    (step,) = shown(
        visit_in("en"), [Step("RET-07", {"fiches": [{"communicated_on": "2026-01-01"}] * 30, "reopened_on": None}, MOMENTS)], OF_BIRTH
    )
    ((name, values, _),) = step.inputs
    assert name == "Fiches"
    assert [each.text for each in values][3:6] == ["communicated on: 1 Jan 2026", "… (22) …", "communicated on: 1 Jan 2026"]


@pytest.mark.parametrize(("text", "words"), [("P6M", "6 mois"), ("P24M", "2 ans"), ("P1Y", "1 an"), ("", "")])
def test_a_period_is_told_in_words(text: str, words: str) -> None:
    assert period(visit_in("fr"), text) == words


def test_a_step_that_no_rule_makes_is_refused() -> None:
    with pytest.raises(ValueError, match="RET-99"):
        list(shown(visit_in("en"), [Step("RET-99", {"something": 1}, True)], OF_BIRTH))
