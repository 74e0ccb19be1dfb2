"""Words of a mapping that the schedule does not know but that resemble one it knows: a typing error keeps
units for ever."""

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Words
from typing import NamedTuple

from connectors.dynamics.mapping.mapping import Mapping
from rules.files.suggestions import nearest


class Misspelt(NamedTuple):
    """A key, the place of its option, what to report, and the key that was probably meant."""

    where: str
    message: str
    meant: str


def misspelt_keys(mapping: Mapping, categories: Collection[str], kinds: Words[str, Collection[str]]) -> Iterator[Misspelt]:
    """Yield each key of a category or kind column that the schedule does not know and that is like one it
    knows, once each. `kinds` are the kinds of enrolments and engagements that the schedule has rows for, by
    unit. A key that is like none may be one that nobody has decided on yet: its units are kept (R-161), and a
    plan says so."""
    told = set()
    for table in mapping.tables:
        for field, word, known in (("categories", "category", categories), ("kind", f"kind of {table.kind}", kinds.get(table.kind, ()))):
            column = table.columns.get(field)
            stated = (column.choice or column.reference) if column is not None else None
            if stated is None:
                continue
            for where, key in zip(stated.where.values(), stated.keys.values(), strict=True):
                meant = nearest(key, known)
                if key not in known and meant is not None and where not in told:
                    told.add(where)
                    yield Misspelt(where, f"the schedule knows no {word} {key}, and its units are kept; did you mean {meant}?", meant)
