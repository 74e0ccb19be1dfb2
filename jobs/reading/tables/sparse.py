"""What few rows have, kept by the numbers of those that have it: a column of nulls weighs as much as one of
values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from jobs.reading.tables.key_search import places_among
from jobs.reading.tables.parts import rearrange, repeated, whole
from rules.law.facts import ROW


class Sparse:
    """Columns of which most rows have none. Numbers are added in their order."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = pl.Schema(schema)
        self._parts = [pl.DataFrame(schema={"number": ROW, **schema})]

    def add(self, first: int, rows: pl.DataFrame) -> None:
        """Add what rows have, which are numbered from `first` on, in the columns of the schema and perhaps
        others."""
        some = rows.select(pl.any_horizontal(pl.col(name).is_not_null() for name in self._schema).arg_true()).to_series()
        own = (rows[name][some].cast(dtype) for name, dtype in self._schema.items())
        self._parts.append(pl.DataFrame([(some + first).cast(ROW).alias("number"), *own]))

    def renumber(self, numbers: pl.Series) -> None:
        """Have each row the number that stands in the place of the one it had."""
        rows = self.frame
        if rows.height:
            self._parts[:] = [rows.with_columns(numbers[rows["number"]].alias("number"))]
            rearrange(self._parts, "number", pl.Series.arg_sort)

    @property
    def frame(self) -> pl.DataFrame:
        """The rows that have any, by `number` and in the order of it."""
        return whole(self._parts)

    def of(self, numbers: pl.Series, *names: str) -> pl.DataFrame:
        """Return what rows have of these columns, or of all, in their order; null of those that have none."""
        rows = self.frame[list(names or self._schema)]
        if not rows.height:
            return pl.DataFrame({name: repeated(None, len(numbers), dtype) for name, dtype in rows.schema.items()})
        return rows[places_among(self.frame["number"], numbers)]
