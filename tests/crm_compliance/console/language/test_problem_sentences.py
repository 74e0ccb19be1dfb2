"""What is wrong in a schedule is said in the language of the page: every sentence that its reader can say."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

import rules.files.yaml_lines
import rules.policy.categories
import rules.policy.checks
import rules.policy.loader
import rules.policy.values
from crm_compliance.console.language.problem_sentences import problem_in
from rules.files import yaml_models
from rules.files.yaml_lines import read_yaml
from rules.model.languages import UiLanguage

MODULES = (rules.files.yaml_lines, rules.policy.checks, rules.policy.values, rules.policy.categories)
TEXTS = [*yaml_models._TEXTS.values(), *rules.policy.loader._TEXTS.values()]


def sentences_of(module: ModuleType) -> Iterator[str]:
    """Every sentence that a module reports, `word` where something is filled in."""
    tree = ast.parse(inspect.getsource(module))
    known = {name: value for name, value in vars(module).items() if isinstance(value, str)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and isinstance(each.value, ast.Constant):
            known.setdefault(each.targets[0].id, str(each.value.value))
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and isinstance(each.value, ast.IfExp):
            known.setdefault(each.targets[0].id, written(each.value.body, {}))
    for each in ast.walk(tree):
        said: list[ast.expr] = []
        if isinstance(each, ast.Yield) and each.value is not None:
            said = each.value.elts if isinstance(each.value, ast.Tuple) else [each.value]
        elif isinstance(each, ast.Call) and getattr(each.func, "id", getattr(each.func, "attr", "")) in ("wrong", "Problem", "ValueError"):
            said = each.args
        for text in (written(part, known) for part in said):
            if " " in text and not text.startswith("this is not YAML: word"):
                yield text


def written(said: ast.expr, known: dict[str, str]) -> str:
    if isinstance(said, ast.Constant):
        return str(said.value)
    if isinstance(said, ast.FormattedValue):
        if isinstance(said.value, ast.IfExp):  # of a mapping, which is read as it is written
            return ""
        return known.get(said.value.id, "word") if isinstance(said.value, ast.Name) else "word"
    return "".join(written(part, known) for part in said.values) if isinstance(said, ast.JoinedStr) else ""


SAID = sorted({*TEXTS, *(text for module in MODULES for text in sentences_of(module))})


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_every_sentence_about_a_schedule_is_said_in_each_language(language: UiLanguage) -> None:
    assert len(SAID) > 60
    assert [text for text in SAID if problem_in(language, text) in ("", text)] == []


def test_a_place_and_what_was_probably_meant_are_said_with_it() -> None:
    assert problem_in("nl", "derive.x[0].key: there is no category y; did you mean z?") == (
        "derive.x[0].key: er is geen categorie y; bedoelde u z?"
    )
    assert problem_in("fr", "months: this key is not known; did you mean month?").startswith(
        "months: cette clé n’est pas connue\u00a0; vouliez"
    )
    assert problem_in("nl", "what nobody has words for; did you mean this?") == ""


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c",
        "a:\n\tb: 1",
        "a: [1",
        "a: 'x",
        "a: *x",
        "- a\nb: c",
        'a: "\\q"',
        "a: b\n---\nc: d",
        "}",
        "a: |\n b\n  c\n d: e\nx",
        "a: \0",
    ],
)
def test_what_the_parser_of_yaml_refuses_is_said_in_each_language(text: str) -> None:
    (problem,) = read_yaml(text).problems
    for language in ("nl", "fr"):
        said = problem_in(language, str(problem))
        assert said
        assert "stream" not in said
