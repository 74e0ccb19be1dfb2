"""One runner at a time, and none of them leaves its lock behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from crm_compliance.store.database import LOCKS
from crm_compliance.store.store import SqlStore
from jobs.runs import ActionState
from rules.errors import Refused
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run, an_action

ROOT = Path(__file__).parents[3]
OTHER = """
import sys
from datetime import UTC, datetime
from crm_compliance.store.store import SqlStore
from jobs.runs import ActionState
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run, an_action

store = SqlStore.open(sys.argv[1], clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
with store.exclusive():
    store.save_plan(a_plan(), [b"page"], ENTRY)
    store.start_run(a_run(), ENTRY)
    store.record("run-1", [an_action("a")], [("intended", {"unit": "a"})])
    print("at work", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the lock and has recorded an action."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_runner_in_the_same_process_is_refused_and_told_what_to_do(store: SqlStore) -> None:
    with store.exclusive(), pytest.raises(Refused) as caught, store.exclusive():
        pass
    assert (caught.value.code, caught.value.exit_code) == ("another_run", 5)
    assert "history list" in caught.value.hint


def test_the_scheduler_has_a_lock_of_its_own_so_that_it_can_start_runs(store: SqlStore) -> None:
    with store.exclusive("scheduler"), store.exclusive():
        for name in ("scheduler", "runner"):
            with pytest.raises(Refused), store.exclusive(name):
                pass


def test_the_lock_is_free_after_the_run_also_when_the_run_failed(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.exclusive():
        raise ZeroDivisionError
    with store.exclusive():
        pass


def test_the_store_can_be_used_while_the_lock_is_held(store: SqlStore) -> None:
    with store.exclusive():
        store.append([ENTRY])
    assert len(list(store.ledger())) == 1


def test_the_lock_of_a_killed_process_is_free_at_once_and_its_journal_is_there(
    database_url: str, open_store: Callable[[str], SqlStore]
) -> None:
    with another_process(database_url) as process:
        store = open_store(database_url)
        with pytest.raises(Refused), store.exclusive():
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if not database_url.startswith("sqlite"):
            wait_until_the_server_has_noticed(database_url)
        with store.exclusive():
            assert [(action.id, action.state) for action in store.journal("run-1")] == [("a", ActionState.INTENDED)]
    assert [entry.kind for entry in store.ledger()] == ["planned", "planned", "intended"]
    assert (store.plan("plan-1"), store.run_of("plan-1")) == (a_plan(), a_run())
    store.record("run-1", [an_action("a", ActionState.DONE)])


def wait_until_the_server_has_noticed(url: str) -> None:
    """PostgreSQL reads the end of a connection some milliseconds after the kill: stand in its queue, so that nothing has to sleep."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '20s'")
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCKS["runner"]])
