"""The register of erasures in the database: each entry once, oldest first; and what the last runs have
done."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_compliance.store.rows import erasures
from crm_compliance.store.store import SqlStore
from jobs.model.run import Action, ActionState, Erasure, RowWrite, RunState
from tests.crm_compliance.store.values import a_plan, a_run

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.open(f"sqlite:///{tmp_path / 'state.db'}", clock=lambda: NOW) as opened:
        yield opened


def an_entry(number: int, operation: str = "delete", run: str = "run-1") -> Erasure:
    return Erasure(f"{number:064x}", operation, "contact", run, "2026-11-25T11:00:00Z", "EXPIRED")


def test_an_entry_is_there_once(store: SqlStore) -> None:
    entries = [an_entry(1), an_entry(1, "mask"), an_entry(1, run="run-2"), an_entry(2)]
    assert store.erasures.add(entries) == 4
    assert store.erasures.add(iter([*entries, an_entry(3)])) == 1
    assert list(store.erasures.all()) == [*entries, an_entry(3)]
    assert store.erasures.has(an_entry(2))
    assert not store.erasures.has(an_entry(2, "mask"))


def test_all_pages_are_read(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasures, "PAGE", 3)
    store.erasures.add(an_entry(number) for number in range(10))
    assert [int(entry.ref, 16) for entry in store.erasures.all()] == list(range(10))


def test_what_a_run_has_done_last_comes_first(store: SqlStore) -> None:
    """Runs that go on, and units that are not done, do not count."""
    for number in (1, 2, 3):
        store.plans.save(a_plan(f"plan-{number}"), [], ("plan", {}))
        store.runs.start(a_run(f"run-{number}", f"plan-{number}"), ("run_started", {}))
        for state in (ActionState.DONE, ActionState.PARTIAL, ActionState.SKIPPED, ActionState.DONE):
            unit = f"{number}-{state.value}-{len(store.journal.of_run(f'run-{number}'))}"
            store.journal.record(f"run-{number}", [Action("contact", unit, "delete", state, rows=(RowWrite("contact", unit, "1"),))])
        if number < 3:
            store.runs.save(a_run(f"run-{number}", f"plan-{number}", state=RunState.DONE), [("run_ended", {})])
    assert [(run, action.id) for run, action in store.journal.last_done(3)] == [
        ("run-2", "2-done-3"),
        ("run-2", "2-done-0"),
        ("run-1", "1-done-3"),
    ]


def test_whether_a_run_is_over_is_what_the_ledger_says(store: SqlStore) -> None:
    """ACC-06: the ledger is signed, the table of runs is not. A run that somebody ends there is no proof of
    anything that was done."""
    store.plans.save(a_plan("plan-1"), [], ("plan", {}))
    store.runs.start(a_run("run-1", "plan-1"), ("run_started", {}))
    store.journal.record("run-1", [Action("contact", "1", "delete", ActionState.DONE, rows=(RowWrite("contact", "1", "1"),))])
    store.runs.save(a_run("run-1", "plan-1", state=RunState.DONE))
    assert store.journal.last_done(3) == []
    store.ledger.append([("run_ended", {})], "run-1")
    assert [(run, action.id) for run, action in store.journal.last_done(3)] == [("run-1", "1")]
