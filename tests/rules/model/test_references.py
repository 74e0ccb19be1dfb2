"""The short number of a request."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rules.model.references import AS_MADE, NAMED, NAMED_OR_CODED, is_reference, short_reference


@given(st.text(min_size=1, max_size=40), st.integers(2018, 2100))
def test_it_is_short_always_the_same_and_says_nothing(request: str, year: int) -> None:
    found = short_reference(request, year)
    assert re.fullmatch(rf"DSR-{year}-[0-9A-HJKMNP-TV-Z]{{4}}-[0-9A-HJKMNP-TV-Z]{{4}}", found)
    assert found == short_reference(request, year)
    assert is_reference(found)
    assert is_reference(f" {found.lower()} ")


@given(st.integers(0, 10**9), st.integers(0, 6))
def test_two_neighbours_that_change_places_are_noticed(seed: int, at: int) -> None:
    found = short_reference(f"request-{seed}", 2026)
    code = found.replace("-", "")[7:]
    if code[at] == code[at + 1] or at == 6 or "Z" in code:
        return
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert not is_reference(f"DSR-2026-{swapped[:4]}-{swapped[4:]}")


def test_ten_thousand_requests_have_ten_thousand_numbers() -> None:
    assert len({short_reference(f"request-{number:012x}", 2026) for number in range(10_000)}) == 10_000


@given(st.text("0123456789abcdef", min_size=12, max_size=12), st.integers(2018, 2100))
def test_id_and_number_are_known_by_one_pattern_wherever_they_are_looked_for(signs: str, year: int) -> None:
    for name in (f"request-{signs}", short_reference(f"request-{signs}", year)):
        assert NAMED.sub("", f"see {name}.") == NAMED_OR_CODED.sub("", f"see {name}.") == "see ."
        assert re.fullmatch(AS_MADE, name)


def test_a_number_that_was_read_out_wrongly_is_hidden_and_no_telephone_number_passes_for_an_id() -> None:
    """SUS-07: whoever writes the letter O for a zero has named the request all the same."""
    for number in ("DSR-2O26-7K4M-9Q2X", "dsr-2026-7k4m-9q2x"):
        assert NAMED.sub("", number) == NAMED_OR_CODED.sub("", number) == ""
    assert not re.fullmatch(AS_MADE, "request-0470123456")
    assert NAMED.sub("", "REQUEST-00FF") == "REQUEST-00FF"  # a code, which names nobody
    assert NAMED_OR_CODED.sub("REQUEST", "REQUEST-00FF") == "REQUEST"
