"""Holds in both databases: placed once, released once, in order."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import msgspec
import pytest

from crm_compliance.store.store import SqlStore
from jobs.model.hold_query import HoldList, HoldQuery
from rules.errors import Refused, UsageError
from rules.holds.conditions import Condition
from rules.holds.placements import HoldType
from tests.meanwhile import between
from tests.rules.holds.placed_holds import DAY, a_hold

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


def test_a_hold_that_is_released_while_it_is_restated_is_not_in_force_again(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.holds.place(a_hold(), ("hold_placed", {}))
    released = msgspec.structs.replace(a_hold(), released_by="erik", released_at=NOW)
    beside = Thread(target=store.holds.release, args=(released, ("hold_released", {})))

    def meanwhile() -> None:
        beside.start()
        beside.join(0.3)  # where nothing keeps it, it is over long before

    between(monkeypatch, "crm_compliance.store.rows.holds._read", meanwhile)
    store.holds.restate(a_hold(), msgspec.structs.replace(a_hold(), basis="in other words"), ("hold_restated", {}))
    beside.join()
    assert (store.holds.all(), store.holds.all(unreleased=True)) == ([released], [])


def test_a_hold_of_an_id_that_there_is_changes_nothing(store: SqlStore) -> None:
    store.holds.place(a_hold(), ("hold_placed", {}))
    with pytest.raises(Refused) as refused:
        store.holds.place(msgspec.structs.replace(a_hold(), basis="another letter"), ("hold_placed", {}))
    assert (refused.value.code, refused.value.where) == ("exists", a_hold().id)
    assert store.holds.all() == [a_hold()]
    assert [entry.kind for entry in store.ledger.entries()] == ["hold_placed"]


def test_lists_say_what_each_hold_says_of_the_day(store: SqlStore) -> None:
    """HLD-03: the last day is still covered; a review that was not done releases nothing."""
    one = timedelta(days=1)
    asked: tuple[dict[str, Any], ...] = (
        {"ends_on": None, "review_on": DAY},
        {"ends_on": DAY, "review_on": DAY - one},
        {"ends_on": DAY - one, "review_on": DAY - 3 * one, "type": HoldType.JUDICIAL},
        {"ends_on": DAY + one, "review_on": DAY - 2 * one, "table": "contact", "row": "100%", "is_unseen": True},
        {"ends_on": DAY - one, "is_unseen": True},
    )
    for number, facts in enumerate(asked):
        store.holds.place(a_hold(id=f"hold-{number}", **facts), ("hold_placed", {}))
    lifted = msgspec.structs.replace(store.holds.get("hold-0"), released_at=NOW, released_by="erik")
    store.holds.place(msgspec.structs.replace(lifted, id="hold-9", released_at=None), ("hold_placed", {}))
    store.holds.release(msgspec.structs.replace(lifted, id="hold-9"), ("hold_released", {}))
    every = store.holds.all()
    for day in (DAY - one, DAY, DAY + one, DAY + 2 * one):
        lists = {each: [hold.id for hold in store.holds.page(HoldQuery(day, each)).holds] for each in HoldList}
        assert lists[HoldList.ALL] == [hold.id for hold in reversed(every)]
        assert lists[HoldList.IN_FORCE] == [hold.id for hold in reversed(every) if hold.is_in_force(day)]
        assert lists[HoldList.OVER] == [hold.id for hold in reversed(every) if not hold.is_in_force(day)]
        overdue = sorted((hold for hold in every if hold.is_overdue(day)), key=lambda hold: hold.review_on)
        assert lists[HoldList.REVIEW] == [hold.id for hold in overdue]
        unseen = [hold.id for hold in reversed(every) if hold.is_unseen and hold.is_in_force(day)]
        assert lists[HoldList.UNSEEN] == unseen
        assert all(store.holds.number(HoldQuery(day, each)) == len(found) for each, found in lists.items())


def test_a_list_is_read_as_far_as_it_is_shown_and_filtered(store: SqlStore) -> None:
    for number in range(7):
        store.holds.place(
            a_hold(id=f"hold-{number}", row=f"a_{number}", table="contact" if number % 2 else "cf_dossier"), ("hold_placed", {})
        )
    total, holds = store.holds.page(HoldQuery(DAY), offset=5, limit=5)
    assert (total, [hold.id for hold in holds]) == (7, ["hold-1", "hold-0"])
    assert store.holds.page(HoldQuery(DAY), offset=7, limit=5) == (7, [])
    assert store.holds.number(HoldQuery(DAY, table="contact")) == 3
    assert store.holds.number(HoldQuery(DAY, type="judicial")) == 0
    assert [hold.id for hold in store.holds.page(HoldQuery(DAY, text=" A_3 ")).holds] == ["hold-3"]
    assert store.holds.number(HoldQuery(DAY, text="%")) == 0, "what is typed is no pattern"
    assert store.holds.number(HoldQuery(DAY, text="HOLD-6")) == 1
