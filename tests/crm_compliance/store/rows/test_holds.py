"""Holds in both databases: placed once, released once, in order."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from crm_compliance.store.store import SqlStore
from rules.errors import Refused, UsageError
from rules.holds.conditions import Condition
from tests.rules.holds.test_placements import a_hold

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def test_a_hold_comes_back_as_it_was_placed(store: SqlStore) -> None:
    first = a_hold()
    second = a_hold(id="hold-2", row="", conditions=(Condition("category", ("sexting", "grooming")),))
    for hold in (first, second):
        store.holds.place(hold, ("hold_placed", {"hold": hold.id}))
    assert store.holds.all() == store.holds.all(unreleased=True) == [first, second]
    assert store.holds.get("hold-2") == second
    assert [entry.kind for entry in store.ledger.entries()] == ["hold_placed", "hold_placed"]
    with pytest.raises(UsageError):
        store.holds.get("hold-3")


def test_a_hold_is_released_once_and_stays_on_record(store: SqlStore) -> None:
    store.holds.place(a_hold(), ("hold_placed", {}))
    released = msgspec.structs.replace(a_hold(), released_by="erik", released_at=NOW)
    store.holds.release(released, ("hold_released", {}))
    assert (store.holds.all(), store.holds.all(unreleased=True)) == ([released], [])
    with pytest.raises(Refused) as caught:
        store.holds.release(msgspec.structs.replace(released, released_by="frida"), ("hold_released", {}))
    assert caught.value.code == "released"
    assert store.holds.get("hold-1").released_by == "erik"
    assert [entry.kind for entry in store.ledger.entries()] == ["hold_placed", "hold_released"]


def test_a_hold_of_an_id_that_there_is_changes_nothing(store: SqlStore) -> None:
    store.holds.place(a_hold(), ("hold_placed", {}))
    with pytest.raises(Refused) as refused:
        store.holds.place(msgspec.structs.replace(a_hold(), basis="another letter"), ("hold_placed", {}))
    assert (refused.value.code, refused.value.where) == ("exists", a_hold().id)
    assert store.holds.all() == [a_hold()]
    assert [entry.kind for entry in store.ledger.entries()] == ["hold_placed"]
