"""No text costs redaction or the last look more than its length: a note of one run must not stop everybody's
answer (EXP-06)."""

import time

import pytest

from rules.redaction.leak_terms import LeakTerms, name_leak_term
from tests.rules.redaction_cast import a_redactor

LENGTH = 60_000
PIECES = (
    "a", "A", "1", "é", "а", "aа", "a1", "a4a", "=41", "a=4", "%", "%41", "a%4", "&", "&#", "&amp;", "<", "<a ", "</b>", "\u202e",
    "\u202ea", "=?utf-8?q?", "\\u0041", "van ", "Van ", "de Van ", "aA", "a.", "a@", "a@b.be ", "+", "-", "[", "[ouder] ", "juf ",
    "juf van ", "Els ", "4f ", " ", "\n", "A-", "A ", "d'", "0470 ", "0470 12 34 56 ", "Els Janssens ", "mevrouw ", "\u0301",
    "Kerkstraat 12 ",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_run_of_anything_is_read_in_time(piece: str) -> None:
    text = piece * (LENGTH // len(piece))
    redactor = a_redactor()
    leak_terms = LeakTerms(redactor.leak_terms())
    began = time.process_time()
    redactor.redact(text)
    leak_terms.found_in(text)
    assert time.process_time() - began < 8  # what grows with the square of its length takes minutes


@pytest.mark.parametrize("said", ["Els Claes ", "Els Janssens | "])
def test_a_name_that_is_in_a_long_text_many_times_is_proved_once(said: str) -> None:
    """Else each of them would have the whole text searched again."""
    leak_terms = LeakTerms([name_leak_term("Els", "Claes-Janssens"), name_leak_term("Els", "Janssens")])
    text = "a b c d e " * 20_000 + said * 20_000
    began = time.process_time()
    leak_terms.found_in(text)
    assert time.process_time() - began < 8  # each for itself takes minutes
