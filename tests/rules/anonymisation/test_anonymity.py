"""What may be called anonymous (ERA-02): every condition, one by one."""

from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.anonymisation.anonymity import Anonymity, Conditions, anonymity, are_backups_out_of_use, is_history_gone
from rules.model.residual_data import PlaceState
from rules.policy.policy import Backups

NAMES = tuple(each.name for each in fields(Conditions))
ALL_MET = Conditions(**dict.fromkeys(NAMES, True))
REMOVED = date(2026, 11, 25)


def test_the_conditions_are_those_of_the_rule() -> None:
    assert NAMES == (
        "no_direct_identifier",
        "no_free_text",
        "no_file",
        "no_audit_history",
        "no_link_to_contact",
        "no_reversing_key",
        "small_cell_passed",
        "backups_out_of_use",
    )


def test_a_unit_that_meets_all_of_them_is_anonymised() -> None:
    assert anonymity(ALL_MET) is Anonymity.ANONYMISED
    assert ALL_MET.unmet == ()


@pytest.mark.parametrize("name", NAMES)
def test_one_that_is_not_met_is_enough_for_pseudonymised(name: str) -> None:
    """R-090 is the one about the key."""
    conditions = replace(ALL_MET, **{name: False})
    assert anonymity(conditions) is Anonymity.PSEUDONYMISED
    assert conditions.unmet == (name,)


@given(st.lists(st.booleans(), min_size=len(NAMES), max_size=len(NAMES)))
def test_anonymised_means_all_of_them(met: list[bool]) -> None:
    conditions = Conditions(**dict(zip(NAMES, met, strict=True)))
    assert (anonymity(conditions) is Anonymity.ANONYMISED) is all(met)


@pytest.mark.parametrize(
    ("state", "gone"),
    [(PlaceState.DONE, True), (PlaceState.NOT_APPLICABLE, True), (PlaceState.NOT_REACHABLE, False), (PlaceState.STILL_THERE, False)],
)
def test_a_history_that_nobody_could_look_into_may_hold_old_values(state: PlaceState, gone: bool) -> None:
    assert is_history_gone(state.value) is gone


def test_backups_that_are_declared_beyond_use_need_no_waiting() -> None:
    assert are_backups_out_of_use(Backups(beyond_use=True, days=28), removed_on=REMOVED, day=REMOVED)


@pytest.mark.parametrize(("day", "rotated"), [(date(2026, 12, 23), False), (date(2026, 12, 24), True)])
def test_other_backups_are_out_of_use_the_day_after_they_have_rotated(day: date, rotated: bool) -> None:
    """Of 28 days: the last backup that may hold the row is that of the day of the disposal."""
    assert are_backups_out_of_use(Backups(beyond_use=False, days=28), removed_on=REMOVED, day=day) is rotated
