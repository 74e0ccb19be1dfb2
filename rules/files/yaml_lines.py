"""YAML text -> plain values that remember their lines, so that a refusal can say where.

YAML 1.2, one document, no tags. Values come out as JSON has them (a date stays text), so that a strict
pydantic model reads them as it would read JSON, and aliases are refused: what a file says stands where it
says it. Or they come out as they are written, all of them text, and an alias repeats what it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.errors import ComplianceError
from rules.files.yaml_nodes import compose
from rules.hints import Hint

Path: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool"

_TAG = "tag:yaml.org,2002:"
_MOST_VALUES = 100_000  # of a file with aliases, which can say a lot in a few lines
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+")
NO_VALUE = "there is no value: write one, or leave the key out"
_MOST_DIGITS = 100  # Python itself refuses integers of 4300, and takes a decimal of 310 for infinity


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: on which line (from 1), in which field, and what. `code` says of which sort it
    is, `suggestion` what was probably meant, where a word is not known."""

    line: int
    path: str
    text: str
    code: str = "form"
    suggestion: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


@dataclass(slots=True)
class Document:
    """A YAML file as plain values. `value` is None where the file could not be read; `problems` says why."""

    value: Value | None = None
    problems: list[Problem] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Return the line of a field, or of the closest field around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, text: str, code: str = "form", suggestion: str = "") -> Problem:
        """Return a problem at a field, with the line of `line`. `code` says of which kind it is, `suggestion`
        what was probably meant."""
        return Problem(self.line(path), dotted(path), text, code, suggestion)


def dotted(path: Path) -> str:
    """Return a field as people write it: `categories.recording.months`, `derive.runaway[0].key`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def refusal(kind: type[ComplianceError], what: str, problems: Iterable[Problem], *, source: str, hint: str | Hint) -> ComplianceError:
    """Return the error for a file with problems. It shows the first, says how many more there are, and lists
    those with their places. `where` is the place of the first, as `file:line`. `problems` come in the order
    in which they are to be reported."""
    first, *others = found = list(problems)
    message = f"{what}: {first}"
    if others:
        message += "".join([f" (and {len(others)} more)", *(f"\n  {source}:{problem.line}: {problem}" for problem in others)])
    error = kind(message, hint=hint, where=f"{source}:{first.line}")
    error.problems = tuple((problem.line, str(problem), problem.code) for problem in found)
    return error


def read_yaml(text: str, *, as_written: bool = False) -> Document:
    """Read one YAML document. What cannot be read stands in `problems`, never in an exception."""
    document = Document()
    try:
        root = compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.problems.append(Problem(mark.line + 1 if mark else 1, "", f"this is not YAML: {error.problem or error.context}", "yaml"))
    except (YAMLError, ValueError) as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1  # only the parser's own error knows where
        document.problems.append(Problem(line, "", "this is not YAML: it holds a character that YAML forbids", "yaml"))
    except RecursionError:
        document.problems.append(Problem(1, "", "this is nested too deeply to be read", "yaml"))
    else:
        if root is None:
            document.problems.append(Problem(1, "", "the file is empty"))
        else:
            document.lines[()] = root.start_mark.line + 1
            document.value = _Reader(document, as_written=as_written).value(root, ())
    return document


class _Reader:
    """Walks the nodes, notes the line of each field, and collects what is wrong with them."""

    def __init__(self, document: Document, *, as_written: bool) -> None:
        self.document, self.as_written = document, as_written
        self.seen: dict[int, Node] = {}  # the nodes themselves, so that no id is used twice
        self.count = 0

    def value(self, node: Node, path: Path) -> Value | None:
        if id(node) in self.seen:
            return self.wrong(path, f"an alias (*) is not used here{' within itself' if self.as_written else ''}: write the value out")
        self.count += 1
        if self.count > _MOST_VALUES and self.as_written:
            return self.wrong((), "aliases (*) repeat too much here: write the values out")
        self.seen[id(node)] = node
        try:
            return self.value_of(node, path)
        finally:
            if self.as_written:
                del self.seen[id(node)]

    def value_of(self, node: Node, path: Path) -> Value | None:
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self.mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return self.sequence(node, path)
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        return self.wrong(path, f"the tag {node.tag} is not used here")

    def mapping(self, node: MappingNode, path: Path) -> Value:
        result: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or not key_node.value:
                self.document.problems.append(Problem(line, dotted(path), "a key is a single word"))
                continue
            key = str(key_node.value)
            here = (*path, key)
            if here in self.document.lines:
                first = self.document.lines[here]
                self.document.problems.append(Problem(line, dotted(here), f"this key stands here twice, first on line {first}"))
                continue
            self.document.lines[here] = line
            value = self.value(value_node, here)
            if value is not None:
                result[key] = value
        return result

    def sequence(self, node: SequenceNode, path: Path) -> Value:
        result: list[Value] = []
        for index, item in enumerate(node.value):
            self.document.lines[*path, index] = item.start_mark.line + 1
            value = self.value(item, (*path, index))
            if value is not None:
                result.append(value)
        return result

    def scalar(self, node: ScalarNode, path: Path) -> Value | None:
        text = str(node.value)
        if self.as_written:
            return "" if text in ("~", "Null", "NULL") and node.tag == _TAG + "null" else text
        match str(node.tag).removeprefix(_TAG):
            case "str" | "timestamp":
                return text
            case "bool":
                return text.lower() == "true"
            case "int" | "float" if len(text) > _MOST_DIGITS:
                return self.wrong(path, "this number is too long")
            case "int" if _INTEGER.fullmatch(text):
                return int(text)
            case "float" if _DECIMAL.fullmatch(text):
                return float(text)
            case "null":
                return self.wrong(path, NO_VALUE)
            case "int" | "float":
                return self.wrong(path, "a number is written with the digits 0 to 9 only")
            case tag:
                return self.wrong(path, f"the tag {tag} is not used here")

    def wrong(self, path: Path, text: str) -> Value | None:
        self.document.problems.append(self.document.problem(path, text))
        return None
