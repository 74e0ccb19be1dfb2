"""Columns of ids say the same as numbers and as texts, one by one and put together."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.columns import NO_ID
from connectors.interface.id_numbers import ID, ODD, as_texts, like, numbers_in, numbers_of, packed, together

GUID = st.uuids().map(str)
UPPER = "00000000-0000-4000-8000-00000000000A"
ODD_ID = st.sampled_from([NO_ID, NO_ID[:-1] + "0", "0" * 36, UPPER, "x"])
COLUMN = st.lists(st.none() | GUID, max_size=8) | st.lists(st.none() | GUID | ODD_ID, max_size=8)


def column(ids: list[str | None]) -> pl.Series:
    return pl.Series("id", ids, dtype=pl.String)


def is_plain(row: str | None) -> bool:
    return row is None or (row not in {"0" * 36, UPPER, "x"} and int(row.replace("-", ""), 16) < ODD)


@given(COLUMN)
def test_ids_stay_the_same_and_are_numbers_where_all_are_guids(ids: list[str | None]) -> None:
    rows = pl.DataFrame({"id": column(ids), "other": column(ids)})
    found = packed(rows, {"id", "not there"})
    assert (found.schema["id"] == ID) is (any(ids) and all(map(is_plain, ids)))
    assert found.schema["other"] == pl.String
    assert as_texts(found).equals(rows)
    assert packed(found, {"id"}).equals(found)


@given(st.lists(COLUMN, min_size=1, max_size=3))
def test_frames_are_put_together_whatever_their_ids_are(columns: list[list[str | None]]) -> None:
    rows = [column(ids).to_frame() for ids in columns]
    assert as_texts(together(packed(each, {"id"}) for each in rows)).equals(pl.concat(rows))


@given(st.lists(GUID, min_size=1, max_size=8), st.lists(GUID | ODD_ID, max_size=8))
def test_ids_are_found_in_columns_of_either_kind(ids: list[str], asked: list[str]) -> None:
    texts = column(list(ids))
    numbers = numbers_of(texts)
    assert numbers is not None
    for kept in (texts, numbers):
        wanted = like(column([*asked, ids[0]]), kept)
        assert kept.is_in(wanted.implode()).to_list() == [each in {*asked, ids[0]} for each in ids]


def test_what_is_missing_has_no_number_and_nothing_else_is_taken_for_it() -> None:
    there = "00000000-0000-4000-8000-00000000000a"
    found = numbers_in("id", f"{there}\n{NO_ID}", 2, missing=1)
    assert found is not None
    assert found.to_list() == [0x4000_8000_00000000000A, None]
    assert found.name == "id"
    assert numbers_in("id", f"{there}\n{NO_ID}", 2) is None
    assert numbers_in("id", f"{NO_ID}\n{NO_ID}", 2, missing=1) is None
    assert numbers_in("id", f"{there}\n{there}", 2, missing=1) is None


@pytest.mark.parametrize("text", ["", "\n", " " * 36, "0" * 36, "00000000-0000-4000-8000-00000000 00a"])
def test_what_is_no_guid_has_no_number(text: str) -> None:
    assert numbers_in("id", text, 1) is None
