"""What is true of a kind of row stands in `rules/model/kinds.py`: a list of kinds elsewhere would be a second
home of some fact about them, in which a new kind is forgotten."""

import ast
from collections.abc import Iterator
from typing import Final

from rules.model.records import KINDS
from tests.meta.test_house import ROOT, sources

# Where some kinds are listed for what is true in that place alone: the file, the kinds, and why.
ALLOWED: Final = {
    ("jobs/requests/search/callers.py", ("fiche", "recording", "party", "activity_party")): "the order in which finds are listed",
    ("jobs/requests/search/search.py", ("recording", "party")): "what of a file does not depend on it, and may be known by its id alone",
    ("jobs/requests/answer/items.py", ("contact", "dossier", "party", "fiche")): "what RGT-09 says of each",
    ("connectors/dynamics/mapping/checks.py", ("fiche", "statistic")): "two tables that are compared",
}


def lists_of_kinds(text: str) -> Iterator[tuple[str, ...]]:
    """Yield each tuple, set and list of a module that has two or more kinds by their words, and nothing else
    but further lists. Alternatives of a type (`Literal`) are none."""
    tree = ast.parse(text)
    types = {id(node.slice) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.Set | ast.List) and id(node) not in types:
            rest = [each for each in node.elts if not isinstance(each, ast.Starred)]
            words = tuple(str(each.value) for each in rest if isinstance(each, ast.Constant) and each.value in KINDS)
            if len(words) == len(rest) > 1:
                yield words


def test_kinds_are_listed_where_their_facts_are() -> None:
    """The emulator knows nothing of the product."""
    elsewhere = [path for path in sources() if not path.is_relative_to(ROOT / "rules" / "model")]
    found = {
        (path.relative_to(ROOT).as_posix(), words)
        for path in elsewhere
        if not path.is_relative_to(ROOT / "connectors" / "emulator")
        for words in lists_of_kinds(sources()[path])
    }
    assert found == ALLOWED.keys()
