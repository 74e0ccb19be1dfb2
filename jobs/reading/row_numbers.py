"""The rows of one kind, each with a number: joins by ids are dear, so every id is looked up once, and rows
name each other by number from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from connectors.interface.columns import SEPARATOR
from connectors.interface.errors import ReadIncomplete
from rules.model.records import Record, UnitKind

ROW: Final = pl.UInt32
SOURCE: Final = pl.UInt16
_BITS: Final = 28
# The number of a unit among those of all kinds: of each kind the rows have numbers of their own from here on.
BASE: Final[Mapping[UnitKind, int]] = {kind: place << _BITS for place, kind in enumerate(UnitKind)}
NOBODY: Final = (len(BASE)) << _BITS  # a contact that was not read


class Numbered:
    """Rows as they come, page by page. `numbers` tells the number of each by its id; a row keeps its number
    whatever is added later."""

    def __init__(self, what: str, schema: Mapping[str, Any]) -> None:
        self._what = what
        self._parts = [pl.DataFrame(schema=schema)]
        self._numbers: pl.DataFrame | None = None
        self._is_plain = True
        self.height = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows, which have the columns of the schema and perhaps others."""
        if rows.height:
            self._parts.append(rows.select(self._parts[0].columns))
            self.height += rows.height
            self._numbers = None

    @property
    def frame(self) -> pl.DataFrame:
        """All rows, in the order of their numbers."""
        if len(self._parts) > 1:
            self._parts = [pl.concat(self._parts, rechunk=True)]
        return self._parts[0]

    @property
    def numbers(self) -> pl.DataFrame:
        """Every `id` with its `number`, and its `hash`. Raises ReadIncomplete: a row was read twice."""
        if self._numbers is None:
            ids = self.frame["id"]
            hashes = hashed(ids)
            self._is_plain = hashes.n_unique() == len(ids)  # no two ids have the same hash, so none is there twice
            if not self._is_plain and ids.n_unique() != len(ids):
                twice = ids.filter(ids.is_duplicated())[0]
                raise ReadIncomplete(f"a {self._what} was read twice", hint="the CRM's pages overlap: try again", where=twice)
            self._numbers = pl.DataFrame({"id": ids, "number": pl.int_range(len(ids), dtype=ROW, eager=True), "hash": hashes})
        return self._numbers

    def numbered(self, rows: pl.DataFrame, column: str, to: str) -> pl.DataFrame:
        """Return rows, in their order, with the number that the ids in a column have here; null where there
        is none."""
        return rows.with_columns(self.lookup(rows[column]).alias(to))

    def lookup(self, ids: pl.Series) -> pl.Series:
        """Return the numbers of ids, in their order; null where there is none."""
        if ids.null_count():
            there = ids.is_not_null().arg_true()
            none = pl.repeat(None, len(ids), dtype=ROW, eager=True)
            return none.scatter(there, self.lookup(ids.gather(there))) if len(there) else none
        asked, numbers = ids.alias("id").to_frame(), self.numbers
        if not self._is_plain:
            return asked.join(numbers, on="id", how="left", maintain_order="left")["number"]
        # Hashes are joined in half the time that texts take; what has the hash of an id need not have the id.
        found = asked.with_columns(hashed(ids).alias("hash")).join(
            numbers.select("hash", "number"), on="hash", how="left", maintain_order="left"
        )
        is_it = numbers["id"].gather(found["number"]) == found["id"]
        return found.select(pl.when(is_it).then("number")).to_series()

    def of(self, ids: Iterable[str | None]) -> dict[str, int]:
        """Return the numbers of those of a few ids that there are."""
        wanted = {each for each in ids if each is not None}
        if not wanted or not self.height:
            return {}
        asked = pl.DataFrame({"id": pl.Series(sorted(wanted), dtype=pl.String)})
        return dict(self.numbers.join(asked, on="id", how="semi").select("id", "number").iter_rows())


def hashed(ids: pl.Series) -> pl.Series:
    """Return a number for each id, the same for the same."""
    return ids.hash()


def records_of(sources: Sequence[type[Record]], rows: pl.DataFrame) -> list[Any]:
    """Return a few rows as records of the classes that `source` names; columns that are no field of theirs
    are left out."""
    made: list[Any] = []
    if not rows.height:
        return made
    fields = [name for name in sources[rows["source"][0]].__struct_fields__ if name in rows.columns]
    several = [name for name in ("categories", "also_in", "tied") if name in fields]
    for source, values in zip(rows["source"], rows.select(fields).iter_rows(named=True), strict=True):
        for name in several:
            values[name] = tuple(values[name].split(SEPARATOR)) if values[name] else ()
        made.append(sources[source](**values))
    return made
