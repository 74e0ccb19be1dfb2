"""What a person can do next is a code with facts, and a command line only in the table of the desk and among
the commands; what was given wrongly is a field, and an option only there."""

import ast
import json
import re
import string
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from crm_compliance.cli.app import app
from crm_compliance.cli.terminal.output import Output
from crm_compliance.configuration.settings import PREFIX, Settings
from crm_compliance.console.api.answers import wrong_of
from crm_compliance.hints import commands_after, in_words, texts
from jobs.register.request_steps import next_step
from jobs.registry import JOBS
from rules.errors import UsageError
from rules.hints import hint_to
from rules.model.requests import RequestState, Right
from tests.crm_compliance.store.rows.request_values import a_request

ROOT = Path(__file__).parents[2]
EMULATOR = ROOT / "connectors" / "emulator"  # a program of its own, whose page says how it is started
BELOW = [path for storey in ("jobs", "rules", "connectors") for path in (ROOT / storey).rglob("*.py") if not path.is_relative_to(EMULATOR)]
PAGES = ROOT / "rules" / "documents"  # pages of docs/, which tell of commands
LAW_AND_WORK = [path for path in BELOW if path.relative_to(ROOT).parts[0] in ("jobs", "rules") and not path.is_relative_to(PAGES)]
COMMAND = re.compile(r"crm-compliance (?!was |that )[a-z]")
COMMANDS = {name: getattr(group, "commands", {}).keys() for name, group in get_command(app).commands.items()}  # type: ignore[attr-defined]
# A command as somebody types it who leaves the name of the program out. One of a single word is a word like
# any other (plan, apply), unless it is quoted.
BARE_COMMAND = re.compile(
    "|".join(
        [
            *(rf"(?<![\w-]){group} (?:{'|'.join(commands)})(?![\w-])" for group, commands in COMMANDS.items() if commands),
            rf"(?<![\w-])run (?:{'|'.join(JOBS)})(?![\w-])",
            rf"`(?:{'|'.join(COMMANDS)})(?![\w-])[^`]*`",
        ]
    )
)
SETTING = re.compile(rf"{PREFIX}|(?<![\w-])(?:{'|'.join(map(str.upper, Settings.model_fields))})(?![\w-])")
OPTION = re.compile(r"(?<![\w-])--[a-z]")
FACTS = {code: {name for _, name, _, _ in string.Formatter().parse(text) if name} for code, text in texts().items()}


def strings(tree: ast.AST) -> Iterator[str]:
    """The texts of a module, but for those that nobody is told: what stands as a line of its own."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def those_that_say(pattern: re.Pattern[str], paths: Iterable[Path], sign: str = "") -> list[tuple[str, str]]:
    return [
        (path.relative_to(ROOT).as_posix(), said)
        for path in paths
        if sign in (text := path.read_text(encoding="utf-8"))  # the others need not be parsed
        for said in strings(ast.parse(text))
        if pattern.search(said)
    ]


def test_a_command_line_stands_in_the_table_or_among_the_commands() -> None:
    desk = [path for path in (ROOT / "crm_compliance").rglob("*.py") if not path.is_relative_to(ROOT / "crm_compliance" / "cli")]
    assert those_that_say(COMMAND, [*BELOW, *desk], "crm-") == []


def test_work_and_law_name_what_was_given_and_not_the_option() -> None:
    assert those_that_say(OPTION, LAW_AND_WORK, "--") == []


def test_work_and_law_name_no_command_and_no_setting() -> None:
    assert those_that_say(BARE_COMMAND, LAW_AND_WORK) == []
    assert those_that_say(SETTING, LAW_AND_WORK) == []


def test_a_field_is_told_as_its_option_by_the_command_line_alone(capsys: pytest.CaptureFixture[str]) -> None:
    error = UsageError("the last day of the hold is in the past", field="ends_on")
    told = Output()
    told.fail(error)
    assert capsys.readouterr().err == "error: --ends-on: the last day of the hold is in the past\n"
    told.json = True
    told.fail(error)
    assert json.loads(capsys.readouterr().err)["error"]["where"] == "--ends-on"
    assert wrong_of(error).where == "ends_on"


@pytest.mark.parametrize("code", texts())
def test_each_hint_has_its_words(code: str) -> None:
    words = in_words(hint_to(code, **{fact: f"the {fact}" for fact in FACTS[code]}))
    assert all(f"the {fact}" in words for fact in FACTS[code])
    assert "{request}" not in words


def test_hints_are_given_with_the_facts_that_their_words_name() -> None:
    given = set()
    for path in [*BELOW, *(ROOT / "crm_compliance").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "hint_to" in text else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hint_to":
                (code,) = node.args
                if isinstance(code, ast.Constant):
                    assert (path.name, node.lineno, {word.arg for word in node.keywords}) == (
                        path.name,
                        node.lineno,
                        FACTS[str(code.value)],
                    )
                    given.add(str(code.value))
    following = {code for code in FACTS if code.startswith("next_")}  # by the state of a request
    assert all(FACTS[code] == {"request"} for code in following)
    assert given | following == FACTS.keys()


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("state", RequestState)
def test_what_comes_next_has_its_words_in_every_state(state: RequestState, right: Right) -> None:
    following = commands_after(next_step(a_request(state=state, right=right)))
    assert following.startswith("crm-compliance requests ") or state is RequestState.CLOSED


def test_what_comes_next_is_told_with_and_without_the_word() -> None:
    hint = hint_to("next_release", request="request-1")
    assert in_words(hint) == "next: crm-compliance requests release request-1"
    assert commands_after(hint) == "crm-compliance requests release request-1"
    assert (commands_after(None), in_words("look at the row")) == ("", "look at the row")
