"""Rows that wait until there is room for them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import polars as pl

ROWS_A_PART: Final = 100_000


class PackedRows:
    """Rows of the same columns as Parquet, a fifth of what they take else, but for the last ones, which fill
    no part. A column is read after the other: of no more than one there is a second copy."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._open: list[pl.DataFrame] = []  # rows of the part that is not full yet

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows behind the others."""
        self._open.append(rows)
        if sum(part.height for part in self._open) >= ROWS_A_PART:
            self._turn()

    def _turn(self) -> None:
        out = io.BytesIO()
        pl.concat(self._open, rechunk=True).write_parquet(out, compression="zstd", compression_level=1, statistics=False)
        self._parts.append(out.getvalue())
        self._open.clear()

    def columns(self, names: Sequence[str], order: pl.Series | None = None) -> pl.DataFrame:
        """Return these columns of all rows, as they came or in another order."""
        return pl.DataFrame([self._column(name) if order is None else self._column(name)[order] for name in names])

    def _column(self, name: str) -> pl.Series:
        packed = (pl.read_parquet(part, columns=[name]).to_series() for part in self._parts)
        return pl.concat([*packed, *(part[name] for part in self._open)], rechunk=True)
