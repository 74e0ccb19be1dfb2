"""One function says what was probably meant, for every file and setting."""

import pytest

from rules.errors import PolicyError
from rules.files.suggestions import meant, nearest
from rules.policy.loader import load_policy

KNOWN = ("role", "outcome", "channel", "crm_url", "crm_token", "months")


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("rol", "role"),
        ("OUTCOM", "outcome"),
        ("chanel", "channel"),
        ("crm-url", "crm_url"),
        ("mnoths", "months"),
        ("xyz", None),
        ("", None),
    ],
)
def test_the_nearest_known_word(word: str, found: str | None) -> None:
    assert nearest(word, KNOWN) == found
    assert meant(word, KNOWN) == ("" if found is None else f"; did you mean {found}?")


def test_nothing_is_like_anything_where_nothing_is_known() -> None:
    assert nearest("role", ()) is None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("plan_valid_hours:", "plan_valid_hour:", "did you mean plan_valid_hours?"),
        ("  review_months:", "  review_month:", "did you mean review_months?"),
    ],
)
def test_a_misspelt_key_of_a_schedule_is_told_with_what_was_meant(old: str, new: str, line: str) -> None:
    from importlib.resources import files

    text = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(PolicyError) as refused:
        load_policy(text.replace(old, new, 1), source="mine.yaml")
    assert line in str(refused.value)
