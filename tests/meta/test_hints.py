"""What a person can do next is a code with facts below the desk, and a command line only there."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_compliance.reports.parts.hints import TEXTS, commands_after, in_words
from rules.hints import Advice

ROOT = Path(__file__).parents[2]
EMULATOR = ROOT / "connectors" / "emulator"  # a program of its own, whose page says how it is started
BELOW = [path for storey in ("jobs", "rules", "connectors") for path in (ROOT / storey).rglob("*.py") if not path.is_relative_to(EMULATOR)]
COMMAND = re.compile(r"crm-compliance (?!was )[a-z]")
FACTS = {advice: {name for _, name, _, _ in string.Formatter().parse(text) if name} for advice, text in TEXTS.items()}


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module, but for those that nobody is told: what stands as a line of its own."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@pytest.mark.parametrize("path", BELOW, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_command_line_stands_below_the_desk(path: Path) -> None:
    found = [text for text in texts(ast.parse(path.read_text(encoding="utf-8"))) if COMMAND.search(text)]
    assert found == []


@pytest.mark.parametrize("advice", Advice)
def test_each_piece_of_advice_has_its_words(advice: Advice) -> None:
    words = in_words(advice(**{fact: f"the {fact}" for fact in FACTS[advice]}))
    assert all(f"the {fact}" in words for fact in FACTS[advice])
    assert not words.endswith(".")


def test_advice_is_given_with_the_facts_that_its_words_name() -> None:
    given = set()
    for path in [*BELOW, *(ROOT / "crm_compliance").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "Advice":
                advice = Advice[node.func.attr]
                assert (path.name, node.lineno, {word.arg for word in node.keywords}) == (path.name, node.lineno, FACTS[advice])
                given.add(advice)
    following = {advice for advice in Advice if advice.name.startswith("NEXT_")}  # by the state of a request
    assert all(FACTS[advice] == {"request"} for advice in following)
    assert given | following == set(Advice)


def test_what_comes_next_is_told_with_and_without_the_word() -> None:
    hint = Advice.NEXT_RELEASE(request="request-1")
    assert in_words(hint) == "next: crm-compliance requests release request-1"
    assert commands_after(hint) == "crm-compliance requests release request-1"
    assert (commands_after(None), in_words("look at the row")) == ("", "look at the row")
