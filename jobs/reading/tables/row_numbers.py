"""The rows of one kind, each with a number: joins by ids are dear, so every id is looked up once, and rows
name each other by number from then on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from connectors.interface.columns import SEPARATOR
from connectors.interface.errors import ReadIncomplete
from connectors.interface.id_numbers import ID, as_texts
from jobs.reading.tables.compact_ids import VERSION, Ids, Versions
from jobs.reading.tables.key_search import KeySearch
from jobs.reading.tables.parts import numbers_from, rearrange, repeated, whole
from jobs.reading.tables.sparse import Sparse
from rules.model.records import Record, UnitKind

ROW: Final = pl.UInt32
SOURCE: Final = pl.UInt16
_PACKED: Final = ("id", "etag")
AT_ONCE: Final = 200_000  # ids that are sorted together
EVERY: Final = 500  # of so many ids one is looked at to part them
_BITS: Final = 28
# The number of a unit among those of all kinds: of each kind the rows have numbers of their own from here on.
BASE: Final[Mapping[UnitKind, int]] = {kind: place << _BITS for place, kind in enumerate(UnitKind)}
_SEVERAL: Final = ("categories", "also_in", "tied")  # kept as one text
NOBODY: Final = (len(BASE)) << _BITS  # a contact that was not read


class Numbered:
    """Rows as they come, page by page. A row keeps its number whatever is added later, until all are put in
    the order of their ids. `frame` has them in the order of their numbers, with `key` for `id` and `version`
    for `etag` (`jobs.reading.tables.compact_ids`), but for what few rows have: these columns are `sparse`."""

    def __init__(
        self,
        what: str,
        schema: Mapping[str, Any],
        ids: Ids,
        versions: Versions,
        *,
        few: Collection[str],
    ) -> None:
        self._what = what
        self.packed, self._versions = ids, versions
        own = {"key": ID} | ({"version": VERSION} if "etag" in schema else {})
        self._columns = own | {name: dtype for name, dtype in schema.items() if name not in _PACKED}
        self.sparse = {name: Sparse({name: self._columns[name]}) for name in few}
        self._parts = [pl.DataFrame(schema={name: dtype for name, dtype in self._columns.items() if name not in few})]
        self._in_order = 0  # so many rows come first in the order of their keys
        self._found: pl.DataFrame | None = None
        self._search, self._search_behind = KeySearch(), KeySearch()
        self.height = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows, which have the columns of the schema and perhaps others."""
        if rows.height:
            packed = {"key": self.packed.packed(rows["id"]).alias("key")}
            if "version" in self._columns:
                packed["version"] = self._versions.packed(rows["etag"]).alias("version")
            own = pl.DataFrame([packed[name] if name in packed else rows[name].cast(dtype) for name, dtype in self._columns.items()])
            for sparse in self.sparse.values():
                sparse.add(self.height, own)
            self._parts.append(own[[name for name in own.columns if name not in self.sparse]])
            self.height += rows.height
            self._found, self._search_behind = None, KeySearch()

    @property
    def frame(self) -> pl.DataFrame:
        """All rows, in the order of their numbers."""
        return whole(self._parts)

    @property
    def is_in_order(self) -> bool:
        """Whether all rows stand in the order of their ids."""
        return self._in_order == self.height

    def put_in_order(self) -> pl.Series:
        """Put the rows in the order of their ids, in which they are found without an index, and return the
        number that each has now, by the one that it had. Raises ReadIncomplete: a row was read twice."""
        order = rearrange(self._parts, "key", _order)
        self._in_order, self._found = self.height, None
        self.forget_search()
        self._refuse_twice(self.frame["key"])
        numbers = numbers_from(order)
        for sparse in self.sparse.values():
            sparse.renumber(numbers)
        return numbers

    def forget_search(self) -> None:
        """Forget what was kept to find ids sooner: few are looked for any more."""
        self._search, self._search_behind = KeySearch(), KeySearch()

    def keep(self, *columns: str) -> None:
        """Forget all columns but these: nobody asks for the others any more."""
        self._columns = {name: dtype for name, dtype in self._columns.items() if name in columns}
        self.sparse = {name: sparse for name, sparse in self.sparse.items() if name in columns}
        self._parts = [self.frame[[name for name in self._columns if name not in self.sparse]]]

    def columns(self, numbers: pl.Series, *names: str) -> pl.DataFrame:
        """Return these columns of the rows with these numbers."""
        frame, sparse = self.frame, self.sparse
        return pl.DataFrame([sparse[name].of(numbers)[name] if name in sparse else frame[name][numbers] for name in names])

    def taken(self, numbers: pl.Series) -> pl.DataFrame:
        """Return the rows with these numbers, their ids and versions as texts in `id` and `etag`; one without
        a version has none."""
        rows = self.columns(numbers, *self._columns)
        return self._told(rows).hstack(rows.drop("key", "version", strict=False))

    def _told(self, rows: pl.DataFrame) -> pl.DataFrame:
        told = [self.packed.texts(rows["key"]).alias("id")]
        if "version" in rows.columns:
            told.append(self._versions.texts(rows["version"]).fill_null("").alias("etag"))
        return pl.DataFrame(told)

    def ids(self, numbers: pl.Series) -> pl.Series:
        """Return the ids of the rows with these numbers; null where there is none."""
        return self.packed.texts(self.frame["key"][numbers] if self.height else repeated(None, len(numbers), ID))

    @property
    def _behind(self) -> pl.DataFrame:
        """The keys of the rows behind those in order, in order, with their `number`. Raises ReadIncomplete: a
        row was read twice."""
        if self._found is None:
            rows = self.frame.select("key", number=pl.int_range(pl.len(), dtype=ROW))
            self._found = rows[self._in_order :].sort("key")
            keys = self._found["key"]
            self._refuse_twice(
                pl.concat([keys, keys.filter(self._search.places(rows["key"].head(self._in_order), keys).is_not_null())]).sort()
            )
        return self._found

    def _refuse_twice(self, keys: pl.Series) -> None:
        again = keys.slice(1) == keys.slice(0, max(len(keys) - 1, 0))
        if again.any():
            twice = self.packed.texts(keys.slice(1).filter(again).head(1))[0]
            raise ReadIncomplete(f"a {self._what} was read twice", hint="the CRM's pages overlap: try again", where=twice)

    def numbered(self, rows: pl.DataFrame, column: str, to: str) -> pl.DataFrame:
        """Return rows, in their order, with the number that the ids in a column have here; null where there
        is none."""
        return rows.with_columns(self.lookup(rows[column]).alias(to))

    def lookup(self, ids: pl.Series) -> pl.Series:
        """Return the numbers of ids, in their order; null where there is none."""
        if not self.height or ids.null_count() == len(ids):
            return repeated(None, len(ids), ROW)
        if ids.null_count():
            is_there, places = ids.is_not_null(), pl.int_range(len(ids), dtype=ROW, eager=True)
            return repeated(None, len(ids), ROW).scatter(places.filter(is_there), self.lookup(ids.filter(is_there)))
        asked = self.packed.asked(ids)
        number = self._search.places(self.frame["key"].head(self._in_order), asked)
        if self.is_in_order:
            return number
        behind = self._behind
        return number.zip_with(number.is_not_null(), behind["number"][self._search_behind.places(behind["key"], asked)])

    def of(self, ids: Iterable[str | None]) -> dict[str, int]:
        """Return the numbers of those of a few ids that there are."""
        wanted = sorted({each for each in ids if each is not None})
        if not wanted or not self.height:
            return {}
        numbers = self.lookup(pl.Series(wanted, dtype=pl.String))
        return {each: number for each, number in zip(wanted, numbers, strict=True) if number is not None}


