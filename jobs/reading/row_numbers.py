"""The rows of one kind, each with a number: joins by ids are dear, so every id is looked up once, and rows
name each other by number from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from connectors.interface.columns import SEPARATOR
from connectors.interface.errors import ReadIncomplete
from jobs.reading.packed import ID, VERSION, Ids, Versions
from rules.model.records import Record, UnitKind

ROW: Final = pl.UInt32
SOURCE: Final = pl.UInt16
_PACKED: Final = ("id", "etag")
_BITS: Final = 28
# The number of a unit among those of all kinds: of each kind the rows have numbers of their own from here on.
BASE: Final[Mapping[UnitKind, int]] = {kind: place << _BITS for place, kind in enumerate(UnitKind)}
NOBODY: Final = (len(BASE)) << _BITS  # a contact that was not read


class Numbered:
    """Rows as they come, page by page; a row keeps its number whatever is added later. `frame` has them in
    the order of their numbers, with `key` for `id` and `version` for `etag` (`jobs.reading.packed`)."""

    def __init__(self, what: str, schema: Mapping[str, Any], ids: Ids | None = None, versions: Versions | None = None) -> None:
        self._what = what
        self._columns = {name: dtype for name, dtype in schema.items() if name not in _PACKED}
        self._has_versions = "etag" in schema
        self.packed, self._versions = ids or Ids(), versions or Versions()
        own = {"key": ID} | ({"version": VERSION} if self._has_versions else {})
        self._parts = [pl.DataFrame(schema=own | self._columns)]
        self._found: pl.DataFrame | None = None
        self._is_plain = True
        self.height = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows, which have the columns of the schema and perhaps others."""
        if rows.height:
            packed = [self.packed.packed(rows["id"]).alias("key")]
            if self._has_versions:
                packed.append(self._versions.packed(rows["etag"]).alias("version"))
            self._parts.append(rows.select(*packed, *(pl.col(name).cast(dtype) for name, dtype in self._columns.items())))
            self.height += rows.height
            self._found = None

    @property
    def frame(self) -> pl.DataFrame:
        """All rows, in the order of their numbers."""
        return whole(self._parts)

    def drop(self, *columns: str) -> None:
        """Forget columns that nobody asks for any more, and how ids are found until somebody looks for
        one."""
        self._parts = [self.frame.drop(columns)]
        self._columns = {name: dtype for name, dtype in self._columns.items() if name not in columns}
        self._found = None

    def taken(self, numbers: pl.Series) -> pl.DataFrame:
        """Return the rows with these numbers, their ids and versions as texts in `id` and `etag`."""
        rows = self.frame[numbers] if len(numbers) else self.frame.clear()
        return self._told(rows).hstack(rows.drop("key", "version", strict=False))

    def _told(self, rows: pl.DataFrame) -> pl.DataFrame:
        told = [self.packed.texts(rows["key"]).alias("id")]
        return pl.DataFrame(told + ([self._versions.texts(rows["version"]).alias("etag")] if self._has_versions else []))

    def ids(self, numbers: pl.Series) -> pl.Series:
        """Return the ids of the rows with these numbers; null where there is none."""
        return self.packed.texts(self.frame["key"].gather(numbers) if self.height else pl.Series([None] * len(numbers), dtype=ID))

    @property
    def _index(self) -> pl.DataFrame:
        """The hash of every id in order, with its `number`. Raises ReadIncomplete: a row was read twice."""
        if self._found is None:
            keys = self.frame["key"]
            self._found = pl.DataFrame({"hash": hashed(keys), "number": pl.int_range(len(keys), dtype=ROW, eager=True)}).sort("hash")
            self._is_plain = self._found["hash"].is_unique().all()  # no two ids have the same hash, so none is there twice
            if not self._is_plain and keys.n_unique() != len(keys):
                twice = self.packed.texts(keys.filter(keys.is_duplicated()).head(1))[0]
                raise ReadIncomplete(f"a {self._what} was read twice", hint="the CRM's pages overlap: try again", where=twice)
        return self._found

    def numbered(self, rows: pl.DataFrame, column: str, to: str) -> pl.DataFrame:
        """Return rows, in their order, with the number that the ids in a column have here; null where there
        is none."""
        return rows.with_columns(self.lookup(rows[column]).alias(to))

    def lookup(self, ids: pl.Series) -> pl.Series:
        """Return the numbers of ids, in their order; null where there is none."""
        if not self.height or ids.null_count() == len(ids):
            return pl.repeat(None, len(ids), dtype=ROW, eager=True)
        if ids.null_count():
            there = ids.is_not_null().arg_true()
            return pl.repeat(None, len(ids), dtype=ROW, eager=True).scatter(there, self.lookup(ids.gather(there)))
        index, asked = self._index, self.packed.asked(ids)
        if not self._is_plain:
            known = self.frame.select("key").with_row_index("number").cast({"number": ROW})
            return asked.alias("key").to_frame().join(known, on="key", how="left", maintain_order="left")["number"]
        # What has the hash of an id need not have the id. A join would make its table for each page anew.
        asked = asked.alias("asked")
        place = index["hash"].search_sorted(hashed(asked))
        number = pl.lit(index["number"]).gather(pl.lit(place).clip(upper_bound=index.height - 1))
        is_it = pl.lit(self.frame["key"]).gather(number) == pl.col("asked")
        return asked.to_frame().select(pl.when(is_it).then(number).alias("number")).to_series()

    def of(self, ids: Iterable[str | None]) -> dict[str, int]:
        """Return the numbers of those of a few ids that there are."""
        wanted = sorted({each for each in ids if each is not None})
        if not wanted or not self.height:
            return {}
        numbers = self.lookup(pl.Series(wanted, dtype=pl.String))
        return {each: number for each, number in zip(wanted, numbers, strict=True) if number is not None}


def whole(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Put parts together, in their place, a column at a time: of no more than one there is a second copy."""
    if len(parts) > 1:
        columns = pl.concat(parts).get_columns()
        parts.clear()
        for at in range(len(columns)):
            columns[at] = columns[at].rechunk()
        parts.append(pl.DataFrame(columns))
    return parts[0]


def hashed(keys: pl.Series) -> pl.Series:
    """Return a number for each id, the same for the same."""
    return keys.hash()


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
