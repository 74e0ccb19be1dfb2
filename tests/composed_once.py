"""What a process that reads the same few YAML files for each command need not do each time.

The parser is written in Python and takes most of what a command takes to read its schedule, its mapping and
its organisation. The same text has the same nodes, and who reads them leaves them as they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node


class ComposedOnce(YAML):
    """A parser that composes no text a second time. A text that is refused is composed, and refused, each
    time."""

    def compose(self, stream: Any) -> Node | None:
        return _composed(stream)


@lru_cache(maxsize=64)
def _composed(text: str) -> Node | None:
    node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node
