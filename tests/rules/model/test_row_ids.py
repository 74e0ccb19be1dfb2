"""Ids of rows as people paste them."""

import pytest

from rules.model.row_ids import row_id

ID = "0a1b2c3d-0000-4000-8000-00000000000f"


@pytest.mark.parametrize("text", [ID, ID.upper(), f"{{{ID}}}", f" {{{ID.upper()}}}\n", ID.replace("-", "")])
def test_an_id_is_known_however_it_is_pasted(text: str) -> None:
    assert row_id(text) == ID


@pytest.mark.parametrize(
    "text", ["", "Lotte Peeters (fictief)", ID[:-1], f"{ID}0", f"0x{'1' * 30}", f"1_{'1' * 30}", f"urn:uuid:{ID}", "٣" * 32]
)
def test_a_text_that_is_no_id_is_none(text: str) -> None:
    assert row_id(text) is None
