"""Rows of a table as two hashes each, of its id and of all of it: enough to tell which rows of two reads
differ, in 16 bytes a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


class Fingerprints:
    """The hashes of rows that are added frame by frame."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        import polars as pl

        from connectors.interface.id_numbers import as_texts

        rows = as_texts(rows)  # a row is the same whatever its page has made of the ids
        self._frames.append(pl.DataFrame({"id": rows["id"].hash(), "row": rows.hash_rows()}))

    def missing_in(self, other: Fingerprints) -> pl.Series:
        """Return the hashes of the ids whose rows are otherwise in the other, or not there."""
        return self._all().join(other._all(), on=["id", "row"], how="anti")["id"]

    def unknown_to(self, other: Fingerprints, forgotten: Iterable[int]) -> pl.Series:
        """Return the hashes of the ids that the other does not have, without those that were forgotten."""
        import polars as pl

        known = pl.Series(list(forgotten), dtype=pl.UInt64)
        found = self._all().join(other._all(), on="id", how="anti")["id"]
        return found.filter(~found.is_in(known.implode()))

    def _all(self) -> pl.DataFrame:
        import polars as pl

        return pl.concat([pl.DataFrame(schema={"id": pl.UInt64, "row": pl.UInt64}), *self._frames])


def hashes_of(ids: Iterable[str]) -> list[int]:
    """Return the hashes of ids, which another version of polars may give otherwise."""
    import polars as pl

    return list(pl.Series(list(ids), dtype=pl.String).hash())


def without(hashes: pl.Series, ids: pl.Series) -> int:
    """Return how many of these hashes are of none of the ids."""
    return int((~hashes.is_in(ids.hash().implode())).sum())


def untouched(rows: pl.DataFrame, touched: pl.Series) -> pl.DataFrame:
    """Return the rows that have none of these ids."""
    from connectors.interface.id_numbers import like

    return rows.filter(~rows["id"].is_in(like(touched, rows["id"]).drop_nulls().implode())) if len(touched) else rows
