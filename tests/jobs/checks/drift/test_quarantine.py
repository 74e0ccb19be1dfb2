"""A unit in quarantine stays until the day that the ledger knows, whatever is written to its mark."""

from collections.abc import Callable
from datetime import date, timedelta

import msgspec
import pytest

from jobs.checks.ledger_drift import refuse_altered
from jobs.ledger.entries import StoreAltered
from jobs.runs.quarantine import undo
from rules.retention.quarantine import Mark
from tests.drivers.attacking import LONG_AGO, attack
from tests.drivers.night import Night


@pytest.fixture
def marked(make_night: Callable[..., Night]) -> Night:
    """A night on which a fiche was marked for 14 days."""
    night = make_night(policy=lambda text: text + "quarantine:\n  days: 14\n", register="erasures.jsonl")
    night.fiche("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    refuse_altered(night.context)
    return night


def the_mark(night: Night) -> Mark:
    (mark,) = night.store.quarantine.marks()
    return mark


def written(night: Night, mark: Mark) -> None:
    attack(night, "UPDATE quarantine SET unit_id = :id, doc = :doc", id=mark.id, doc=msgspec.json.encode(mark).decode())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"until": date(2026, 12, 8)}, "ends on 2026-12-08, by the ledger on 2026-12-09"),
        ({"undone": True}, "by the ledger on 2026-12-09"),
        ({"id": "00000000-0000-0000-0000-000000000001"}, "is in no entry of the ledger"),
    ],
)
def test_a_mark_that_was_altered_stops_plan_and_run(marked: Night, change: dict[str, object], told: str) -> None:
    ready, before = marked.plan(), marked.writes()
    written(marked, mark := msgspec.structs.replace(the_mark(marked), **change))
    for act in (marked.plan, lambda: marked.apply(ready)):
        with pytest.raises(StoreAltered, match=told) as caught:
            act()
        assert caught.value.where == f"quarantine of cf_fiche {mark.id}"
    assert marked.writes() == before


def test_what_a_person_kept_longer_stays_as_long_as_the_ledger_says(marked: Night) -> None:
    """The day of before is in the ledger too, and is not the last word."""
    first = the_mark(marked)
    marked.clock.now += timedelta(days=14)
    undo(marked.store, marked.policy, first.table, first.id, "ben", "dpo", now=marked.clock(), reference=marked.key.reference)
    refuse_altered(marked.context)
    assert the_mark(marked).until > first.until
    written(marked, first)
    with pytest.raises(StoreAltered, match=f"ends on {first.until}"):
        refuse_altered(marked.context)


def test_a_unit_whose_mark_is_gone_is_marked_again(marked: Night) -> None:
    """It stays longer for that, so nothing is refused."""
    first = the_mark(marked)
    marked.clock.now += timedelta(days=15)
    attack(marked, "DELETE FROM quarantine")
    run = marked.apply(marked.plan())
    assert (run.counts["skipped"], the_mark(marked).until - first.until) == ({"QUARANTINED": 1}, timedelta(days=15))
