"""Categories of a mapping that the schedule does not know, where they look like one that it does: a slip
keeps units for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from connectors.dynamics.mapping.mapping import Mapping
from rules.policy.suggestions import nearest


def misspelt_categories(mapping: Mapping, known: Collection[str]) -> Iterator[str]:
    """Give a warning for each key of a category column that is none of the `known` and like one of them, with
    its line, once each.

    A key that is like none may be one that nobody has decided on yet: its units are kept as UNCONFIGURED
    (R-161), and a plan says so.
    """
    told = set()
    for table in mapping.tables.values():
        column = table.columns.get("categories")
        if column is None or column.choice is None:
            continue
        for value, key in column.choice.keys.items():
            meant = nearest(key, known) if key not in known else None
            where = column.choice.where[value]
            if meant is not None and where not in told:
                told.add(where)
                yield f"{where}: the schedule knows no category {key}, and its units are kept as UNCONFIGURED; did you mean {meant}?"
