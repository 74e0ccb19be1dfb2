"""What few rows have is told of each of them, in whatever order they stand."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from jobs.reading.tables.sparse import Sparse
from rules.law.facts import ROW

SCHEMA = {"year": pl.Int32, "text": pl.String}
PARTS = st.lists(st.lists(st.tuples(st.none() | st.integers(0, 9), st.none() | st.text("ab", max_size=1)), max_size=4), max_size=4)


def frame(rows: list[tuple[int | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"year": pl.Int64, "text": pl.String}, orient="row").with_columns(more=pl.lit(1))


@given(parts=PARTS, data=st.data())
def test_each_row_has_what_it_had_wherever_it_stands_now(parts: list[list[tuple[int | None, str | None]]], data: st.DataObject) -> None:
    found, rows = Sparse(SCHEMA), [row for part in parts for row in part]
    at = 0
    for part in parts:
        found.add(at, frame(part))
        at += len(part)
    numbers = data.draw(st.permutations(range(len(rows))))
    found.renumber(pl.Series(numbers, dtype=ROW))
    now = dict(zip(numbers, rows, strict=True))
    asked = data.draw(st.lists(st.none() | st.sampled_from(range(len(rows) + 1)), max_size=6))
    told = found.of(pl.Series(asked, dtype=ROW))
    assert told.schema == pl.Schema(SCHEMA)
    assert told.rows() == [now.get(each, (None, None)) if each is not None else (None, None) for each in asked]
    assert found.of(pl.Series(asked, dtype=ROW), "text").equals(told.select("text"))
    assert found.frame["number"].to_list() == sorted(number for number, row in now.items() if row != (None, None))
