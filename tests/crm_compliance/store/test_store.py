"""The store keeps what it is given and gives it back, over SQLite and over PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from crm_compliance.store.store import SqlStore
from jobs.ledger.maintenance_runs import ENDED, HOUSEKEEPING, STARTED
from jobs.model.plan import Approval, Kind, PlanState
from jobs.model.run import ActionState, RunState, StatisticWrite, StatisticWrites
from jobs.ports.store.store import Store
from rules.errors import Refused, UsageError
from tests.crm_compliance.store.values import ENTRY, NIGHT, PAGES, a_plan, a_run, a_word, an_action
from tests.drivers.clock import Clock


def finish(store: SqlStore, number: int, disposed: dict[str, int] | None, *, kind: Kind = Kind.RETENTION) -> None:
    """One night: a plan, its run, and the run's end."""
    store.plans.save(a_plan(f"plan-{number}"), [], ENTRY)
    run = a_run(f"run-{number}", f"plan-{number}", kind=kind)
    store.runs.start(run, ENTRY)
    counts: dict[str, object] = {} if disposed is None else {"disposed": disposed}
    store.runs.save(msgspec.structs.replace(run, state=RunState.DONE, ended_at=NIGHT, counts=counts))


def test_the_store_is_what_the_jobs_ask_for(store: SqlStore) -> None:
    port: Store = store  # mypy checks the fit
    assert list(port.ledger.entries()) == []


def test_a_plan_comes_back_as_it_was_saved_with_its_pages_in_order(store: SqlStore) -> None:
    store.plans.save(a_plan(), iter(PAGES), ENTRY)
    assert store.plans.get("plan-1") == a_plan()
    assert list(store.plans.pages("plan-1")) == PAGES
    assert [(entry.kind, entry.run, entry.data) for entry in store.ledger.entries()] == [("planned", None, {"units": 3})]


def test_a_plan_that_was_saved_with_words_and_as_applied_keeps_both(store: SqlStore) -> None:
    plan = a_plan(given=(a_word(), a_word("Dirk", "dpo")), applied=True)
    store.plans.save(plan, [], ENTRY)
    assert store.plans.get("plan-1") == plan


def test_plans_and_runs_are_listed_newest_first_even_when_the_clock_stands_still(store: SqlStore) -> None:
    for number in (1, 2, 3):
        finish(store, number, None)
    assert [plan.id for plan in store.plans.all()] == ["plan-3", "plan-2", "plan-1"]
    assert [run.id for run in store.runs.all()] == ["run-3", "run-2", "run-1"]


def test_the_newest_are_read_as_they_are_asked_for_and_none_is_left_out(store: SqlStore) -> None:
    """More than are read at a time, of two kinds, some of them carried out."""
    for number in range(60):
        kind = Kind.RECORDINGS if number % 3 else Kind.RETENTION
        store.plans.save(a_plan(f"plan-{number}", kind=kind), [], ENTRY)
        if number % 2:
            run = a_run(f"run-{number}", f"plan-{number}", kind=kind)
            store.runs.start(run, ENTRY)
            if number != 31:
                store.runs.save(msgspec.structs.replace(run, state=RunState.DONE, ended_at=NIGHT))
    store.plans.approve("plan-58", a_word(), ("approved", {}))
    assert list(store.plans.newest()) == store.plans.all()
    assert list(store.runs.newest()) == store.runs.all()
    assert [plan.id for plan in store.plans.newest([Kind.RETENTION])] == [f"plan-{number}" for number in range(57, -1, -3)]
    waiting = [plan.id for plan in store.plans.newest(is_applied=False)]
    assert waiting == [f"plan-{number}" for number in range(59, -1, -1) if number % 2 == 0 or number == 31]
    assert [run.id for run in store.runs.unfinished()] == ["run-31"]


def test_jobs_without_a_plan_are_read_from_the_end_of_the_ledger(store: SqlStore) -> None:
    finish(store, 1, None)
    store.ledger.append([(STARTED, {"kind": "retention", "plan": "plan-1"})], "run-1")
    for number in range(60):
        if number % 2:
            store.ledger.append([(STARTED, {"kind": "requests", "software": "1"})], f"round-{number}")
            store.ledger.append([(ENDED, {"kind": "requests", "state": "done", "asked": number})], f"round-{number}")
        else:
            store.ledger.append([(HOUSEKEEPING, {"state": "done"})], f"round-{number}")
    store.ledger.append([(STARTED, {"kind": "requests", "software": "1"})], "round-60")
    assert list(store.runs.newest_maintenance()) == store.runs.maintenance()
    assert [made.id for made in store.runs.maintenance()] == [f"round-{number}" for number in range(60, -1, -1)]
    assert [made.id for made in islice(store.runs.newest_maintenance(HOUSEKEEPING), 2)] == ["round-58", "round-56"]
    assert [made.state for made in islice(store.runs.newest_maintenance("requests"), 2)] == [RunState.RUNNING, RunState.DONE]


