"""A hold that the ledger knows is in force, whatever was done to its row (HLD-02, HLD-07)."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from jobs.ledger.entries import StoreAltered
from jobs.runs.apply import apply_plan
from tests.drivers.attacking import LONG_AGO, attack, audited
from tests.drivers.holding import place, release
from tests.drivers.night import Night


def delete_it(night: Night, hold: str) -> None:
    attack(night, "DELETE FROM holds")


def mark_it_released(night: Night, hold: str) -> None:
    attack(night, "UPDATE holds SET released = :yes", yes=True)


def release_it_in_its_document(night: Night, hold: str) -> None:
    _with(night, released_by="fictief", released_at=night.clock())


def end_it(night: Night, hold: str) -> None:
    _with(night, ends_on=date(2026, 1, 1))


def move_it(night: Night, hold: str) -> None:
    _with(night, row="00000000-0000-0000-0000-000000000001")


def _with(night: Night, **changes: Any) -> None:
    (hold,) = night.store.holds.all()
    attack(night, "UPDATE holds SET doc = :doc", doc=msgspec.json.encode(msgspec.structs.replace(hold, **changes)).decode())


@pytest.mark.parametrize("how", [delete_it, mark_it_released, release_it_in_its_document, end_it, move_it])
def test_a_hold_that_the_ledger_knows_stops_plan_and_run_where_the_table_lacks_it(
    attacked: Night, how: Callable[[Night, str], None]
) -> None:
    """HLD-02, HLD-07: two people release a hold, not whoever can write a table."""
    dossier = attacked.dossier("social_card", spoken=LONG_AGO)
    ready = attacked.approved(attacked.plan())
    hold = place(attacked, "cf_dossier", dossier)
    how(attacked, hold.id)
    for act in (attacked.plan, lambda: apply_plan(attacked.context, ready.id)):
        with pytest.raises(StoreAltered, match=hold.id):
            act()
    assert attacked.get("cf_dossiers", dossier) is not None
    assert any(hold.id in problem.where for problem in audited(attacked))


@pytest.mark.parametrize("field", ["obtained_by", "obtained_for"])
def test_whose_a_restriction_is_nobody_changes_in_the_table_unseen(attacked: Night, field: str) -> None:
    """4.2, rank 5: the erasure of whoever stands there would pass it."""
    person, dossier = attacked.contact(), attacked.dossier("social_card", spoken=LONG_AGO)
    hold = place(attacked, "cf_dossier", dossier, kind="restriction", obtained_by=(person,), obtained_for=(person,))
    assert audited(attacked) == []
    _with(attacked, **{field: ("00000000-0000-0000-0000-000000000001",)})
    assert [problem.where for problem in audited(attacked)] == [f"hold {hold.id}"]


def test_a_hold_that_two_people_released_may_leave_the_table_when_it_has_had_its_day(attacked: Night) -> None:
    dossier = attacked.dossier("social_card", spoken=LONG_AGO)
    hold = place(attacked, "cf_dossier", dossier)
    release(attacked, hold)
    attack(attacked, "DELETE FROM holds")
    assert attacked.plan().dispose["delete"] == 2
    assert audited(attacked) == []
