"""Names that cannot be logical ones, in a file: what stands there is often what the CRM shows to people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connectors.dynamics.mapping.mapping_file import LOGICAL_NAME, TEXTS
from rules.files.yaml_lines import Path, Problem, Value, dotted, read_yaml


class RefusedName(NamedTuple):
    """A name of a file that no table or column can have: the number of its problem, what is written, and the
    table of which it would be a column; empty where it would be a table itself."""

    problem: int
    name: str
    table: str


def refused_names(text: str, problems: Sequence[Problem]) -> Iterator[RefusedName]:
    """Yield those of the problems of a file that are about such a name."""
    document = read_yaml(text, as_written=True)
    places = {dotted(path): path for path in document.lines}
    for number, problem in enumerate(problems):
        path = places.get(problem.path)
        if problem.text != TEXTS[LOGICAL_NAME] or not path or path[-1] == "by":  # that is a column of another table
            continue
        table, value = _along(document.value, path)
        is_value = isinstance(value, str) and not re.match(LOGICAL_NAME, value)
        is_table = path[-1] == "table" or (path[0] == "dependent" and len(path) == 2)
        if is_table or table:
            yield RefusedName(number, str(value if is_value else path[-1]), "" if is_table else table)


def _along(value: Value | None, path: Path) -> tuple[str, Value | None]:
    """Return the table to which a place of a file belongs, and what stands there."""
    table = str(path[1]) if path[0] == "dependent" and len(path) > 2 else ""
    for part in path:
        if isinstance(value, dict):
            table = str(value.get("table") or table)
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            return table, None
    return table, value