def test_listed_plans_carry_their_words(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    store.plans.save(a_plan("plan-2"), [], ENTRY)
    store.plans.approve("plan-1", a_word(), ("approved", {}))
    assert [plan.given for plan in store.plans.all()] == [(), (a_word(),)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.plans.get("nowhere"),
        lambda store: store.plans.pages("nowhere"),
        lambda store: store.plans.approve("nowhere", a_word(), ENTRY),
        lambda store: store.runs.get("nowhere"),
        lambda store: store.runs.save(a_run("nowhere"), [ENTRY]),
    ],
)
def test_an_unknown_id_is_a_usage_error_and_leaves_no_ledger_entry(store: SqlStore, ask: Callable[[SqlStore], object]) -> None:
    with pytest.raises(UsageError, match=r"there is no such (plan|run)") as caught:
        ask(store)
    assert caught.value.exit_code == 2
    assert list(store.ledger.entries()) == []


def test_a_plan_whose_pages_break_off_is_not_there_at_all(store: SqlStore) -> None:
    def pages() -> Iterator[bytes]:
        yield b"first page"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.plans.save(a_plan(), pages(), ENTRY)
    assert (store.plans.all(), list(store.ledger.entries())) == ([], [])
    store.plans.save(a_plan(), PAGES, ENTRY)
    assert list(store.plans.pages("plan-1")) == PAGES


def test_two_approvals_make_a_plan_ready_and_the_store_says_how_it_then_stands(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    assert store.plans.approve("plan-1", a_word(), ("approved", {"role": "crm_admin"})).state(NIGHT) is PlanState.WAITING
    after = store.plans.approve("plan-1", a_word("Dirk", "dpo"), ("approved", {"role": "dpo"}))
    assert after.state(NIGHT) is PlanState.READY
    assert store.plans.get("plan-1") == after
    assert [entry.data.get("role") for entry in store.ledger.entries()] == [None, "crm_admin", "dpo"]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (a_word(), a_word("an admin", "dpo"), "same_person"),
        (a_word(), a_word("another admin"), "role"),
        (a_word(approves=False), a_word("Dirk", "dpo"), "plan_state"),
        (a_word(approves=False), a_word("Dirk", "dpo", approves=False), "plan_state"),
    ],
)
def test_of_what_two_people_say_at_the_same_moment_only_what_counts_is_kept(
    store: SqlStore, first: Approval, second: Approval, code: str
) -> None:
    """Each has read the plan before the other said something; the second is told what counts by then."""
    store.plans.save(a_plan(), [], ENTRY)
    store.plans.approve("plan-1", first, ENTRY)
    with pytest.raises(Refused) as caught:
        store.plans.approve("plan-1", second, ENTRY)
    assert (caught.value.code, caught.value.exit_code) == (code, 5)
    assert store.plans.get("plan-1").given == (first,)
    assert len(list(store.ledger.entries())) == 2


