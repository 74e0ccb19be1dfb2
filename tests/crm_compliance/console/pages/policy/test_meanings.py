"""What a change of the schedule means, in the language of the page: no key of the file without words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from crm_compliance.console.language.codes import WORDS
from crm_compliance.console.pages.policy.meanings import PERIOD, Meaning, meaning
from rules.model.languages import UiLanguage
from rules.policy.categories import Category
from rules.policy.diff import differences
from rules.policy.limits import CategoryLimit, Limits, Quarantine
from rules.policy.policy import Policy, PolicyFile
from tests.crm_compliance.console.pages.test_shown_steps import visit_in
from tests.rules.builders import NO_TERM, POLICY, UNTIL_25, a_policy, shipped_policy
from tests.rules.strategies import ODD_POLICY

FIVE = {"type": "years_after", "years": 5, "anchor": ["proceedings_ended_on", "closed_on"], "disposition": "delete"}
TOLD_OTHERWISE = {"type", "derive", "categories", "enabled", "disposition", "open_blocks", "bypass", *PERIOD}


def meanings(language: UiLanguage, old: Policy, new: Policy) -> dict[str, Meaning]:
    return {change.where: meaning(visit_in(language), change, old, new) for change in differences(old, new)}


def test_every_key_of_a_schedule_has_words() -> None:
    def key(model: Any) -> set[str]:
        return {field.alias or name for name, field in model.model_fields.items()}

    rows: set[str] = set().union(*(key(each) for each in get_args(get_args(Category)[0])))
    assert sorted(rows - TOLD_OTHERWISE - set(WORDS["row_key"])) == []
    assert sorted(key(PolicyFile) - TOLD_OTHERWISE - set(WORDS["schedule_key"])) == []
    nested = {f"{above}.{name}" for above, model in below(PolicyFile) for name in key(model)}
    assert len(nested) > 60
    words = set(WORDS["schedule_part"])
    assert sorted(each for each in nested - set(WORDS["schedule_key"]) if each.rpartition(".")[2] not in words) == []


def below(model: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """The models of a schedule's keys outside its rows, each with its place; of a list with the place of the
    whole."""
    for name, field in model.model_fields.items():
        for each in models_in(field.annotation) if name not in ("derive", "categories") or above else ():
            yield f"{above}{name}", each
            yield from below(each, f"{above}{name}.")


def models_in(kind: Any) -> set[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {kind}
    return set().union(*(models_in(each) for each in get_args(kind)))


def test_keys_below_others_are_told_in_words() -> None:
    """Also within a value: a part of the schedule that was not there before."""
    limits = Limits(categories={"civil_party": CategoryLimit(max=3)})
    changed = POLICY.model_copy(update={"quarantine": Quarantine(categories=("civil_party",)), "limits": limits})
    told = meanings("nl", POLICY, changed)
    assert told["quarantine"].new.startswith("dagen dat een eenheid wacht nadat ze is gemarkeerd: 14, categorieën: ")
    where, limit = next((where, each) for where, each in told.items() if where.startswith("limits.categories."))
    assert where == "limits.categories.civil_party"
    assert limit.text.startswith("Grenzen aan wat een plan verwijdert of anonimiseert, categorieën, ")
    assert "ten hoogste: 3" in limit.text


@pytest.mark.parametrize(
    ("rows", "where", "old", "new", "text"),
    [
        (
            {"missing_runaway": {**UNTIL_25, "age": 21}},
            "age",
            "tot de leeftijd van 25",
            "tot de leeftijd van 21",
            "Het gaat om eenheden met",
        ),
        (
            {"civil_party": {**FIVE, "years": 3}},
            "years",
            "einde van de procedure, anders",
            "3 jaar, geteld vanaf: ",
            "5 jaar → 3 jaar. Het gaat",
        ),
        ({"civil_party": NO_TERM}, "type", "5 jaar, geteld vanaf: ", "geen termijn", "→ geen termijn"),
        (
            {"missing_runaway": {**UNTIL_25, "enabled": False}},
            "enabled",
            "ja",
            "nee",
            "staat voortaan uit; de eenheden ervan blijven bewaard",
        ),
        ({"missing_runaway": {**UNTIL_25, "disposition": "delete"}}, "disposition", "Anonimiseren", "Verwijderen", "na het einde gebeurt"),
        ({"missing_runaway": {**UNTIL_25, "bypass": ["flows"]}}, "bypass", "niets", "cloudstromen", "niets → cloudstromen"),
        ({"missing_runaway": {**UNTIL_25, "open_blocks": False}}, "open_blocks", "ja", "nee", "zoals een afgesloten dossier"),
        ({"missing_runaway": {**UNTIL_25, "basis": "Another"}}, "basis", "a basis", "Another", "rechtsgrond: a basis → Another"),
    ],
)
def test_a_changed_row_says_what_it_means(rows: dict[str, Any], where: str, old: str, new: str, text: str) -> None:
    found = meanings("nl", POLICY, a_policy(rows))[f"categories.{next(iter(rows))}.{where}"]
    assert old in found.old
    assert new in found.new
    assert text in found.text


def test_rows_that_come_and_go_and_other_keys_are_told() -> None:
    row = {"type": "months_after", "months": 6, "anchor": "last_activity", "disposition": "delete"}
    (come,) = meanings("fr", POLICY, a_policy({"preventive": row})).values()
    assert (come.old, come.new) == ("", "6 mois, compté à partir de\u00a0: dernière activité\u00a0; ensuite\u00a0: Supprimer")
    assert "une nouvelle ligne" in come.text
    (gone,) = meanings("fr", a_policy({"preventive": row}), POLICY).values()
    assert (gone.old, gone.new) == (come.new, "")
    assert "ses unités sont conservées" in gone.text
    recordings = a_policy({"recording": {"type": "no_term", "disposition": "retain", "unit": "recording"}})
    assert "Cela concerne\u00a0: enregistrement." in meanings("fr", POLICY, recordings)["categories.recording.type"].text
    (late,) = meanings("fr", POLICY, a_policy(late_rule_months=12)).values()
    assert late.text.endswith("conserve un dossier\u00a0: 6 → 12")
    (derived,) = meanings("nl", POLICY, a_policy(derive={"runaway": [{"key": "missing_unexplained"}]})).values()
    assert derived.text.startswith("De categorie ")
    assert " telt als: " in derived.text


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_any_two_schedules_are_told_apart(language: UiLanguage) -> None:
    """Each change has a sentence, and no key of the file stands in it."""
    told = {**meanings(language, POLICY, shipped_policy()), **meanings(language, shipped_policy(), ODD_POLICY)}
    assert len(told) > 40
    assert [each for each in told.values() if not re.match(r".+: .+|.+ : .+", each.text)] == []
    english = re.compile(r"\b(?:affects|units with|months|kept)\b")
    ours = [each.text for where, each in told.items() if not where.endswith(".suggestion")]  # that is a text of the schedule itself
    assert language == "en" or [text for text in ours if english.search(text.split("→")[0])] == []
