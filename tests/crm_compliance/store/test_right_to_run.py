"""One runner at a time, and none of them leaves its lock behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from crm_compliance.hints import in_words
from crm_compliance.store import right_to_run
from crm_compliance.store.rows import leases
from crm_compliance.store.sql import tables
from crm_compliance.store.sql.database import Database
from crm_compliance.store.store import SqlStore
from jobs.model.run import ActionState
from rules.errors import Refused
from tests.crm_compliance.store.databases import raw
from tests.crm_compliance.store.values import ENTRY, NIGHT, a_plan, a_run, an_action

ROOT = Path(__file__).parents[3]
OTHER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from crm_compliance.store.store import SqlStore
from jobs.model.run import ActionState
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run, an_action

store = SqlStore.open(sys.argv[1], clock=lambda: datetime(2026, 3, 2, tzinfo=UTC), folder=Path(sys.argv[2]))
with store.leases.exclusive() as lease:
    store.plans.save(a_plan(), [b"page"], ENTRY)
    store.runs.start(a_run(), ENTRY)
    lease.work_on("run-1")
    store.journal.record("run-1", [an_action("a")], [("intended", {"unit": "a"})])
    print("at work", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(url: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the lock and has recorded an action."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, url, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_runner_in_the_same_process_is_refused_and_told_what_to_do(store: SqlStore) -> None:
    with store.leases.exclusive(), pytest.raises(Refused) as caught, store.leases.exclusive():
        pass
    assert (caught.value.code, caught.value.exit_code) == ("another_run", 5)
    assert "history list" in in_words(caught.value.hint)


def test_the_scheduler_has_a_lock_of_its_own_so_that_it_can_start_runs(store: SqlStore) -> None:
    with store.leases.exclusive("scheduler"), store.leases.exclusive():
        for name in ("scheduler", "runner"):
            with pytest.raises(Refused), store.leases.exclusive(name):
                pass


def test_the_lock_is_free_after_the_run_also_when_the_run_failed(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.leases.exclusive():
        raise ZeroDivisionError
    with store.leases.exclusive():
        pass


def test_the_store_can_be_used_while_the_lock_is_held(store: SqlStore) -> None:
    with store.leases.exclusive():
        store.ledger.append([ENTRY])
    assert len(list(store.ledger.entries())) == 1


def test_the_lock_of_a_killed_process_is_free_at_once_and_its_journal_is_there(
    database_url: str, open_store: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    with another_process(database_url, tmp_path) as process:
        store = open_store(database_url)
        with pytest.raises(Refused), store.leases.exclusive():
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with store.leases.exclusive():
            assert [(action.id, action.state) for action in store.journal.of_run("run-1")] == [("a", ActionState.INTENDED)]
    assert [entry.kind for entry in store.ledger.entries()] == ["planned", "planned", "intended"]
    assert (store.plans.get("plan-1"), store.runs.of_plan("plan-1")) == (a_plan(), a_run())
    store.journal.record("run-1", [an_action("a", ActionState.DONE)])


# -- a lease that outlives its holder, or is outlived by it --------------------------------------------------


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database.open(database_url)
    yield opened
    opened.close()


def age(database: Database, seconds: float) -> None:
    """Let the last renewal lie so much longer ago."""
    with database.writing() as connection:
        connection.execute(update(tables.leases).values(renewed_at=tables.leases.c.renewed_at - seconds))


def taken_over(database: Database, url: str) -> SqlStore:
    """A runner on another machine, where no file of ours is locked, once the lease has lapsed."""
    age(database, leases.LEASE_S)
    with database.writing() as connection:
        assert leases.take(connection, "runner", "somebody else", "a file of another machine") is not None
    return SqlStore.open(url, clock=lambda: NIGHT)


def test_a_lease_of_another_machine_is_refused_until_it_has_lapsed(database: Database, store: SqlStore) -> None:
    with database.writing() as connection:
        assert leases.take(connection, "runner", "somebody else", "a file of another machine") == 1
    with pytest.raises(Refused) as caught, store.leases.exclusive():
        pass
    assert caught.value.code == "another_run"
    age(database, leases.LEASE_S)
    with store.leases.exclusive() as lease:
        assert lease.fence == 2


def test_a_lease_is_found_in_force_by_the_databases_clock_and_never_for_hours_after_that_was_set_back(database: Database) -> None:
    with database.writing() as connection:
        leases.take(connection, "runner", "a", "")
    age(database, 0.5 * leases.LEASE_S)
    with database.writing() as connection:
        assert leases.take(connection, "runner", "b", "") is None
    age(database, -10_000)
    with database.writing() as connection:
        assert leases.take(connection, "runner", "b", "") == 2


def test_who_was_taken_over_writes_nothing_any_more(database: Database, database_url: str, store: SqlStore) -> None:
    with store.leases.exclusive():
        store.plans.save(a_plan(), [b"page"], ENTRY)
        store.runs.start(a_run(), ENTRY)
        other = taken_over(database, database_url)
        entries = len(list(other.ledger.entries()))
        counted = a_run(counts={"deleted": 1})
        writes: list[Callable[[], None]] = [
            lambda: store.journal.record("run-1", [an_action("a")], [ENTRY]),
            lambda: store.runs.save(counted, [ENTRY]),
            lambda: store.certificates.issue("run-1", [], ENTRY),
            lambda: store.statistics.fix(counted, [ENTRY], crm="c", taken=(), counted={}, forgotten=()),
        ]
        for write in writes:
            with pytest.raises(Refused) as caught:
                write()
            assert (caught.value.code, caught.value.exit_code) == ("lease_lost", 5)
        assert (other.runs.get("run-1"), other.journal.of_run("run-1"), len(list(other.ledger.entries()))) == (a_run(), [], entries)
        other.close()
    with database.reading() as connection:  # and does not give back what is not its own
        assert leases.read(connection, "runner").is_in_force


def test_who_holds_no_lease_writes_nothing_beside_a_run(database: Database, store: SqlStore) -> None:
    store.plans.save(a_plan(), [b"page"], ENTRY)
    store.runs.start(a_run(), ENTRY)
    with database.writing() as connection:
        leases.take(connection, "runner", "somebody else", "")
    with pytest.raises(Refused) as caught:
        store.journal.record("run-1", [an_action("a")])
    assert caught.value.code == "another_run"


def test_before_a_request_the_lease_is_asked_for_unless_it_was_renewed_a_moment_ago(database: Database, store: SqlStore) -> None:
    now = [100.0]
    with database.writing() as connection:
        fence = leases.take(connection, "runner", "me", "")
    assert fence is not None
    lease = right_to_run.Lease(database, "runner", "me", fence, since=100.0, clock=lambda: now[0])
    with database.writing() as connection:
        leases.give_back(connection, "runner", "me", fence)
        leases.take(connection, "runner", "somebody else", "")
    now[0] += right_to_run.FRESH_S - 0.1
    lease.check()  # at most so long goes by before a loss is noticed: the lease is far from its end then
    now[0] += 0.1
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            lease.check()
        assert caught.value.code == "lease_lost"


def test_a_lease_is_renewed_while_the_work_waits_until_it_is_lost_or_given_back(database: Database) -> None:
    with database.writing() as connection:
        fence = leases.take(connection, "runner", "me", "")
    assert fence is not None
    lease = right_to_run.Lease(database, "runner", "me", fence, since=right_to_run.elapsed())
    age(database, 0.6 * leases.LEASE_S)
    assert lease.beat() is True
    age(database, 0.6 * leases.LEASE_S)
    with database.reading() as connection:
        assert leases.read(connection, "runner").is_in_force
    beats = list[bool]()
    all_beaten = threading.Event()

    def wait(ended: threading.Event) -> bool:
        beats.append(True)
        if len(beats) == 3:
            all_beaten.set()
            return ended.wait()
        return False

    with right_to_run._beating(lease, wait):
        assert all_beaten.wait(20)
    age(database, leases.LEASE_S)
    with database.writing() as connection:
        leases.take(connection, "runner", "somebody else", "")
    assert lease.beat() is False


def test_who_is_at_work_is_seen_and_a_killed_run_is_not(database_url: str, open_store: Callable[[str], SqlStore], tmp_path: Path) -> None:
    store = open_store(database_url)
    assert not store.leases.runs_at_work()
    with store.leases.exclusive() as lease:
        lease.work_on("run-1")
        assert open_store(database_url).leases.runs_at_work() == {"run-1"}
    assert not store.leases.runs_at_work()
    with another_process(database_url, tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not store.leases.runs_at_work()
        raw(database_url, "UPDATE leases SET renewed_at = renewed_at - 61")
        assert not store.leases.has_lapsed("runner"), "it could have been renewed"