def test_one_person_cannot_approve_twice_from_two_windows_at_once(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    start, refusals = Barrier(4), []

    def click(role: str) -> None:
        start.wait()
        try:
            store.plans.approve("plan-1", a_word(role=role), ENTRY)
        except Refused as error:
            refusals.append(error.code)

    windows = [Thread(target=click, args=(role,)) for role in ("crm_admin", "dpo", "crm_admin", "dpo")]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert refusals == ["same_person"] * 3
    assert len(store.plans.get("plan-1").given) == 1


def test_a_run_comes_back_as_it_was_saved_and_is_found_by_its_plan(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    assert store.runs.of_plan("plan-1") is None
    run = a_run(statistics=StatisticWrites((StatisticWrite("1", {"year": 2026}),)), counts={"skipped": {"CHANGED": 1}})
    store.runs.start(run, ("started", {}))
    assert store.runs.get("run-1") == store.runs.of_plan("plan-1") == run
    assert [(entry.kind, entry.run) for entry in store.ledger.entries()] == [("planned", None), ("started", "run-1")]


def test_a_plan_has_one_run_only(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    with pytest.raises(Exception, match="runs"):
        store.runs.start(a_run("run-2"), ENTRY)
    assert [run.id for run in store.runs.all()] == ["run-1"]
    assert len(list(store.ledger.entries())) == 2


def test_the_plan_of_a_finished_run_counts_as_applied(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    store.runs.save(a_run(software_version="1"))
    assert not store.plans.get("plan-1").applied
    store.runs.save(a_run(state=RunState.DONE_WITH_FAILURES, ended_at=NIGHT), [("ended", {}), ("certified", {})])
    assert store.plans.get("plan-1").applied
    assert store.plans.all()[0].applied
    assert [(entry.kind, entry.run) for entry in store.ledger.entries()][-2:] == [("ended", "run-1"), ("certified", "run-1")]


def test_the_journal_keeps_the_order_in_which_actions_were_first_recorded(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    store.journal.record("run-1", [an_action("b"), an_action("a"), an_action("c")])
    store.journal.record("run-1", [an_action("a", ActionState.DONE), an_action("a", table="cf_fiche"), an_action("b", ActionState.FAILED)])
    journal = [(action.table, action.id, action.state) for action in store.journal.of_run("run-1")]
    assert journal == [
        ("cf_dossier", "b", ActionState.FAILED),
        ("cf_dossier", "a", ActionState.DONE),
        ("cf_dossier", "c", ActionState.INTENDED),
        ("cf_fiche", "a", ActionState.INTENDED),
    ]
    assert store.journal.of_run("run-1")[1] == an_action("a", ActionState.DONE)


def test_actions_and_their_ledger_entries_are_recorded_together_or_not_at_all(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    with pytest.raises(TypeError):
        store.journal.record("run-1", [an_action("a")], [("disposed", {"share": 0.5})])
    assert store.journal.of_run("run-1") == []
    store.journal.record("run-1", [an_action("a")], [("disposed", {"objects": {"notes": 2}}), ("verified", {})])
    assert [(entry.kind, entry.run) for entry in store.ledger.entries()][2:] == [("disposed", "run-1"), ("verified", "run-1")]


def test_nothing_is_recorded_for_a_run_that_is_not_there(store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        store.journal.record("nowhere", [an_action("a")])
    assert store.journal.of_run("nowhere") == []


def test_disposals_are_those_of_finished_runs_of_the_kind_newest_first_with_zeros(store: SqlStore) -> None:
    for number, units in enumerate((3, 0, 7)):
        finish(store, number, {"units": units, "recordings": 10 * units})
    finish(store, 10, {"units": 99, "recordings": 99}, kind=Kind.RECORDINGS)
    finish(store, 11, None)  # not counted by anybody: no zero
    store.plans.save(a_plan("plan-12"), [], ENTRY)
    store.runs.start(a_run("run-12", "plan-12", counts={"disposed": {"units": 55, "recordings": 55}}), ENTRY)  # not over
    assert store.runs.disposals(Kind.RETENTION, "units", 30) == [7, 0, 3]
    assert store.runs.disposals(Kind.RETENTION, "recordings", 2) == [70, 0]
    assert store.runs.disposals(Kind.RECORDINGS, "units", 30) == [99]
    assert store.runs.disposals(Kind.ALL, "units", 30) == []


def test_a_second_store_over_the_same_database_sees_everything(database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    open_store(database_url).plans.save(a_plan(), PAGES, ENTRY)
    again = open_store(database_url)
    assert (again.plans.get("plan-1"), list(again.plans.pages("plan-1"))) == (a_plan(), PAGES)


def test_instants_keep_their_instant(store: SqlStore) -> None:
    at = datetime(2026, 3, 29, 1, 0, 0, 123456, tzinfo=UTC)
    store.plans.save(a_plan(created_at=at), [], ENTRY)
    assert store.plans.get("plan-1").created_at == at


def test_lines_of_runs_are_as_new_as_the_question_whoever_asks(store: SqlStore) -> None:
    """Readers wait for one another; none of them gets less than what was there when it asked."""
    seen: list[list[int]] = [[] for _ in range(8)]
    over = Event()

    def read(found: list[int]) -> None:
        while not over.is_set():
            found.append(len(store.runs.lines()))

    readers = [Thread(target=read, args=(found,), daemon=True) for found in seen]
    for reader in readers:
        reader.start()
    try:
        for number in range(20):
            finish(store, number, None)
            lines = store.runs.lines()
            assert (len(lines), lines[0].id) == (number + 1, f"run-{number}"), "the newest first, though the clock stands still"
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert all(found == sorted(found) for found in seen)
    assert store.runs.lines()[0].state is RunState.DONE


def test_runs_that_have_not_ended_are_found_without_reading_all_plans(tmp_path: Path, clock: Clock) -> None:
    asked: list[tuple[str, Any]] = []
    with SqlStore.open(f"sqlite:///{tmp_path}/state.db", clock=clock) as store:
        event.listen(store.database.engine, "before_cursor_execute", lambda _c, _cursor, sql, values, *_: asked.append((sql, values)))
        assert store.runs.unfinished() == []
        sql, values = next(each for each in asked if each[0].startswith("SELECT"))
        with store.database.reading() as connection:
            steps = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all())
    assert "ix_plans_applied" in steps
    assert "SCAN" not in steps
