"""Words of a mapping that the schedule does not know but that resemble one it knows: a typing error keeps
units for ever."""

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Words

from connectors.dynamics.mapping.mapping import Choice, Mapping, Reference
from rules.files.suggestions import nearest


def misspelt_keys(mapping: Mapping, categories: Collection[str], kinds: Words[str, Collection[str]]) -> Iterator[str]:
    """Yield a warning for each key of a category or kind column that the schedule does not know and that is
    like one it knows, with its line, once each. `kinds` are the kinds of enrolments and engagements that the
    schedule has rows for, by unit. A key that is like none may be one that nobody has decided on yet: its
    units are kept (R-161), and a plan says so."""
    told = set()
    for unit, table in mapping.tables.items():
        for field, word, known in (("categories", "category", categories), ("kind", f"kind of {unit}", kinds.get(unit, ()))):
            column = table.columns.get(field)
            stated = (column.choice or column.reference) if column is not None else None
            if stated is None:
                continue
            for where, key in _slips(stated, known):
                if where not in told:
                    told.add(where)
                    meant = nearest(key, known)
                    yield f"{where}: the schedule knows no {word} {key}, and its units are kept; did you mean {meant}?"


def _slips(stated: Choice | Reference, known: Collection[str]) -> Iterator[tuple[str, str]]:
    for where, key in zip(stated.where.values(), stated.keys.values(), strict=True):
        if key not in known and nearest(key, known) is not None:
            yield where, key
