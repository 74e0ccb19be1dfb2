"""Opening a database: whose it is, and what a person reads when disk or network fail."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, func, inspect, select
from sqlalchemy.exc import OperationalError

from crm_compliance.host.files import DiskProblem
from crm_compliance.store.sql import database
from crm_compliance.store.sql.database import AWAY_S, Database, parse
from crm_compliance.store.sql.problems import StoreUnusable, explained
from crm_compliance.store.sql.tables import HEAD, VERSION_TABLE, ledger
from crm_compliance.store.store import SqlStore
from rules.errors import UsageError
from tests.crm_compliance.store.databases import OPEN, ROOT, raw
from tests.crm_compliance.store.values import ENTRY, PAGES, a_plan, a_run, an_action

pytestmark = pytest.mark.usefixtures("real_steps")


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


def test_a_disk_without_room_for_the_file_beside_the_database_is_full() -> None:
    """The first that a command without room meets is the index of the journal (`-shm`), also one that only
    reads."""
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    with pytest.raises(DiskProblem, match="is full"), explained("state.db"):
        raise failure


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
    with pytest.raises(DiskProblem, match="READONLY") as caught:
        store.ledger.append([ENTRY])
    # Those beside it have the mode that it had when they were made, and keep it when it is mended.
    assert "-wal and -shm" in caught.value.hint
    assert list(store.ledger.entries()) == []


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_database_that_is_taken_away_while_it_is_open_is_not_written_into_the_void(
    sqlite_url: str, open_store: Callable[[str], SqlStore], is_replaced: bool
) -> None:
    """A file that has lost its name takes what is written, and goes with the process: a run would end well,
    and nobody would know what it did."""
    store = open_store(sqlite_url)
    store.ledger.append([ENTRY])
    file = store.database.file
    assert file is not None
    aside = file.rename(file.with_name("aside.db"))
    if is_replaced:
        shutil.copy(aside, file)
    with pytest.raises(StoreUnusable, match="removed or replaced"):
        store.ledger.append([ENTRY])
    aside.replace(file)
    store.ledger.append([ENTRY])
    assert len(list(store.ledger.entries())) == 2


def test_a_database_that_another_version_has_taken_over_is_written_by_this_one_no_more(
    database_url: str, open_store: Callable[[str], SqlStore]
) -> None:
    """A newer program is started while an older one is at work: what that goes on writing might not be what
    the tables mean by then."""
    store = open_store(database_url)
    store.ledger.append([ENTRY])
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(StoreUnusable, match=f"version 9999, this one writes {HEAD}"):
        store.ledger.append([ENTRY])
    raw(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'")
    store.ledger.append([ENTRY])
    assert len(list(store.ledger.entries())) == 2


def test_nobody_brings_postgresql_to_another_version_while_something_is_written(
    postgres_url: str, open_store: Callable[[str], SqlStore]
) -> None:
    """Else what is looked at when it begins would not hold any more when it ends."""
    store = open_store(postgres_url)
    free = f"SELECT 1 / pg_try_advisory_xact_lock({database.MIGRATION_LOCK})::int"
    with store.database.writing(), pytest.raises(psycopg.errors.DivisionByZero):
        raw(postgres_url, free)
    raw(postgres_url, free)


def test_whoever_writes_sees_what_others_have_written_whatever_isolation_the_server_has_by_default(
    postgres_url: str, open_store: Callable[[str], SqlStore]
) -> None:
    """Else the second of two would write upon what it had read before the first, and fail as a bug."""
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute(f"ALTER DATABASE {session.info.dbname} SET default_transaction_isolation = 'serializable'")
    store = open_store(postgres_url)
    with store.database.writing() as connection:
        assert connection.execute(select(func.count()).select_from(ledger)).scalar_one() == 0
        store.ledger.append([ENTRY])
        assert connection.execute(select(func.count()).select_from(ledger)).scalar_one() == 1


def in_encoding(postgres_server: str, encoding: str) -> str:
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgres_server, autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name}")
        session.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    return postgres_server.replace("/postgres?", f"/{name}?")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_new_database_that_does_not_hold_every_letter_is_refused(postgres_server: str, encoding: str) -> None:
    """The first is what PostgreSQL makes where the machine has no language."""
    with pytest.raises(StoreUnusable, match=f"is in {encoding}") as caught:
        Database.open(in_encoding(postgres_server, encoding))
    assert "--encoding=UTF8" in caught.value.hint


def test_one_that_is_in_use_says_what_it_does_not_hold(
    postgres_server: str, open_store: Callable[[str], SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(database, "_refuse_other_letters", lambda *_: None)
        store = open_store(in_encoding(postgres_server, "LATIN1"))
    store.ledger.append([("said", {"words": "Zoé"})])
    with pytest.raises(StoreUnusable, match="does not hold every name"):
        store.ledger.append([("said", {"words": "Łukasz"})])
    assert [entry.data for entry in store.ledger.entries()] == [{"words": "Zoé"}]


def test_a_machine_with_another_encoding_reads_and_writes_every_letter(
    postgres_url: str, open_store: Callable[[str], SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    store = open_store(postgres_url)
    store.ledger.append([("said", {"words": "Łukasz"})])
    assert [entry.data for entry in store.ledger.entries()] == [{"words": "Łukasz"}]


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
    with pytest.raises(StoreUnusable, match=r'cannot be reached: FATAL: +database "nowhere" does not exist$'):
        Database.open(postgres_server.replace("/postgres?", "/nowhere?"))


def test_a_server_without_room_for_a_connection_is_said(postgres_url: str) -> None:
    """Nobody is sent to look for a network that is in order, nor for a server that is there."""
    Database.open(postgres_url).close()
    raw(postgres_url, "CREATE ROLE narrow LOGIN CONNECTION LIMIT 0")
    try:
        with pytest.raises(StoreUnusable, match=r'cannot be reached: FATAL: +too many connections for role "narrow"$') as caught:
            Database.open(postgres_url.replace("//postgres:@", "//narrow:hunter2@"))
    finally:
        raw(postgres_url, "DROP ROLE narrow")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "statement", "told"),
    [
        ("default_transaction_read_only%3Don", "LOCK TABLE leases", "is read-only"),
        ("statement_timeout%3D1", "SELECT pg_sleep(60)", "has broken off a statement"),
    ],
)
def test_what_a_server_refuses_for_a_while_is_told_as_that(postgres_url: str, setting: str, statement: str, told: str) -> None:
    """Nobody is sent to look for a network or a privilege that is in order."""
    with (
        pytest.raises(StoreUnusable, match=told),
        closing(Database.open(f"{postgres_url}&options=-c%20{setting}")) as opened,
        opened.writing() as connection,
    ):
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("way", [Database.writing, Database.reading])
def test_whoever_waits_for_a_lock_is_told_of_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, way: Callable[[Database], AbstractContextManager[Connection]]
) -> None:
    """As in SQLite, and not for as long as the other holds it: a night would hang, and every page."""
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    opened = Database.open(postgres_url)
    try:
        with opened.writing() as holder:
            holder.exec_driver_sql("LOCK TABLE leases")
            with pytest.raises(StoreUnusable, match="busy"), way(opened) as connection:
                connection.exec_driver_sql("SELECT 1 FROM leases")
    finally:
        opened.close()


def locked(opened: Database) -> None:
    with opened.writing() as connection:
        connection.exec_driver_sql("LOCK TABLE leases")


def test_a_writer_that_is_paused_in_a_transaction_gives_its_locks_to_the_next(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that sleeps keeps its connection, and a second host waited for ever. What had been begun is
    undone, and told."""
    monkeypatch.setattr(database, "SILENT_S", 0.1)
    opened = Database.open(postgres_url)

    def pause() -> None:
        with opened.writing() as paused:
            paused.exec_driver_sql("CREATE TABLE half (done int)")
            paused.exec_driver_sql("LOCK TABLE leases")
            locked(opened)
            paused.exec_driver_sql("INSERT INTO half VALUES (1)")

    try:
        with pytest.raises(StoreUnusable, match="cannot be reached"):
            pause()
        with opened.reading() as connection:
            is_there = inspect(connection).has_table("half")
    finally:
        opened.close()
    assert not is_there


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