def _order(keys: pl.Series) -> pl.Series:
    """Return the places of keys in order. Sorting takes several times what it sorts: many are sorted in
    parts."""
    if len(keys) <= AT_ONCE:
        return keys.arg_sort()
    some = keys.gather_every(EVERY).sort()
    cuts = some.gather_every(AT_ONCE // EVERY, 1)
    part = cuts.search_sorted(keys, side="left")
    of = ((part == number).arg_true() for number in range(len(cuts) + 1))
    return pl.concat([places[keys[places].arg_sort()] for places in of], rechunk=True)


def records_of(sources: Sequence[type[Record]], rows: pl.DataFrame) -> list[Any]:
    """Return a few rows as records of the classes that `source` names; columns that are not fields of theirs
    are left out, and fields that no column has kept are unknown."""
    rows = as_texts(rows)
    fields = {source: msgspec.structs.fields(sources[source]) for source in rows["source"].unique()}
    kept = {source: [field.name for field in some if field.name in rows.columns] for source, some in fields.items()}
    unkept = {source: {f.name: None for f in some if f.required and f.name not in rows.columns} for source, some in fields.items()}
    made: list[Any] = []
    for values in rows.iter_rows(named=True):
        source = values["source"]
        given = {name: values[name] for name in kept[source]}
        for name in _SEVERAL:
            if name in given:
                given[name] = tuple(given[name].split(SEPARATOR)) if given[name] else ()
        made.append(sources[source](**unkept[source], **given))
    return made
