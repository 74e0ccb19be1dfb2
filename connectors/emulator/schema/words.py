"""The words of an environment file: one that nobody reads would make another organisation than the one that
is meant."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_OWN: Final = "*"  # a name that the file gives itself
_MERGED: Final = "tag:yaml.org,2002:merge"
_Words = Mapping[str, Any]  # what may stand below each word; None: values, or names that the file gives itself

_COLUMN: Final[_Words] = dict.fromkeys(
    [
        "type",
        "key",
        "primary_name",
        "required",
        "schema_name",
        "read_only",
        "secured",
        "alternate_key",
        "computed",
        "format",
        "pii",
        "label",
        "unrelated",
    ]
)
_STATE: Final[_Words] = dict.fromkeys(("label", "statuses"))
_TABLE: Final[_Words] = {
    **dict.fromkeys(["set", "label", "collection_label", "activity", "ownership", "view", "audited", "change_tracking", "system_columns"]),
    "states": {_OWN: _STATE},
    "columns": {_OWN: _COLUMN},
}
_FILE: Final[_Words] = {
    **dict.fromkeys(["publisher_prefix", "choice_value_base", "languages", "choices"]),
    "tables": {_OWN: _TABLE},
    "relationships": dict.fromkeys(["name", "parent", "child", "column", "on_delete"]),
    "many_to_many": {
        **dict.fromkeys(["name", "one", "two", "intersect", "one_navigation", "two_navigation", "set", "schema_name"]),
        "columns": {_OWN: _COLUMN},
    },
}


def unknown_words(node: Node, words: _Words | None = _FILE, place: str = "") -> Iterator[tuple[int, str]]:
    """Yield the line of each word that no environment file has, and what to say of it. What is merged in
    (`<<`) has the words of the place."""
    if words is None:
        return
    if isinstance(node, SequenceNode):
        for each in node.value:
            yield from unknown_words(each, words, place)
    for key, value in node.value if isinstance(node, MappingNode) else ():
        word = key.value if isinstance(key, ScalarNode) else ""
        if key.tag == _MERGED:
            yield from unknown_words(value, words, place)
        elif _OWN not in words and word not in words:
            meant = get_close_matches(word, words, n=1)
            told = f"{place or 'the file'}: the word {word} is not known" + (f"; did you mean {meant[0]}?" if meant else "")
            yield key.start_mark.line + 1, told
        else:
            yield from unknown_words(value, words.get(word, words.get(_OWN)), f"{place}.{word}".lstrip("."))