def test_a_server_that_is_away_for_some_seconds_is_waited_for_before_a_transaction(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it does not come back, nobody waits for it again until it is there."""
    import psycopg

    naps: list[float] = []
    refusals = 0

    def connect(engine: Engine, connect: Callable[[Engine], Connection] = Engine.connect) -> Connection:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise OperationalError("", {}, psycopg.OperationalError("connection refused"))
        return connect(engine)

    monkeypatch.setattr(Engine, "connect", connect)
    opened = Database.open(postgres_url)
    opened.sleep = naps.append
    for transaction in (opened.reading, opened.writing):
        refusals = 3
        with transaction() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    assert naps == [1] * 6
    naps.clear()

    def nap(seconds: float) -> None:
        opened.sleep = naps.append
        nap_of_this = len(naps)
        with opened.reading():  # the thread that renews the lease, while this one waits
            naps.append(seconds)
        assert len(naps) > nap_of_this + 1

    opened.sleep, refusals = nap, 3
    with opened.writing():
        assert naps == [1] * 3
    naps.clear()
    for asked in (AWAY_S, 0):
        refusals = 100
        with pytest.raises(StoreUnusable, match="cannot be reached"), opened.writing():
            raise AssertionError
        assert naps == [1] * asked
        naps.clear()
    refusals = 0
    with opened.writing():
        pass
    opened.close()


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
