"""A message in HTML as a reader would see it (EXP-01, EXP-19)."""

import pytest
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


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        ("<article>Van Jan Peeters</article><article>Lena</article>", "Van Jan Peeters\nLena"),
        ("<pre>0475987654</pre><pre>1</pre>", "0475987654\n1"),
        ("<dl><dt>Naam<dd>Peeters<dt>Tel<dd>0475987654</dl>", "Naam\nPeeters\nTel\n0475987654"),
        ("<?xml version='1.0'?><p><naam>Peeters</naam><tel>0475987654</tel><nr>1</nr></p>", "Peeters\n0475987654\n1"),
        ("<p>in <st1:City>Gent</st1:City>.<o:p></o:p></p>", "in Gent."),
    ],
)
def test_what_stands_in_two_elements_is_not_glued_to_one_word(markup: str, told: str) -> None:
    """EXP-06: a number with a digit too many is nobody's number, and goes out."""
    assert plain_text(markup) == told


def test_a_text_without_markup_stays_as_it_is() -> None:
    text = "1 < 2 en  3 > 2,\n\n  met spaties & tekens"
    assert plain_text(text) == text


@given(st.text(alphabet="ab<>&/! \n=\"'", max_size=60))
def test_nothing_that_a_program_would_run_is_left_and_no_text_is_too_strange(text: str) -> None:
    assert "<script" not in plain_text(f"<p><script>bad()</script>{text}</p>")
