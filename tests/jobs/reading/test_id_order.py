"""Ids sort by their numbers as they do by their letters."""

from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.reading import id_order as order_of_ids
from jobs.reading.id_order import id_order

GUIDS = st.lists(st.integers(0, 2**128 - 1).map(lambda number: str(UUID(int=number))), max_size=30)


@given(GUIDS, st.integers(1, 5))
def test_ids_sort_by_their_numbers_as_by_their_letters(ids: list[str], at_once: int) -> None:
    column = pl.Series(ids, dtype=pl.String)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_of_ids, "_AT_ONCE", at_once)
        assert column.gather(id_order(column).arg_sort()).to_list() == sorted(ids)


def test_what_ids_sort_by_is_a_number() -> None:
    column = pl.Series(["00000000-0000-0000-8000-000000000000", "ffffffff-ffff-ffff-8000-000000000000"])
    assert id_order(column).to_list() == [2**63, (2**64 - 1) * 2**64 + 2**63]


@pytest.mark.parametrize(
    "ids",
    [
        ["11111111-2222-3333-8000-000000000001", "A1111111-2222-3333-8000-000000000001"],
        ["11111111-2222-3333-8000-000000000001", "1111111122223333"],
        ["11111111-2222-3333-8000-000000000001", ""],
    ],
)
def test_what_has_no_such_number_sorts_by_its_letters(ids: list[str]) -> None:
    column = pl.Series(ids)
    assert id_order(column).to_list() == ids
