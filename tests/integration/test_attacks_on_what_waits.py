"""Statistics that wait for their month are those that runs have counted: what was slipped in would be
published with them, and nobody could tell any more (ERA-16, ACC-06)."""

from collections.abc import Callable

import pytest

from jobs.ledger.entries import StoreAltered
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from jobs.runs.apply import apply_plan
from tests.drivers.attacking import attack, audited
from tests.drivers.night import Night
from tests.integration.in_place.anonymised import a_runaway


def monthly(text: str) -> str:
    return text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO waiting_statistics (crm, month, facts, units) SELECT crm, '2026-10', facts, 7 FROM waiting_statistics",
        "UPDATE waiting_statistics SET units = units + 1",
        "UPDATE waiting_statistics SET crm = 'http://127.0.0.1:1/'",
        "DELETE FROM waiting_statistics",
    ],
)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_waits_to_be_counted_is_what_runs_have_counted(
    request: pytest.FixtureRequest, make_night: Callable[..., Night], statement: str, database: str
) -> None:
    """ERA-16, ACC-06: what is slipped in would be published next month, and nobody could tell any more."""
    night = make_night(
        url=str(request.getfixturevalue("postgres_url")) if database == "postgresql" else None, policy=monthly, register="erasures.jsonl"
    )
    a_runaway(night)
    night.apply(night.plan())
    assert list(night.store.statistics.waiting(night.emulator.url).values()) == [1]
    ready = night.plan()
    assert audited(night) == []
    attack(night, statement)
    for act in (night.plan, lambda: apply_plan(night.context, ready.id)):
        with pytest.raises(StoreAltered, match="wait for their month"):
            act()
    assert [problem for problem in audited(night) if "wait for their month" in problem.what]


def test_what_was_slipped_in_while_a_run_works_is_not_sealed_with_what_it_counts(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=monthly, register="erasures.jsonl")
    a_runaway(night)
    plan = night.plan()
    row = "INSERT INTO waiting_statistics (crm, month, facts, units) VALUES (:crm, '2026-10', '{}', 7)"
    attack(night, row, crm=night.emulator.url)
    counted = {("2026-11", "{}"): 1}
    run = Run("run-1", Kind.ALL, plan.id, RunState.RUNNING, night.clock(), night.clock())
    night.store.runs.start(run, ("run_started", {"plan": plan.id}))
    with pytest.raises(StoreAltered, match="wait for their month"):
        night.store.statistics.fix(run, [], crm=night.emulator.url, taken=(), counted=counted, forgotten=())
    assert sum(night.store.statistics.waiting(night.emulator.url).values()) == 7


def test_what_waits_is_sealed_anew_before_its_key_is_destroyed(make_night: Callable[..., Night]) -> None:
    """9.2: the term of a key says nothing about what waits to be counted."""
    night = make_night(policy=monthly, register="erasures.jsonl")
    a_runaway(night)
    night.apply(night.plan())
    before = night.key.register_key
    head = night.store.ledger.head()
    assert head is not None
    assert str(head.waiting).startswith(f"{before}:")
    rotated, entries = night.key.rotate(night.clock())
    night.store.ledger.append([("key_rotated", entry) for entry in entries])
    night.store.journal.forget_key(before, ("key_destroyed", {"key": before}))
    head = night.store.ledger.head()
    assert head is not None
    assert str(head.waiting).startswith(f"{rotated.register_key}:")
    night.store.statistics.check()
