"""Opening a database: its tables, its version, and what a person reads when disk or network fail."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event

from crm_compliance.hints import in_words
from crm_compliance.host.files import DiskProblem
from crm_compliance.store.sql import database
from crm_compliance.store.sql.database import HEAD, VERSION_TABLE, Database, StoreUnusable, parse
from crm_compliance.store.sql.tables import metadata
from crm_compliance.store.store import SqlStore
from rules.errors import UsageError
from tests.crm_compliance.store.values import ENTRY, PAGES, a_plan, a_run, an_action
from tests.jobs.chains import verdict_of
from tests.new_stores import copied

ROOT = Path(__file__).parents[4]
OPEN = """
import sys
from datetime import UTC, datetime
from crm_compliance.store.store import SqlStore
print("ready", flush=True)
sys.stdin.readline()
with SqlStore.open(sys.argv[1], clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)) as store:
    for _ in range(5):
        store.ledger.append([("opened", {})])
"""
OF_THE_FILE = ("journal_mode", "user_version", "application_id", "encoding", "page_size", "auto_vacuum", "integrity_check")


pytestmark = pytest.mark.usefixtures("real_steps")


def raw(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        with psycopg.connect(url) as session:
            session.execute(statement.encode())


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
    migrate = database._upgrade

    def break_off(connection: Connection) -> None:
        migrate(connection)
        raise ZeroDivisionError

    monkeypatch.setattr(database, "_upgrade", break_off)
    with pytest.raises(ZeroDivisionError):
        Database.open(database_url)
    monkeypatch.undo()
    Database.open(database_url).close()


@pytest.mark.usefixtures("real_flushes")
def test_a_sqlite_store_is_for_its_owner_only_and_survives_a_power_cut(sqlite_url: str, tmp_path: Path) -> None:
    opened = Database.open(sqlite_url)
    try:
        with opened.writing() as connection:
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        opened.close()
    assert pragmas == ["wal", 2, 1, 30_000]  # 2 is FULL
    assert set(modes.values()) == {0o600}, modes


@pytest.fixture
def full_disk(database_url: str, open_store: Callable[[str], SqlStore]) -> SqlStore:
    """A store whose disk fills up while a plan of many pages is written; SQLite and PostgreSQL themselves say
    so."""
    store = open_store(database_url)
    store.plans.save(a_plan("before"), PAGES, ENTRY)
    if database_url.startswith("sqlite"):
        limit = "PRAGMA max_page_count = 60"
        event.listen(store.database.engine, "begin", lambda connection: connection.exec_driver_sql(limit), insert=True)
    else:
        raw(
            database_url,
            """CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.page > 20 THEN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END IF;
            RETURN NEW; END $$""",
        )
        raw(database_url, "CREATE TRIGGER fill BEFORE INSERT ON plan_pages FOR EACH ROW EXECUTE FUNCTION fill()")
    return store


def test_a_full_disk_is_a_usage_error_and_leaves_nothing_half_written(full_disk: SqlStore) -> None:
    with pytest.raises(DiskProblem, match="full") as caught:
        full_disk.plans.save(a_plan("too-big"), (bytes(4096) for _ in range(500)), ENTRY)
    assert (caught.value.code, caught.value.exit_code) == ("disk", 2)
    assert [plan.id for plan in full_disk.plans.all()] == ["before"]
    assert list(full_disk.plans.pages("before")) == PAGES
    assert len(list(full_disk.ledger.entries())) == 1
    full_disk.runs.start(a_run(plan="before"), ENTRY)  # what still fits is written
    full_disk.journal.record("run-1", [an_action("a")])


def test_a_missing_folder_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match="no folder"):
        Database.open(f"sqlite:///{tmp_path / 'missing' / 'state.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_the_database_should_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match="is a folder"):
        Database.open(f"sqlite:///{tmp_path}")


def test_a_database_that_may_not_be_written_is_said(sqlite_url: str, open_store: Callable[[str], SqlStore]) -> None:
    store = open_store(sqlite_url)
    event.listen(store.database.engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"), insert=True)
    with pytest.raises(DiskProblem, match="READONLY"):
        store.ledger.append([ENTRY])
    assert list(store.ledger.entries()) == []


def test_a_file_that_is_no_database_is_said_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    file.write_bytes(b"holiday pictures " * 1000)
    file.chmod(0o600)
    with pytest.raises(StoreUnusable, match="not a SQLite database"):
        Database.open(f"sqlite:///{file}")
    assert file.read_bytes() == b"holiday pictures " * 1000


def test_a_busy_database_is_said(sqlite_url: str, open_store: Callable[[str], SqlStore], monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(sqlite_url)
    monkeypatch.setattr(database, "BUSY_S", 0)
    impatient = open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnusable, match="busy"):
        impatient.ledger.append([ENTRY])
    other.close()
    impatient.ledger.append([ENTRY])


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:hunter2@127.0.0.1:1/state",
        "postgresql://clerk:hunter2@/state?host=/nowhere/at/all",
        "mysql://clerk:hunter2@127.0.0.1/state",
        "clerk:hunter2",
        "postgresql://clerk:hunter2@127.0.0.1:port/state",
    ],
)
def test_a_database_that_cannot_be_reached_is_a_usage_error_without_the_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Database.open(url)
    error = caught.value
    assert error.exit_code == 2
    assert error.hint
    assert "hunter2" not in f"{error} {error.hint} {error.where}"


def test_a_server_without_the_database_is_said(postgres_server: str) -> None:
    with pytest.raises(StoreUnusable, match="cannot be reached"):
        Database.open(postgres_server.replace("/postgres?", "/nowhere?"))


def test_a_server_that_drops_its_connections_is_said_once_and_found_again(postgres_url: str, open_store: Callable[[str], SqlStore]) -> None:
    store = open_store(postgres_url)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def pages() -> Iterator[bytes]:
        yield b"first page"
        raw(postgres_url, cut)
        yield b"second page"

    with pytest.raises(StoreUnusable, match="cannot be reached"):
        store.plans.save(a_plan(), pages(), ENTRY)
    assert store.plans.all() == []
    raw(postgres_url, cut)
    store.ledger.append([ENTRY])  # a pooled connection that died overnight is replaced unseen


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:state?uri=true"])
def test_a_store_in_memory_is_refused_because_it_would_prove_nothing(url: str) -> None:
    with pytest.raises(StoreUnusable, match="needs a file"):
        Database.open(url)


def test_the_old_and_the_short_spelling_of_postgresql_are_understood() -> None:
    assert {parse(f"{name}://host/state").drivername for name in ("postgres", "postgresql", "postgresql+psycopg")} == {"postgresql+psycopg"}


def test_an_error_of_the_program_itself_is_not_explained_away_and_shows_no_values(store: SqlStore) -> None:
    store.plans.save(a_plan(), [], ENTRY)
    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        store.plans.save(a_plan(policy_name="canary"), [], ENTRY)
    assert not isinstance(caught.value, UsageError)
    assert "canary" not in str(caught.value)


def test_what_is_removed_is_overwritten_in_the_file(tmp_path: Path) -> None:
    """ACC-08: a name or an answer that had its time is not left in pages that the database has freed."""
    file = tmp_path / "state.db"
    secret = b"Zonnebloemstraat (fictief) " * 400
    opened = Database.open(f"sqlite:///{file}")
    for statement, values in (
        ("CREATE TABLE kept_for_now (content BLOB)", ()),
        ("INSERT INTO kept_for_now VALUES (?)", (secret,)),
        ("DELETE FROM kept_for_now", ()),
    ):
        with opened.writing() as connection:
            connection.exec_driver_sql(statement, values)
        with opened.engine.execution_options(begin="").connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
        assert (b"Zonnebloemstraat" in file.read_bytes()) == statement.startswith("INSERT")
    opened.close()


def test_opening_a_store_twice_in_one_program_leaves_its_journal_to_it(sqlite_url: str, open_store: Callable[[str], SqlStore]) -> None:
    """The service has one for the downloads and one for each job. Whoever closes the file drops the locks of
    both, and another program that ends then removes the journal under them: what either writes from then on
    is lost, and what others write is never seen."""
    served = open_store(sqlite_url)
    served.ledger.append([("first", {})])
    open_store(sqlite_url).close()
    another = subprocess.run([sys.executable, "-c", OPEN, sqlite_url], cwd=ROOT, input="\n", capture_output=True, text=True, check=True)
    assert another.stdout == "ready\n"
    served.ledger.append([("last", {})])
    kinds = [entry.kind for entry in open_store(sqlite_url).ledger.entries()]
    assert kinds == ["first", *["opened"] * 5, "last"]
