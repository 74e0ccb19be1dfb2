"""Rows are found by their ids, in order or behind those that are."""

from __future__ import annotations

from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.errors import ReadIncomplete
from jobs.reading.tables import key_search, row_numbers
from jobs.reading.tables.compact_ids import Ids, Versions
from jobs.reading.tables.row_numbers import ROW, Numbered

_ALL = 2**128 - 2**32 + 3  # among them the first numbers that stand for texts
ID = st.text("ab", max_size=4) | st.uuids().map(str) | st.integers(-5, 5).map(lambda number: str(UUID(int=number % _ALL)))
IDS = st.lists(ID, unique=True, max_size=12)


def rows(*ids: str) -> Numbered:
    found = Numbered("contact", {"id": pl.String, "place": ROW}, Ids(), Versions(), few=())
    add(found, *ids)
    return found


def add(found: Numbered, *ids: str) -> None:
    for each in ids:
        found.add(pl.DataFrame({"id": [each], "place": [found.height]}))


@pytest.mark.parametrize(("at_once", "many"), [(1, 1), (3, key_search._MANY), (row_numbers.AT_ONCE, 1)])
@given(first=IDS, behind=IDS, asked=st.lists(st.none() | ID, max_size=12))
def test_a_lookup_gives_the_number_of_each_id_that_there_is(
    at_once: int, many: int, first: list[str], behind: list[str], asked: list[str | None]
) -> None:
    behind = [each for each in behind if each not in first]
    found = rows(*first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_numbers, "AT_ONCE", at_once)
        patch.setattr(row_numbers, "EVERY", 1)
        patch.setattr(key_search, "_MANY", many)
        number = found.put_in_order().to_list()
        add(found, *behind)
        numbers = dict(zip(first, number, strict=True)) | {each: len(first) + at for at, each in enumerate(behind)}
        assert found.lookup(pl.Series(asked, dtype=pl.String)).to_list() == [None if each is None else numbers.get(each) for each in asked]
    assert dict(zip(found.ids(pl.int_range(found.height, dtype=ROW, eager=True)), found.frame["place"], strict=True)) == {
        each: at for at, each in enumerate([*first, *behind])
    }
    if found.packed.are_plain:
        assert list(found.ids(pl.int_range(len(first), dtype=ROW, eager=True))) == sorted(first)


@pytest.mark.parametrize("ordered", range(4))
def test_a_row_that_was_read_twice_stops_the_read(ordered: int) -> None:
    ids = ("a", "b", "a")
    found = rows(*ids[:ordered])

    def read() -> None:
        found.put_in_order()
        add(found, *ids[ordered:])
        found.lookup(pl.Series(["b"]))

    with pytest.raises(ReadIncomplete, match="read twice") as stopped:
        read()
    assert stopped.value.where == "a"
