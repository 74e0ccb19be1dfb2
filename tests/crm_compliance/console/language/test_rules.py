"""The rules in plain words: there is one for each identifier that the product names, in every language."""

from pathlib import Path

import pytest

from crm_compliance.console.language.rules import IDENTIFIER, families, titles, with_links
from rules.model.languages import UI_LANGUAGES, UiLanguage

ROOT = Path(__file__).parents[4]
KINDS = ("*.py", "*.j2", "*.toml", "*.yaml", "*.md")


def named() -> dict[str, Path]:
    """Each identifier that code, templates, data or documents name, with one file that does."""
    found: dict[str, Path] = {}
    for folder in ("rules", "jobs", "connectors", "crm_compliance", "docs"):
        for kind in KINDS:
            for path in sorted((ROOT / folder).rglob(kind)):
                if path.parent.name == "rules" and path.suffix == ".toml":
                    continue
                for match in IDENTIFIER.findall(path.read_text(encoding="utf-8")):
                    found.setdefault(match, path)
    return found


def test_every_identifier_that_the_product_names_is_explained() -> None:
    known = titles("en")
    assert {each: str(path.relative_to(ROOT)) for each, path in named().items() if each not in known} == {}


@pytest.mark.parametrize("language", UI_LANGUAGES)
def test_each_rule_has_a_title_and_a_sentence_of_its_own_in_each_language(language: UiLanguage) -> None:
    rules = [rule for family in families(language) for rule in family.rules]
    assert {rule.id for rule in rules} == set(titles("en"))
    beside = ("4.2", "R-161")  # which belong to a subject without its name
    assert all(rule.id.startswith(family.prefix) or rule.id in beside for family in families(language) for rule in family.rules)
    assert len({rule.title for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.title
        assert not rule.title.endswith("."), rule.id
        assert rule.text.endswith("."), rule.id
        assert len(rule.text) < 300, f"{rule.id}: these are plain words, not the text of the rule"
    if language != "en":
        english = {rule.id: rule.text for family in families("en") for rule in family.rules}
        assert [rule.id for rule in rules if rule.text == english[rule.id]] == []


def test_a_rule_that_a_sentence_names_leads_to_its_text() -> None:
    said = with_links("<b> seul un administrateur peut aider (HLD-13, R-161)", "fr")
    assert said.startswith("&lt;b&gt; seul")
    linked = (f'<a class="rule" href="/rules#{rule}" title="{titles("fr")[rule]}">{rule}</a>' for rule in ("HLD-13", "R-161"))
    assert said.endswith(f"({', '.join(linked)})")
