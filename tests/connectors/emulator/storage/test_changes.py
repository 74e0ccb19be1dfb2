"""What the emulator remembers of its rows between two requests ends with anything that happens to them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.schema.environment_file import load_environment
from connectors.emulator.storage.database import Database
from tests.connectors.emulator.bulk_deletes import advance, query, start, state
from tests.connectors.emulator.client import Client

CANCELLED = {"statecode": 3, "statuscode": 32}


class Undone(Exception):
    """What ends a transaction without effect."""


@contextmanager
def opened(file: Path | None = None) -> Iterator[Database]:
    database = Database(load_environment(), Clock(), file)
    try:
        yield database
    finally:
        database.close()


def add_a_role(database: Database) -> None:
    database.load([("role", {"name": "Fictief"})])


def take_back(database: Database) -> None:
    with suppress(Undone), database.transaction():
        add_a_role(database)
        assert database.security_stamp() == stored(database)
        raise Undone


def take_back_inside(database: Database) -> None:
    with database.transaction():
        take_back(database)
        assert database.security_stamp() == stored(database)


def take_back_around(database: Database) -> None:
    with suppress(Undone), database.transaction():
        with database.transaction():
            add_a_role(database)
        assert database.security_stamp() == stored(database)
        raise Undone


def put_back(database: Database) -> None:
    with closing(sqlite3.connect(":memory:")) as copy:
        database.connection.backup(copy)
        add_a_role(database)
        assert database.security_stamp() == stored(database)
        before = database.changes
        database.replace_by(copy)
        assert database.changes != before


def stored(database: Database) -> Any:
    return database.connection.execute("SELECT value FROM _state WHERE name = 'security'").fetchone()[0]


@pytest.mark.parametrize("happens", [add_a_role, take_back, take_back_inside, take_back_around, put_back, Database.clear])
def test_rights_are_looked_up_again_after(happens: Callable[[Database], None]) -> None:
    with opened() as database:
        before, stamp = database.changes, database.security_stamp()
        assert (database.changes, database.security_stamp()) == (before, stamp) == (before, stored(database)), "nothing happened"
        happens(database)
        assert database.changes != before
        assert database.security_stamp() == stored(database)


def test_of_a_state_file_nothing_is_remembered_since_others_may_write_it(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as database:
        before = database.security_stamp()
        assert database.changes != database.changes
        with closing(sqlite3.connect(tmp_path / "state.db")) as other, other:
            other.execute("UPDATE _state SET value = 'of another' WHERE name = 'security'")
        assert database.security_stamp() == "of another" != before


def test_a_job_is_put_back_and_runs(jobs: Client) -> None:
    tables = jobs.emulator.emulator.tables
    job = start(jobs, query("cf_fiche"))
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy:
        tables.connection.backup(copy)
        assert jobs.send("PATCH", f"asyncoperations({job})", CANCELLED).status_code == 204
        assert state(jobs, job) == (3, 32)
        tables.replace_by(copy)
    assert state(jobs, job) == (0, 0)
    advance(jobs, 30)
    assert state(jobs, job) == (3, 30)


def test_a_job_is_found_although_none_was_before(jobs: Client) -> None:
    fiche = jobs.fiche()
    assert jobs.exists("cf_fiches", fiche)
    job = start(jobs, query("cf_fiche"))
    advance(jobs, 30)
    assert state(jobs, job) == (3, 30)
    assert not jobs.exists("cf_fiches", fiche)
