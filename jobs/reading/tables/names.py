"""The ids and versions of units and contacts, told when they are asked for: what becomes of a unit is decided
without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import polars as pl

from connectors.interface.id_numbers import ID
from jobs.reading.tables.compact_ids import VERSION
from jobs.reading.tables.parts import numbers_from
from jobs.reading.tables.row_numbers import BASE, ROW
from jobs.reading.tables.whole_tables import WholeTables
from rules.model.records import UnitKind

_OF_A_KIND: Final = BASE[UnitKind.FICHE]  # how many numbers a kind has
_PACKED: Final = {"key": ID, "version": VERSION}
_AT_ONCE: Final = 20_000  # ids that are texts together


class Names:
    """What whole tables know of rows by their numbers among those of all kinds (`BASE`)."""

    def __init__(self, found: WholeTables) -> None:
        self._ids, self._versions, self._outside = found.ids, found.versions, found.relation_units
        self._rows = {**found.by_kind, UnitKind.CONTACT: found.contacts}

    def packed(self, rows: pl.Series) -> pl.DataFrame:
        """Return `key` and `version` of rows, in their order."""
        if (kind := _only_kind(rows)) is not None:
            return self._packed(kind, rows - BASE[kind])
        parts = [(places, self._packed(kind, rows[places] - BASE[kind])) for kind, places in by_kind(rows)]
        if not parts:
            return pl.DataFrame(schema=_PACKED)
        return pl.concat([packed for _, packed in parts])[numbers_from(pl.concat([places for places, _ in parts]))]

    def of(self, rows: pl.Series) -> pl.DataFrame:
        """Return `id` and `etag` of rows, in their order."""
        packed = self.packed(rows)
        return pl.DataFrame([self._ids.texts(packed["key"]).alias("id"), self._versions.texts(packed["version"]).alias("etag")])

    def ids(self, rows: pl.Series) -> Iterator[str]:
        """Yield the ids of rows, in their order."""
        for at in range(0, len(rows), _AT_ONCE):
            yield from self._ids.texts(self.packed(rows.slice(at, _AT_ONCE))["key"]).to_list()

    def rows(self, ids: Collection[str]) -> pl.Series:
        """Return the rows, of any kind, that have one of a few ids."""
        found = [BASE[kind] + number for kind, of in self._rows.items() for number in of.of(ids).values()]
        for kind, units in self._outside.items():
            found += [BASE[kind] + number for number, row in enumerate(units) if row in ids]
        return pl.Series(found, dtype=ROW)

    def order(self, rows: pl.Series) -> pl.Series:
        """Return the places of rows of one kind in the order of the letters of their ids."""
        kind = _only_kind(rows)
        if self._ids.are_plain and kind in self._rows and self._rows[kind].is_in_order:
            return rows.arg_sort()
        keys = self.packed(rows)["key"]
        return (keys if self._ids.are_plain else self._ids.texts(keys)).arg_sort()

    def _packed(self, kind: UnitKind, numbers: pl.Series) -> pl.DataFrame:
        if kind in self._rows:
            return self._rows[kind].columns(numbers, "key", "version")
        units = list(self._outside[kind].values())
        of = [units[number] for number in numbers]
        return pl.DataFrame(
            {
                "key": self._ids.packed(pl.Series([unit.id for unit in of], dtype=pl.String)),
                "version": self._versions.packed(pl.Series([unit.etag for unit in of], dtype=pl.String)),
            }
        )


def _only_kind(rows: pl.Series) -> UnitKind | None:
    """Return the kind that all rows are of."""
    ends = [row for row in (rows.min(), rows.max()) if isinstance(row, int)]
    kinds = {row // _OF_A_KIND for row in ends}
    return list(UnitKind)[kinds.pop()] if len(kinds) == 1 else None


def by_kind(rows: pl.Series) -> Iterator[tuple[UnitKind, pl.Series]]:
    """Yield the places of the rows of each kind."""
    of = rows // _OF_A_KIND
    kinds, places = list(UnitKind), pl.int_range(len(rows), dtype=ROW, eager=True)
    for number in of.unique().sort():
        yield kinds[number], places.filter(of == number)
