"""The steps build the tables that the program uses, and a version mark that does not fit them is told."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from crm_compliance.hints import in_words
from crm_compliance.store.sql import versions
from crm_compliance.store.sql.database import Database
from crm_compliance.store.sql.tables import HEAD, VERSION_TABLE, metadata
from crm_compliance.store.store import SqlStore
from rules.errors import UsageError
from tests.crm_compliance.store.databases import OPEN, ROOT, raw
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run
from tests.jobs.chains import verdict_of
from tests.new_stores import copied

OF_THE_FILE = ("journal_mode", "user_version", "application_id", "encoding", "page_size", "auto_vacuum", "integrity_check")


pytestmark = pytest.mark.usefixtures("real_steps")


def test_the_steps_build_exactly_the_tables_that_the_program_uses(database_url: str) -> None:
    opened = Database.open(database_url)
    try:
        with opened.reading() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
            assert compare_metadata(context, metadata) == []
    finally:
        opened.close()


def test_tables_that_are_copied_are_those_of_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(name: str) -> list[object]:
        url = f"sqlite:///{tmp_path / name}"
        Database.open(url).close()
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            found: list[object] = list(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
            for query in (f"SELECT * FROM {VERSION_TABLE}", *(f"PRAGMA {name}" for name in OF_THE_FILE)):
                found += connection.execute(query)
            return found

    by_steps = whole("steps.db")
    assert by_steps[-len(OF_THE_FILE)] == ("wal",)
    monkeypatch.setattr(Database, "_migrate", copied(Database._migrate))
    assert whole("copied.db") == whole("again.db") == by_steps
    assert (tmp_path / "copied.db").read_bytes() == (tmp_path / "again.db").read_bytes()
    assert not [*tmp_path.glob("copied.db?*"), *tmp_path.glob("again.db?*")], "these took the steps"


def test_what_is_copied_on_postgresql_is_what_the_steps_build(postgres_server: str, postgres_tables: str) -> None:
    def whole(name: str, template: str) -> list[object]:
        with psycopg.connect(postgres_server, autocommit=True) as session:
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        url = postgres_server.replace("/postgres?", f"/{name}?")
        Database.open(url).close()
        with psycopg.connect(url) as session:
            found: list[object] = []
            for query in (
                "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
                "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
                "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY conname",
                "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
                "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname",
                f"SELECT * FROM {VERSION_TABLE}",
            ):
                found += session.execute(query.encode()).fetchall()
        with psycopg.connect(postgres_server, autocommit=True) as session:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        return found

    by_steps = whole("by_steps", "template1")
    assert len(by_steps) > 100
    assert whole("copied", postgres_tables) == by_steps


def test_the_last_step_is_the_version_that_the_program_asks_for() -> None:
    steps = ScriptDirectory(str(files("crm_compliance.store") / "migrations"))
    assert steps.get_heads() == [HEAD]


def test_programs_that_start_at_once_all_find_a_whole_database(database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    command = [sys.executable, "-W", "error", "-c", OPEN, database_url]
    programs = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    assert [(program.communicate()[1], program.returncode) for program in programs] == [("", 0)] * 3
    verdict = verdict_of(open_store(database_url).ledger.entries())
    assert (verdict.entries, verdict.ok) == (15, True)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    open_store(database_url).ledger.append([ENTRY])
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(UsageError, match=f"9999.*{HEAD}") as caught:
        open_store(database_url)
    assert (caught.value.code, caught.value.exit_code) == ("store", 2)
    assert "newer version" in caught.value.hint


@pytest.mark.parametrize("mark", ["0008", "0005", "0001", "garbage", "", "0000", "00099"])
def test_a_version_mark_that_does_not_fit_the_tables_is_told_as_that(
    database_url: str, open_store: Callable[[str], SqlStore], mark: str
) -> None:
    """No file is damaged and no newer version made it: the mark was altered, and what it should say is
    told."""
    open_store(database_url).ledger.append([ENTRY])
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '{mark}'")
    with pytest.raises(UsageError) as caught:
        open_store(database_url)
    assert (caught.value.code, caught.value.exit_code) == ("store", 2)
    assert f"says {mark!r}, and the tables are those of version {HEAD}" in str(caught.value)
    assert f"set version_num in {VERSION_TABLE} to {HEAD}" in in_words(caught.value.hint)
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'")
    assert len(list(open_store(database_url).ledger.entries())) == 1  # nothing was changed


def test_a_mark_of_several_versions_and_one_that_is_gone_are_told_as_that(database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    open_store(database_url).ledger.append([ENTRY])
    raw(database_url, f"INSERT INTO {VERSION_TABLE} VALUES ('0003')")
    with pytest.raises(UsageError, match=f"'0003, {HEAD}', and the tables are those of version {HEAD}"):
        open_store(database_url)
    raw(database_url, f"DELETE FROM {VERSION_TABLE}")
    with pytest.raises(UsageError, match=f"'nothing', and the tables are those of version {HEAD}"):
        open_store(database_url)


def test_a_mark_of_an_older_version_in_a_database_with_runs_is_not_taken_for_one_that_nobody_signed(
    database_url: str, open_store: Callable[[str], SqlStore]
) -> None:
    store = open_store(database_url)
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '0007'")
    with pytest.raises(UsageError, match=f"'0007', and the tables are those of version {HEAD}"):
        open_store(database_url)


def test_a_table_that_the_mark_promises_and_that_is_not_there_is_told(database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    store = open_store(database_url)
    raw(database_url, "DROP TABLE waiting_statistics")
    with pytest.raises(UsageError, match="lacks a table or column") as caught:
        store.statistics.waiting("crm")
    assert (caught.value.code, "version mark" in str(caught.value)) == ("store", True)
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '0008'")
    with pytest.raises(UsageError, match="'0008', and the tables are not those of that version"):
        open_store(database_url)


def test_a_step_that_fails_leaves_an_empty_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate = versions._upgrade

    def break_off(connection: Connection) -> None:
        migrate(connection)
        raise ZeroDivisionError

    monkeypatch.setattr(versions, "_upgrade", break_off)
    with pytest.raises(ZeroDivisionError):
        Database.open(database_url)
    monkeypatch.undo()
    Database.open(database_url).close()
