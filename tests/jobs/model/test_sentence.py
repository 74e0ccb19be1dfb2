"""Sentences with blanks: each is filled from its facts, and a number is written as people write it."""

import re

import pytest

from jobs.model.sentence import SENTENCES, Sentence


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_has_its_facts_in_its_blanks_and_no_blank_left(name: str) -> None:
    blanks = re.findall(r"%\((\w+)\)s", SENTENCES[name])
    facts = {blank: f"<{blank}>" for blank in blanks}
    text = str(Sentence.of(name, **facts))
    assert (re.findall(r"<(\w+)>", text), "%" in text) == (blanks, False)


@pytest.mark.parametrize(("fact", "written"), [(12.0, "12"), (12.5, "12.5"), (0.25, "0.25"), (1_000_000, "1000000")])
def test_a_median_has_no_decimals_that_say_nothing(fact: float, written: str) -> None:
    assert str(Sentence.of("nothing_due", median=fact)) == f"nothing is due; the median of the last runs is {written}"


def test_a_fact_that_lacks_is_no_empty_blank() -> None:
    with pytest.raises(KeyError, match="median"):
        str(Sentence.of("nothing_due"))
