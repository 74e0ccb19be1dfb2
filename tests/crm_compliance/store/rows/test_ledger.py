"""The ledger in the database: chained under a lock, never changed, and honest about what somebody did to it
behind its back (ACC-06)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import IntegrityError

from crm_compliance.store.rows.ledger import PAGE
from crm_compliance.store.sql.database import parse
from crm_compliance.store.store import SqlStore
from jobs.ledger.entries import FIRST, Verdict
from jobs.model.plan import Kind
from tests.drivers.clock import Clock
from tests.jobs.chains import verdict_of

TRIGGERS = {
    "sqlite": ("ledger_no_update", "ledger_no_delete", "ledger_no_replace"),
    "postgresql": ("ledger_no_change", "ledger_no_truncate"),
}


def sql(url: str, *statements: str, unguarded: bool = False) -> list[tuple[object, ...]]:
    """What a person with an SQL client does; `unguarded`, after having dropped the triggers."""
    engine = create_engine(parse(url))
    try:
        with engine.begin() as connection:
            if unguarded:
                drop_triggers(connection)
            rows: list[tuple[object, ...]] = []
            for statement in statements:
                result = connection.exec_driver_sql(statement)
                rows = [tuple(row) for row in result] if result.returns_rows else []
            return rows
    finally:
        engine.dispose()


def drop_triggers(connection: Connection) -> None:
    kind = connection.dialect.name
    for trigger in TRIGGERS[kind]:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}{' ON ledger' if kind == 'postgresql' else ''}")


def test_entries_are_chained_dated_by_the_clock_and_kept_under_the_names_of_the_contract(
    store: SqlStore, database_url: str, clock: Clock
) -> None:
    store.ledger.append([("opened", {"b": 1, "a": ["é", None, True]}), ("closed", {})], "run-9")
    clock.now = datetime(2026, 7, 1, 12, 0, 0, 5000, tzinfo=ZoneInfo("Europe/Brussels"))
    store.ledger.append([("later", {"kind": Kind.ALL, "pair": (1, 2)})])
    rows = sql(database_url, "SELECT seq, at, kind, run, data, prev_hash, hash FROM ledger ORDER BY seq")
    assert [row[:4] for row in rows] == [
        (1, "2026-03-02T01:30:00.000Z", "opened", "run-9"),
        (2, "2026-03-02T01:30:00.000Z", "closed", "run-9"),
        (3, "2026-07-01T10:00:00.005Z", "later", None),
    ]
    assert [json.loads(str(row[4])) for row in rows] == [{"a": ["é", None, True], "b": 1}, {}, {"kind": "all", "pair": [1, 2]}]
    assert [row[5] for row in rows] == [FIRST, rows[0][6], rows[1][6]]
    assert all(re.fullmatch("[0-9a-f]{64}", str(row[6])) for row in rows)
    assert verdict_of(store.ledger.entries()) == Verdict(3, str(rows[2][6]), None)


def test_the_ledger_is_read_whole_however_long_it_is(store: SqlStore) -> None:
    store.ledger.append([("night", {"number": number}) for number in range(2 * PAGE + 1)])
    verdict = verdict_of(store.ledger.entries())
    assert (verdict.entries, verdict.ok) == (2 * PAGE + 1, True)


def test_what_is_read_in_one_state_is_of_one_moment_whoever_writes_meanwhile(
    database_url: str, open_store: Callable[[str], SqlStore]
) -> None:
    store, other = open_store(database_url), open_store(database_url)
    store.ledger.append([("opened", {})])

    def kinds() -> list[str]:
        return [entry.kind for entry in store.ledger.entries()]

    seen_beside: list[list[str]] = []
    with store.ledger.one_state():
        assert kinds() == ["opened"]
        other.ledger.append([("closed", {})])
        assert kinds() == ["opened"]
        with store.ledger.one_state():
            assert kinds() == ["opened"]
        beside = Thread(target=lambda: seen_beside.append(kinds()))
        beside.start()
        beside.join()
    assert seen_beside == [["opened", "closed"]]  # the state is that of one thread alone
    assert kinds() == ["opened", "closed"]


def test_writers_at_the_same_time_never_fork_the_chain(database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    def write(store: SqlStore) -> None:
        for _ in range(10):
            store.ledger.append([("x", {}), ("y", {})])

    writers = [Thread(target=write, args=(open_store(database_url),)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    entries = list(open_store(database_url).ledger.entries())
    assert verdict_of(entries).ok
    assert [entry.kind for entry in entries] == ["x", "y"] * 40


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET kind = 'other'",
        "DELETE FROM ledger",
        "DELETE FROM ledger WHERE seq = 2",
        "INSERT INTO ledger SELECT 1, at, kind, run, data, prev_hash, hash FROM ledger WHERE seq = 2",
    ],
)
def test_the_database_itself_refuses_to_change_the_ledger(store: SqlStore, database_url: str, statement: str) -> None:
    store.ledger.append([("one", {}), ("two", {})])
    with pytest.raises(IntegrityError):
        sql(database_url, statement)
    assert [entry.kind for entry in store.ledger.entries()] == ["one", "two"]


@pytest.mark.parametrize(
    ("url_fixture", "statement"),
    [
        ("sqlite_url", "INSERT OR REPLACE INTO ledger SELECT 1, at, 'other', run, data, prev_hash, hash FROM ledger WHERE seq = 1"),
        ("postgres_url", "TRUNCATE ledger"),
    ],
)
def test_the_side_doors_of_each_database_are_shut(
    request: pytest.FixtureRequest, open_store: Callable[[str], SqlStore], url_fixture: str, statement: str
) -> None:
    url = request.getfixturevalue(url_fixture)
    store = open_store(url)
    store.ledger.append([("one", {})])
    with pytest.raises(IntegrityError, match="append-only"):
        sql(url, statement)
    assert [entry.kind for entry in store.ledger.entries()] == ["one"]


@pytest.mark.parametrize(
    ("tampering", "first_broken"),
    [
        ("UPDATE ledger SET kind = 'other' WHERE seq = 2", 2),
        ("UPDATE ledger SET at = '2026-03-02T01:30:00.001Z' WHERE seq = 3", 3),
        ("UPDATE ledger SET run = 'run-2' WHERE seq = 1", 1),
        ("""UPDATE ledger SET data = '{"n":7}' WHERE seq = 2""", 2),
        ("""UPDATE ledger SET data = '{"n": 1}' WHERE seq = 2""", 2),  # a space
        ("UPDATE ledger SET data = 'not json' WHERE seq = 4", 4),
        ("UPDATE ledger SET data = '[]' WHERE seq = 4", 4),
        ("UPDATE ledger SET hash = prev_hash WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq = 2", 2),
        ("INSERT INTO ledger SELECT 0, at, kind, run, data, prev_hash, hash FROM ledger WHERE seq = 1", 1),
        ("INSERT INTO ledger SELECT 9, at, kind, run, data, prev_hash, hash FROM ledger WHERE seq = 4", 5),
    ],
)
def test_who_drops_the_triggers_and_tampers_is_found_at_that_place(
    store: SqlStore, database_url: str, tampering: str, first_broken: int
) -> None:
    store.ledger.append([("night", {"n": number}) for number in range(4)])
    sql(database_url, tampering, unguarded=True)
    assert verdict_of(store.ledger.entries()).first_broken == first_broken
