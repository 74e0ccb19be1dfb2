"""A text is read in the encoding that it is plainly written in, and in no other: in the wrong one a name
would be hidden (EXP-06)."""

import base64
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.files.encodings import decoded
from jobs.files.file_texts import text_in
from jobs.files.result import Told
from jobs.files.supervisor import SHARED
from rules.redaction.leak_terms import LeakTerms, name_leak_term
from rules.texts.folding import fold

WHO = ("Élise", "Quaghebeur")  # fictitious
PEOPLE = st.sampled_from([WHO, ("Loïc", "Müllenaère")])
LEAK_TERMS = LeakTerms([name_leak_term(*WHO), name_leak_term("Loïc", "Müllenaère")])
LINE = "Gesprek met Élise één keer. Quaghebeur"
READINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
WORDS = st.lists(st.sampled_from(["met", "één", "keer", "naïef", "€ 5", "op 3/4", "\r\n", "\n", "”zo”", "Łódź", "x"]), max_size=12).map(
    " ".join
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"])
@pytest.mark.parametrize("text", [LINE, LINE + "\r\n", "Dag", "Beste “Élise”, 5 × 3"])
def test_a_text_is_read_in_its_encoding(text: str, encoding: str) -> None:
    if encoding == "latin-1":
        text = text.replace("“", "").replace("”", "")
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "content",
    [
        b"Gesprek met Elise \xe9\xe9n keer\x00\xff. Quaghebeur",
        b"\x00" + LINE.encode("latin-1") + b".",
        LINE.encode("utf-16-le") + LINE.encode("latin-1"),
        LINE.encode("utf-16-le") + LINE.encode("utf-16-be"),
        LINE.encode("utf-8") + b"\xff",
        LINE.encode("utf-8") + LINE.encode("cp1252"),
    ],
)
def test_what_is_not_plainly_of_one_encoding_is_unread(content: bytes) -> None:
    """It waits for a person, and is looked through in every encoding all the same."""
    assert decoded(content) is None
    found = SHARED.read(content, "text/plain", "nota.txt")
    assert found.why
    assert LEAK_TERMS.found_in("\n".join(found.texts)) == ("name",)


@given(
    WORDS,
    WORDS,
    PEOPLE,
    st.sampled_from(["utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be"]),
    st.integers(0, 255),
    st.integers(0, 400),
)
@example("Gesprek", "", WHO, "latin-1", 0, 30)
@example("", "", WHO, "latin-1", ord("\\"), 13)
def test_no_byte_in_a_text_hides_a_name(before: str, after: str, who: tuple[str, str], encoding: str, byte: int, place: int) -> None:
    """Wherever it is put: the file is unread, or whatever name a reading of what goes out has is found in it.

    A letter or digit more makes another word, which is no matter of encodings.
    """
    content = bytearray(f"{before} {' '.join(who)} {after}".encode(encoding, "replace"))
    content.insert(place % (len(content) + 1), byte)
    text = decoded(bytes(content))
    if text is None or LEAK_TERMS.found_in(text) or any(fold(bytes([byte]).decode(of, "replace")) for of in ("latin-1", "cp1252")):
        return
    for written, read in product(READINGS, READINGS):
        assert not LEAK_TERMS.found_in(text.encode(written, "replace").decode(read, "replace").replace("\0", ""))


@given(WORDS, WORDS, PEOPLE, st.sampled_from(["utf-8", "latin-1"]), st.sampled_from(["utf-16-le", "utf-16-be"]), st.booleans())
def test_a_name_of_which_two_letters_were_taken_for_one_is_found(
    before: str, after: str, who: tuple[str, str], encoding: str, pairs: str, in_small: bool
) -> None:
    """However the text came to be so, the last look reads it the other way too."""
    text = f"{before} {' '.join(who)} {after} "
    content = (text.lower() if in_small else text).encode(encoding, "replace")
    assert LEAK_TERMS.found_in(content[: len(content) // 2 * 2].decode(pairs, "replace")) == ("name",)


def test_a_message_with_a_text_that_cannot_be_read_is_not_told_without_it() -> None:
    head = b"Subject: Vraag\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
    assert text_in(head + base64.b64encode(LINE.encode()), "message/rfc822", "x.eml") == Told(f"Subject: Vraag\n\n{LINE}")
    unread = head + base64.b64encode(LINE.encode("latin-1") + b"\0")
    assert text_in(unread, "message/rfc822", "x.eml") is None
    assert SHARED.read(unread, "message/rfc822", "x.eml").why
