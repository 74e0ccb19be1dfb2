"""The parser in C says what the one of YAML 1.2 in Python says, to the line, or is not asked."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rules.files import yaml_lines, yaml_nodes
from rules.files.yaml_lines import Document, read_yaml

ROOT = Path(__file__).parents[3]
FILES = sorted(
    path for folder in ("rules", "connectors", "tests") for path in (ROOT / folder).rglob("*.yaml") if "node_modules" not in path.parts
)
PIECES = (
    "\t", " ", "  ", "\n", "\n  ", "\r\n", "\r", ":", ": ", "- ", "-", "#", " #",
    "? ", "|", ">", "|-\n", ">+\n", '"', "'", "&a ", "*a",
    "!", "!!str ", "!x ", "%YAML 1.1\n", "%YAML 1.2\n---\n", "---\n", "...\n", "{", "}", "[", "]", ",",
    "\x85", "\u2028", "\u2029", "\ufeff",
    "\xa0", "é", "😀", "\x00", "\x07", "\x7f", "\\", "\\/", "\\x41", "\\u00e9", "\\n", "@", "`", "<<: ", "<<", "=", '""', "''",
    "a", "b", "key: ", "key: v\n", "- x\n",
    "{a:b}", "{a: b}", "[a:b]", '{"a":b}', "{a,b: c}", "[a, b: c]", "? a\n: b\n", "a:b", "a #b", "a#b",
)  # fmt: skip
SCALARS = (
    "yes", "no", "on", "off", "y", "Yes", "true", "True", "TRUE", "false", "0o17", "017", "0x1F", "0b11", "1_000",
    "1:30", "12:30:45", "190:20:30.15",
    "2018-05-25", "2001-12-14t21:59:43.10-05:00", "~", "null", "Null", "NULL",
    ".inf", "-.INF", ".NaN", "1e3", "1.", ".5", "+1", "-0", "+12e03", "007",
)  # fmt: skip


@lru_cache(maxsize=1)
def composed_by_python(text: str) -> Any:
    return YAML(typ="safe", pure=True).compose(text)


def by_python(text: str, *, as_written: bool) -> Document:
    """What the parser in Python alone makes of a text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_lines, "compose", composed_by_python)
        return read_yaml(text, as_written=as_written)


def by_ours(text: str, *, as_written: bool) -> Document:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_lines, "compose", yaml_nodes.compose)
        return read_yaml(text, as_written=as_written)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_here_reads_the_same(file: Path) -> None:
    text = file.read_text("utf-8")
    for as_written in (True, False):
        found = by_ours(text, as_written=as_written)
        assert found == by_python(text, as_written=as_written)
        assert found.lines


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("form", ["{}", "key: {}", "- {}", "{{a: {}}}", "? {}", "{}: 1", "'{}'"])
def test_words_that_yaml_1_1_takes_for_something_else(scalar: str, form: str) -> None:
    text = form.format(scalar)
    for as_written in (True, False):
        assert by_ours(text, as_written=as_written) == by_python(text, as_written=as_written)


@given(text=st.lists(st.sampled_from(PIECES + SCALARS), max_size=14).map("".join), as_written=st.booleans())
@example(text="|-\n#", as_written=False)
@example(text="a: 1\na: 2\n", as_written=True)
@example(text="---\n  ", as_written=False)
@example(text="a: !\n", as_written=False)
def test_whatever_is_written_reads_the_same(text: str, *, as_written: bool) -> None:
    assert by_ours(text, as_written=as_written) == by_python(text, as_written=as_written)


@pytest.mark.parametrize("text", ["[" * 500, "- " * 5_000, "{a: " * 500, "\n".join(" " * depth + "a:" for depth in range(3_000))])
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    (problem,) = by_ours(text, as_written=False).problems
    assert problem.text == "this is nested too deeply to be read"


def test_a_plain_file_is_read_by_the_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    class Asked(YAML):
        def __init__(self, *, typ: str, pure: bool = False) -> None:
            asked.append(pure)
            super().__init__(typ=typ, pure=pure)

    monkeypatch.setattr(yaml_nodes, "YAML", Asked)
    for name in (
        "rules/policy/schedules/childfocus.yaml",
        "rules/organisation/shipped/childfocus.yaml",
        "connectors/dynamics/mapping/reference.yaml",
    ):
        assert yaml_nodes.compose((ROOT / name).read_text("utf-8")) is not None
    assert asked == [False] * 3
    with pytest.raises(YAMLError):
        yaml_nodes.compose("a: [")
    assert asked[3:] == [False, True]
