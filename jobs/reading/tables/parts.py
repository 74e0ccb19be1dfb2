"""A table whose rows came in parts, put together a column at a time: of no more than one there is a second
copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import polars as pl

from rules.law.facts import ROW

NO_ROW: Final = 2**32 - 1  # no number of any row


def whole(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Put parts together, in their place."""
    if len(parts) > 1:
        columns = pl.concat(parts).get_columns()
        parts.clear()
        for at in range(len(columns)):
            columns[at] = columns[at].rechunk()
        parts.append(pl.DataFrame(columns))
    return parts[0]


def rearrange(parts: list[pl.DataFrame], by: str, order_of: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Put parts together, in their place, in the order that `order_of` gives for one column; return it."""
    columns = {column.name: column for column in pl.concat(parts).get_columns()}
    parts.clear()
    columns[by] = columns[by].rechunk()
    order = order_of(columns[by])
    for name in columns:
        columns[name] = columns[name].rechunk()
        columns[name] = columns[name][order]
    parts.append(pl.DataFrame(columns))
    return order


def numbers_from(order: pl.Series) -> pl.Series:
    """Return which number each row has that was put in this order, by the one that it had."""
    numbers = pl.int_range(len(order), dtype=ROW, eager=True)
    return numbers.clone().scatter(order, numbers)


def repeated(value: Any, times: int, dtype: Any) -> pl.Series:
    """Return a column of one value, without an expression, which costs far more before it has any row."""
    return pl.Series([value], dtype=dtype).new_from_index(0, times)
