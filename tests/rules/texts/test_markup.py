"""Markup taken apart: nothing is too strange, nothing costs more than its length (EXP-19)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.files.html_text import plain_text
from rules.texts.markup import Words, has_markup, tokens, unescaped


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hallo</p><![>", "Hallo"),
        ("<p>Hallo</p><![foo[ x ]]>", "Hallo"),
        ("<![foo[ x ]]>", ""),
        ("<p>Hallo <!-- x --> daar", "Hallo daar"),
        ("Quaghe<!-- x -->beur", "Quaghebeur"),
        ("<p>a <!-- nooit af", "a <!-- nooit af"),
        ('<p title="a > b">c</p>', "c"),
        ("<p title='nooit af>c</p>", "c"),
        ("<style>p { }</style>c<script>x</script>", "c"),
        ("<p>1 < 2 & 3 > 2</p>", "1 < 2 & 3 > 2"),
        ("<?xml version='1.0'?><p>a</p></>b", "a\nb"),
        ("<p><![CDATA[a <b> c]]></p>", "a <b> c"),
        ("Van: Jan <jan@example.org>, zie <https://example.org/a>", "Van: Jan <jan@example.org>, zie <https://example.org/a>"),
        ("<p>Van: Jan <jan@example.org></p>", "Van: Jan <jan@example.org>"),
        ("<td>Jan</td><td>Peeters</td>", "Jan Peeters"),
        ("Pee<x></x>ters en PEE<x/>TERS, Pee<y>t</y>ers", "Peeters en PEETERS, Peeters"),
        ("<naam>jan</naam><plaats>gent</plaats><nr>1</nr><nr>2</nr>", "jan\ngent\n1\n2"),
        ("Jan<x></x>Peeters", "Jan\nPeeters"),
        ("<html><head><title>kop</title></head><p>tekst", "tekst"),
    ],
)
def test_what_a_reader_would_see(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("&#80;eeters &amp; &eacute;", "Peeters & é"),
        ("&#000000000000080;eeters &#x0000000050;", "Peeters P"),
        ("&#" + "9" * 5_000 + ";", "\ufffd"),
        ("&#x" + "f" * 5_000, "\ufffd"),
        ("&#; &#x; &", "&#; &#x; &"),
    ],
)
def test_a_reference_stands_for_its_character_however_long_it_is(escaped: str, text: str) -> None:
    assert unescaped(escaped) == text


def test_an_attribute_tells_what_it_says() -> None:
    (tag, _) = tokens("<A Title='Jan &amp; Els' alt=Mina checked/>x")
    assert tag.attributes == (("title", "Jan & Els"), ("alt", "Mina"), ("checked", ""))  # type: ignore[union-attr]


PIECES = (
    "<", "<a", "<a ", '<a b="', "<a b='", "<!--", "-->", "<![CDATA[", "<![CDATA[>", "]]>", "<style>", "</style", "<script></scrip", "b ",
    "=", '="', "&", "&#", "9", "\xa0", " \n", ">", "<!x", "<?", "</", "<a@", "<http:x", "<title>", "'", '"',
)  # fmt: skip


@pytest.mark.parametrize("before", ["", "<p>", "<a ", "<!--"])
@pytest.mark.parametrize("after", ["", ">", '=" > "', "-->"])
def test_nothing_costs_more_than_its_length(before: str, after: str) -> None:
    """What is repeated twenty thousand times takes hundredths of a second; a cost of the square would take
    minutes."""
    for piece in PIECES:
        started = time.process_time()
        plain_text(before + piece * 20_000 + after)
        assert time.process_time() - started < 5, (before, piece, after)


@given(st.text(alphabet="ab<>&/![]-? \n=\"'#;x0", max_size=80))
def test_no_markup_is_too_strange_and_no_word_is_lost(text: str) -> None:
    found = list(tokens(text))
    if not has_markup(text):
        assert plain_text(text) == text
    words = "".join(token.text for token in found if isinstance(token, Words))
    assert len(words) <= len(text)


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_pieces_of_markup_in_any_order_are_read(pieces: list[str]) -> None:
    plain_text("".join(pieces))
