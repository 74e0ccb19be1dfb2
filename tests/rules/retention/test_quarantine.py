"""A unit in quarantine goes when its days have passed, and not a day earlier."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy.limits import Quarantine
from rules.retention.quarantine import QUARANTINED, UNDONE, Mark, covers, last_day, waits

DAY = date(2026, 11, 25)
MARK = Mark("cf_dossier", "1", DAY, DAY + timedelta(days=14), told=True)


def test_a_unit_that_nobody_has_marked_waits() -> None:
    assert waits(None, DAY) == QUARANTINED


def test_the_last_day_is_kept_and_the_next_is_not() -> None:
    assert waits(MARK, date(2026, 12, 9)) == QUARANTINED
    assert waits(MARK, date(2026, 12, 10)) == ""


def test_the_days_do_not_pass_while_the_owner_could_not_be_told() -> None:
    assert waits(msgspec.structs.replace(MARK, told=False), date(2030, 1, 1)) == QUARANTINED


def test_what_a_person_took_out_stays_and_is_then_marked_afresh() -> None:
    undone = msgspec.structs.replace(MARK, undone=True)
    assert waits(undone, date(2026, 12, 9)) == UNDONE
    assert waits(undone, date(2026, 12, 10)) == QUARANTINED


@pytest.mark.parametrize(
    ("policy", "categories", "covered"),
    [
        (None, ("social_card",), False),
        (Quarantine(), ("social_card",), True),
        (Quarantine(categories=("e_safety",)), ("social_card", "e_safety"), True),
        (Quarantine(categories=("e_safety",)), ("social_card",), False),
    ],
)
def test_a_mixed_unit_waits_for_each_of_its_categories(policy: Quarantine | None, categories: tuple[str, ...], covered: bool) -> None:
    assert covers(policy, categories) is covered


@given(days=st.integers(1, 365), later=st.integers(0, 800))
def test_no_unit_goes_before_all_its_days_have_passed(days: int, later: int) -> None:
    mark = msgspec.structs.replace(MARK, until=last_day(Quarantine(days=days), DAY))
    assert (waits(mark, DAY + timedelta(days=later)) == "") is (later > days)
