"""YAML with line numbers: the composed nodes are read, not the values, so that every complaint names file and
line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from rules.errors import MappingError
from rules.policy.suggestions import meant

_TAG_NULL = "tag:yaml.org,2002:null"


class Problems:
    """Everything that is wrong with a file, so that it is repaired in one go."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: dict[str, None] = {}
        self._first = ""

    def place(self, node: YamlNode) -> str:
        """File and line of a node."""
        return f"{self.source}:{node.start_mark.line + 1}"

    def add(self, node: Node, what: str) -> None:
        self.add_at(node.where, what)

    def add_at(self, where: str, what: str) -> None:
        self._first = self._first or where
        self._found[f"{where}: {what}"] = None  # told once, also where a node is read twice

    def raise_any(self) -> None:
        """Raise one MappingError for all of them, if there are any."""
        if not self._found:
            return
        count = len(self._found)
        lines = "\n".join(f"  {line}" for line in self._found)
        raise MappingError(f"The mapping has {count} mistake{'s' if count > 1 else ''}:\n{lines}", where=self._first)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the file and where it stands."""

    _yaml: YamlNode
    _problems: Problems
    path: str
    where: str  # of its name where it has one: the mark of an empty value stands further down

    @property
    def raw(self) -> str:
        """A scalar's text, whatever it is; empty for anything else."""
        return str(self._yaml.value) if isinstance(self._yaml, ScalarNode) else ""

    def mapping(self, allowed: set[str] | None, required: set[str]) -> dict[str, Node]:
        """The entries of a mapping; unknown, doubled and missing names are problems. `allowed` None takes
        every name."""
        found: dict[str, Node] = {}
        if not isinstance(self._yaml, MappingNode):
            self._problems.add(self, f"{self.path or 'the file'} must be a mapping")
            return found
        for key, value in self._yaml.value:
            name = str(key.value) if isinstance(key, ScalarNode) else ""
            place = self._problems.place(key)
            entry = Node(value, self._problems, f"{self.path}.{name}".lstrip("."), place)
            if allowed is not None and name not in allowed:
                self._problems.add_at(place, f"{entry.path[:120]} is not known here{meant(name[:60], allowed)}")
            elif name in found:
                self._problems.add_at(place, f"{entry.path} stands here twice")
            else:
                found[name] = entry
        for name in sorted(required - set(found)):
            self._problems.add(self, f"{f'{self.path}.{name}'.lstrip('.')} is missing")
        return found

    def items(self) -> list[Node]:
        """The entries of a list."""
        if not isinstance(self._yaml, SequenceNode):
            self._problems.add(self, f"{self.path} must be a list")
            return []
        found = enumerate(self._yaml.value)
        return [Node(value, self._problems, f"{self.path}[{index}]", self._problems.place(value)) for index, value in found]

    def text(self, pattern: re.Pattern[str] | None = None, expected: str = "a text") -> str:
        """A scalar's text, which must match the pattern."""
        if not isinstance(self._yaml, ScalarNode) or self._yaml.tag == _TAG_NULL or not self._yaml.value:
            self._problems.add(self, f"{self.path} must be {expected}")
            return ""
        value = str(self._yaml.value)
        if pattern is not None and not pattern.fullmatch(value):
            self._problems.add(self, f"{self.path} must be {expected}")
            return ""
        return value


def parse(text: str, problems: Problems) -> Node | None:
    """The root of a YAML document, or None after a syntax problem was noted."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)  # comments are not kept
    except MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        problems.add_at(f"{problems.source}:{mark.line + 1 if mark else 1}", "this is not YAML")
        return None
    except (YAMLError, ValueError, RecursionError):
        problems.add_at(f"{problems.source}:1", "this is not YAML")
        return None
    if root is None:
        problems.add_at(f"{problems.source}:1", "the file is empty")
        return None
    return Node(root, problems, "", problems.place(root))
