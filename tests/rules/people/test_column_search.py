"""A few texts in a whole column at once."""

from hypothesis import given
from hypothesis import strategies as st

from rules.people.column_search import TextColumn


def test_digits_are_found_whatever_stands_between_them() -> None:
    column = ["02/475.44.99", None, "+32 2 4754499 ext 1", "", "４７５ 44 99", "475 44 98", "02 475 44\x1e99"]
    assert TextColumn(column[:6]).with_digits({"4754499"}) == {0, 2, 4}
    assert TextColumn(column[:6]).with_digits(set()) == set()
    assert TextColumn([]).with_digits({"4754499"}) == set()
    assert TextColumn(column).with_digits({"4754499"}) == set(range(7))  # a text that holds the sign between texts


def test_text_is_found_whatever_its_case() -> None:
    assert TextColumn(["Lotte@example.org", None, "noe\u0308l@example.org;LOTTE@x.org"]).with_text({"lotte", "noël"}) == {0, 2}


@given(st.lists(st.none() | st.text(st.sampled_from("0123 ./x"), max_size=8), max_size=12), st.sets(st.sampled_from(["1", "12", "303"])))
def test_it_finds_what_a_look_at_each_row_finds(column: list[str | None], wanted: set[str]) -> None:
    digits = ["".join(sign for sign in text or "" if sign.isdigit()) for text in column]
    assert TextColumn(column).with_digits(wanted) == {row for row, text in enumerate(digits) if any(one in text for one in wanted)}
    assert TextColumn(column).with_text(wanted) == {row for row, text in enumerate(column) if any(one in (text or "") for one in wanted)}
