"""Rows that waited are the rows that were given."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from jobs.plans import waiting_rows
from jobs.plans.waiting_rows import PackedRows

_RULE = pl.Categorical(pl.Categories("packed", physical=pl.UInt16))
_SCHEMA = pl.Schema([("row", pl.UInt32()), ("rule", _RULE), ("end", pl.Date()), ("is_held", pl.Boolean())])


def part(*numbers: int) -> pl.DataFrame:
    ends = [date(2026, 1, number) if number % 3 else None for number in numbers]
    columns = {"row": numbers, "rule": [f"rule {number % 4}" for number in numbers], "end": ends, "is_held": [n % 2 == 0 for n in numbers]}
    return pl.DataFrame(columns, schema=_SCHEMA)


@pytest.mark.parametrize("rows_a_part", [1, 3, waiting_rows.ROWS_A_PART])
def test_columns_come_back_as_they_were_or_in_another_order(rows_a_part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_rows, "ROWS_A_PART", rows_a_part)
    packed = PackedRows()
    for each in (part(5, 1, 9), part(), part(7), part(2, 8)):
        packed.add(each)
    every = part(5, 1, 9, 7, 2, 8)
    assert packed.columns(tuple(_SCHEMA)).equals(every)
    assert packed.columns(("row", "rule")).equals(every.select("row", "rule"))
    order = every["row"].arg_sort()
    assert packed.columns(tuple(_SCHEMA), order).equals(every.sort("row"))
    assert packed.columns(tuple(_SCHEMA)).schema == _SCHEMA


def test_no_rows_have_columns() -> None:
    packed = PackedRows()
    packed.add(part())
    assert packed.columns(tuple(_SCHEMA)).equals(part())
