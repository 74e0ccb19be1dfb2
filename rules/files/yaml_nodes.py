"""YAML text -> its nodes, with their lines, as ruamel's parser of YAML 1.2 reads it.

That parser is written in Python, and reading the shipped files by it takes as long as loading a database
library. The one of the same library that is written in C takes an eighth of that. It knows YAML 1.1 as well,
so it is asked only where both say the same, to the line; and what it refuses is refused by the other one, in
its words."""

import re
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

# Where they differ: tabs, line ends and byte order marks of Unicode, directives, documents, tags, and a
# comment below the head of a block.
_OTHERWISE: Final = re.compile(r"[\t\x85\u2028\u2029\ufeff]|^(?:%|---|\.\.\.)|(?:^|[\s\[{,?:-])!|[|>][-+0-9]*\s*#", re.MULTILINE)
# The parser in C overflows the stack where something is nested ten thousandfold. Nothing is nested deeper
# than a file has brackets, and columns of indentation.
_BRACKETS, _COLUMNS = 200, 250


def compose(text: str) -> Node | None:
    """Return the root of the only document in a text; None where there is none. Raises YAMLError, ValueError:
    the text is not YAML. RecursionError: it is nested too deeply."""
    root: Node | None
    if _is_plain(text):
        try:
            root = YAML(typ="safe").compose(text)
        except (YAMLError, ValueError):
            pass
        else:
            return root
    root = YAML(typ="safe", pure=True).compose(text)
    return root


def _is_plain(text: str) -> bool:
    return (
        text.count("[") + text.count("{") <= _BRACKETS and max(map(len, text.split("\n"))) <= _COLUMNS and _OTHERWISE.search(text) is None
    )
