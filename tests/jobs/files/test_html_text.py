"""A message in HTML as a reader would see it (EXP-01, EXP-19)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.files.html_text import plain_text


def test_markup_goes_and_what_is_read_stays() -> None:
    body = "<p>Beste <b>Jan</b>&nbsp;Peeters</p><script>x()</script><div>tot &gt; 5</div>"
    message = f"<html><head><style>p {{}}</style></head><body>{body}</body></html>"
    assert plain_text(message).split("\n") == ["Beste Jan\xa0Peeters", "tot > 5"]


def test_a_name_that_markup_cuts_in_two_is_one_name_again() -> None:
    """R-118: a redaction that reads the markup would miss it."""
    assert "Melderman" in plain_text("<p>Mel<span>der</span>man belde</p>")


def test_a_text_without_markup_stays_as_it_is() -> None:
    text = "1 < 2 en  3 > 2,\n\n  met spaties & tekens"
    assert plain_text(text) == text


@given(st.text(alphabet="ab<>&/! \n=\"'", max_size=60))
def test_nothing_that_a_program_would_run_is_left_and_no_text_is_too_strange(text: str) -> None:
    assert "<script" not in plain_text(f"<p><script>bad()</script>{text}</p>")
