"""`docs/rights.md` says what the rules do."""

from pathlib import Path

import pytest

from rules.documents.rights_page import matrix_part, overridable_part
from rules.rights.entitlement import OVERRIDABLE

PAGE = (Path(__file__).parents[2] / "docs" / "rights.md").read_text(encoding="utf-8")


def test_the_matrix_of_the_page_is_current() -> None:
    """`make docs` writes it."""
    assert matrix_part() in PAGE


def test_what_two_people_may_override_stands_in_the_page() -> None:
    assert overridable_part() in PAGE


DECIDED = ["RGT-04", "RGT-07", "RGT-08", "RGT-09", "RGT-10", "RGT-11", "RGT-12", "SUS-04", "SUS-09", "SUS-10"]


@pytest.mark.parametrize("rule", [*OVERRIDABLE, *DECIDED])
def test_every_decision_names_its_rule(rule: str) -> None:
    assert rule in PAGE.split("## What was decided", 1)[1]
