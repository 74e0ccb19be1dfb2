"""The passages of a file that mention somebody. Everybody is fictitious."""

import pytest

from jobs.requests.search.files_of_others import _passages
from jobs.requests.search.mentions import Sought
from rules.model.personal_records import FullContact

LOTTE = Sought([FullContact(id="1", first_name="Lotte", last_name="Peeters", phone="+32470112233")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Het regende. Peeters Lotte riep iets! Stil.", ["Peeters Lotte riep iets!"]),
        ("Getuige: Lotte\nPeeters, Gent\nEinde", ["Getuige: Lotte Peeters, Gent"]),
        ("Bel 0470.11.22.33. Nu.", ["Bel 0470.11.22.33."]),
        ("woord " * 50 + "Lotte Peeters " + "woord " * 50, None),
        ("x" * 500 + " Lotte Peeters " + "y" * 500, None),
        ("Lotte " + "- " * 400 + "Peeters", None),
    ],
    ids=["a sentence", "across two lines", "dots in a number", "without sentences", "without words", "far apart"],
)
def test_a_passage_is_the_sentence_that_names_somebody(text: str, said: list[str] | None) -> None:
    found = _passages(text, LOTTE)
    assert found == said if said is not None else (len(found) == 1 and "Lotte" in found[0] and len(found[0]) <= 361)
