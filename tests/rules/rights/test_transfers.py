"""Where data may go as if they stayed at home (GDPR art. 44, R-121)."""

import pytest

from rules.rights.recipients import EEA, is_outside

INSIDE, OUTSIDE = ("BE", " be ", "NO", "", None), ("GB", "CH", "MA", "Marokko")


@pytest.mark.parametrize(("country", "outside"), [*((each, False) for each in INSIDE), *((each, True) for each in OUTSIDE)])
def test_what_lies_outside(country: str | None, outside: bool) -> None:
    assert is_outside(country) is outside


def test_the_union_with_iceland_liechtenstein_and_norway() -> None:
    assert len(EEA) == 27 + 3
