"""Rows are found by their ids, whatever their hashes are."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.errors import ReadIncomplete
from jobs.reading import row_numbers
from jobs.reading.row_numbers import Numbered

_ALL = 2**128 - 2**32 + 3  # among them the first numbers that stand for texts
ID = st.text("ab", max_size=4) | st.uuids().map(str) | st.integers(-5, 5).map(lambda number: str(UUID(int=number % _ALL)))
IDS = st.lists(ID, unique=True, max_size=12)
HASHES: dict[str, Callable[[pl.Series], pl.Series]] = {
    "its own": pl.Series.hash,
    "one for many": lambda keys: keys.cast(pl.UInt64, strict=False).fill_null(0) % 3,
    "of others too": lambda keys: keys.hash() % 97,
}


def rows(*ids: str) -> Numbered:
    found = Numbered("contact", {"id": pl.String})
    for each in ids:
        found.add(pl.DataFrame({"id": [each]}))
    return found


@pytest.mark.parametrize("how", HASHES)
@given(ids=IDS, asked=st.lists(st.none() | ID, max_size=12))
def test_a_lookup_gives_the_number_of_each_id_that_there_is(how: str, ids: list[str], asked: list[str | None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_numbers, "hashed", HASHES[how])
        found = rows(*ids).lookup(pl.Series(asked, dtype=pl.String)).to_list()
    assert found == [ids.index(each) if each is not None and each in ids else None for each in asked]


@pytest.mark.parametrize("how", HASHES)
def test_a_row_that_was_read_twice_stops_the_read(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_numbers, "hashed", HASHES[how])
    with pytest.raises(ReadIncomplete, match="read twice"):
        rows("a", "b", "a").lookup(pl.Series(["a"]))
