"""What was found of some units, beside them by their row numbers: `row` is where a unit stands, so nothing
has to be looked for."""

import polars as pl


def beside(units: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return units with what was found of some of them, one row a unit at most, by `row`; null of the
    others."""
    rows = units["row"]
    if not found["row"].equals(rows):
        number = pl.Series([None], dtype=pl.UInt32).new_from_index(0, units.height)
        found = found[number.scatter(found["row"], rows.head(found.height))]
    return units.hstack([column for column in found if column.name != "row"])


def in_order(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Return what was found in the order of these columns."""
    return found.sort(*by) if found.height > 1 else found
