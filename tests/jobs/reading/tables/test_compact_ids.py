"""Ids and versions come back from their numbers as they were, few or many, and no two share a number."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface import id_numbers
from jobs.reading.tables.compact_ids import Ids, Versions
from tests.jobs.reading.tables.test_row_numbers import ID

LIKE_NUMBERS = ["007", "+5", "-5", " 5", "5 ", "5_0", "5e1", "0x5", "٥", "5\n", ""]
VERSION = (
    st.integers(0, 2**63).map(lambda number: f'W/"{number}"')
    | st.sampled_from(["", "W/", '"5"', 'W/"', 'W/"5', 'w/"5"', *(f'W/"{text}"' for text in LIKE_NUMBERS)])
    | st.text("0W/", max_size=4)
)
GUID = "00000000-0000-4000-8000-00000000000a"


@pytest.mark.parametrize("few", [0, id_numbers._FEW], ids=["at once", "one by one"])
@given(ids=st.lists(st.none() | ID, max_size=12), versions=st.lists(st.none() | VERSION, max_size=12))
def test_what_was_packed_comes_back(few: int, ids: list[str | None], versions: list[str | None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(id_numbers, "_FEW", few)
        for kind, texts in ((Ids(), ids), (Versions(), versions)):
            numbers = kind.packed(pl.Series(texts, dtype=pl.String))
            assert kind.texts(numbers).to_list() == texts
            assert numbers.n_unique() == len(set(texts))


@pytest.mark.parametrize(
    "texts",
    [
        [f"{GUID}\n{GUID}"],
        [f"{GUID}\n{GUID}", None],
        [GUID, None, GUID],
        [GUID[:-1], f"0{GUID}"],
        [f"{GUID}\n", GUID[1:]],
        [GUID.replace("0", " ", 1), GUID],
        [GUID.replace("0", "-", 1), GUID],
        [GUID.replace("0", "٠", 1), GUID],
        [GUID[:8] + GUID[9:] + "-", GUID],
    ],
)
def test_texts_that_look_like_ids_only_when_they_are_read_as_one_are_told_apart(texts: list[str | None]) -> None:
    ids = Ids()
    assert ids.texts(ids.packed(pl.Series([GUID], dtype=pl.String))).to_list() == [GUID]
    packed = ids.packed(pl.Series(texts, dtype=pl.String))
    assert ids.texts(packed).to_list() == texts
    assert packed.n_unique() == len(set(texts))
    assert ids.asked(pl.Series(texts, dtype=pl.String)).equals(packed)
