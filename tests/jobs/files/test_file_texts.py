"""What a file that is a text says, as it is meant (EXP-06). All people are fictitious."""

import json

import pytest

from jobs.files.file_texts import text_in, texts_of
from jobs.files.result import Told

NAME = "Żaneta Шевченко 'D'"


@pytest.mark.parametrize(("media_type", "name"), [("application/json", "x"), ("application/octet-stream", "x.JSON")])
def test_a_name_in_json_is_read_without_its_escapes(media_type: str, name: str) -> None:
    """A redaction that reads `\\u017baneta` would miss it."""
    body = json.dumps({"naam": f"met\n{NAME}"}).encode()
    assert b"\\u017b" in body
    assert text_in(body, media_type, name) == Told(f'{{"naam": "met\n{NAME}"}}')


def test_half_a_character_and_what_only_looks_like_an_escape_are_no_reason_to_fail() -> None:
    assert text_in(rb'{"a": "\ud83d", "b": "C:\\\\u12"', "application/json", "x.json") == Told('{"a": "\ufffd", "b": "C:\\\\u12"')
    assert text_in(rb"C:\new \u0041", "text/plain", "x.txt") == Told(r"C:\new \u0041")


@pytest.mark.parametrize("content", [b"%PDF-1.4 broken, of Jan Peeters", b"PK\x03\x04 broken, of Jan Peeters"])
def test_a_file_that_nobody_can_open_is_looked_through_as_it_is(content: bytes) -> None:
    """The last look: it went out unread."""
    assert "Jan Peeters" in " ".join(texts_of("attachments/attachment-1.pdf", content))
