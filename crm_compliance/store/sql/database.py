"""The database under the store: SQLite or PostgreSQL, and its transactions."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from crm_compliance.host.files import DiskProblem, disk_errors, refuse_open_to_others
from crm_compliance.store.sql.problems import BUSY_S, IN_UTF8, StoreUnusable, explained
from crm_compliance.store.sql.tables import HEAD
from crm_compliance.store.sql.versions import OtherTables, bring_to_head, mark_of, misfit, version_of

SILENT_S = 20  # less than BUSY_S: who waits gets the locks of a writer that was paused in the middle of a transaction
AWAY_S = 10  # so long a server that was there is asked again; far less than a lease lasts
MIGRATION_LOCK, LEDGER_LOCK = 7_246_001, 7_246_002  # advisory lock keys, within one PostgreSQL database

# A connection that lies idle must neither be cut by a firewall nor outlive a dead machine by two hours.
# Nothing is prepared: a pooler may give each transaction another connection.
POSTGRESQL_ARGUMENTS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "prepare_threshold": None,
    "client_encoding": "utf8",  # whatever the machine, or the database, has by default: names have any letter
}


class Database:
    """One database, opened. `file` is that of SQLite, None for PostgreSQL."""

    def __init__(self, engine: Engine, place: str, file: Path | None) -> None:
        self.engine = engine
        self._reader = engine if file else engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = engine.execution_options(**({"begin": "BEGIN IMMEDIATE"} if file else {"isolation_level": "READ COMMITTED"}))
        self.place, self.file = place, file
        self.sleep: Callable[[float], None] = time.sleep
        self._is_there = False
        self._is_at_head = False  # since it was opened: whoever brings it there writes before
        self._identity = _identity(file) if file is not None else None

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open the database of a SQLAlchemy URL and bring it to the version of this program. Raises
        StoreUnusable, DiskProblem, OpenToOthers: with what a person can do about it; a password in the URL is
        never repeated."""
        parsed = parse(url)
        file = _sqlite_file(parsed) if parsed.get_backend_name() == "sqlite" else None
        database = cls(_engine(parsed, file), str(file) if file else parsed.render_as_string(hide_password=True), file)
        try:
            database._migrate()
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield one transaction that sees one state and writes nothing. In PostgreSQL it waits as long as in
        SQLite for somebody who has locked a table."""
        with explained(self.place), self._connected(self._reader) as connection:
            if self.file is None:
                connection.exec_driver_sql(_patient())
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield one transaction, whole or not at all. In SQLite it takes the write lock at once, so that what
        it reads cannot change meanwhile. In PostgreSQL the locks of a process that is paused in the middle of
        one, or is lost, end after some seconds, and so does its transaction; it sees what others have written
        while it waited, whatever isolation the server has by default. Raises StoreUnusable: its file
        is not there any more, or is another one; what is written to a file without a name goes with this
        process, and nobody would know. Or its tables are those of another version by now."""
        with explained(self.place), self._connected(self._writer) as connection, connection.begin():
            if self.file is not None and _identity(self.file) != self._identity:
                raise StoreUnusable(
                    "the database was removed or replaced while it was in use",
                    hint="put it back, or restore its newest backup, and repeat; a service has to be started again",
                    where=self.place,
                )
            if self.file is None:
                connection.exec_driver_sql(
                    f"{_patient()}; SET LOCAL idle_in_transaction_session_timeout = '{SILENT_S * 1000:.0f}ms'"
                    + (f"; SELECT pg_advisory_xact_lock_shared({MIGRATION_LOCK})" if self._is_at_head else "")  # none migrates meanwhile
                )
            if self._is_at_head and (mark := mark_of(connection)) != [HEAD]:
                raise StoreUnusable(
                    f"another program has brought the database to version {', '.join(mark)[:40]}, this one writes {HEAD}",
                    hint="end this one, a service too, and go on with that version of crm-compliance; nothing more was written here",
                    where=self.place,
                )
            yield connection

    def _connected(self, engine: Engine) -> Connection:
        """Return a connection. A server that was there a moment ago is asked for one again for some seconds:
        nothing was said in a transaction yet. What was said in one and not answered is never repeated, since
        it may be there."""
        if self.file is not None:
            return engine.connect()
        import tenacity  # not at the top: SQLite never needs it

        asking = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(1 + AWAY_S if self._is_there else 1) | tenacity.stop_after_delay(AWAY_S),
            wait=tenacity.wait_fixed(1),
            retry=tenacity.retry_if_exception_type(OperationalError),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            found: Connection = asking(engine.connect)
        except OperationalError:
            self._is_there = False  # only now: another thread, that of the lease, may ask meanwhile
            raise
        self._is_there = True
        return found

    def _migrate(self) -> None:
        """Bring the tables to HEAD. Two processes may start at once: one does it, the other finds it done."""
        with self.reading() as connection:
            version = version_of(connection, self.place)
            if version == HEAD:
                self._is_at_head = True
                return
            if version is None and self.file is None:
                _refuse_other_letters(connection, self.place)
        with _opening(self.file) if self.file else nullcontext():
            if self.file:
                with explained(self.place), self.engine.execution_options(begin="").connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            try:
                with self.writing() as connection:
                    if not self.file:
                        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
                        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")  # it computes as long as it takes
                    bring_to_head(connection, self.place)
                self._is_at_head = True
            except OtherTables as error:
                with self.reading() as connection:
                    raise misfit(connection, error.mark, self.place) from error


def _refuse_other_letters(connection: Connection, place: str) -> None:
    """Refuse a new database of PostgreSQL that cannot hold every letter, before anything is in it."""
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise StoreUnusable(f"the database is in {encoding}, which does not hold every name", hint=IN_UTF8, where=place)


def _patient() -> str:
    return f"SET LOCAL lock_timeout = '{BUSY_S * 1000:.0f}ms'"


@contextmanager
def _opening(file: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(f"{file}.opening", timeout=BUSY_S, mode=0o600, fallback_to_soft=False)
    with disk_errors(file):
        try:
            lock.acquire()
        except Timeout:
            raise StoreUnusable("another program has been opening the database for too long", hint="end it", where=str(file)) from None
    try:
        yield
    finally:
        lock.release()


def _identity(file: Path) -> tuple[int, int] | None:
    """Return by what the system tells a file apart, whatever its name; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def lock_ledger(connection: Connection) -> None:
    """Let no other transaction add to the ledger, or to what stands in its order, before this one has ended.
    SQLite has one writer at a time."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))


def parse(url: str) -> URL:
    """Return the URL of a database that this program can use."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        backend = ""
    if backend == "postgres":
        backend = "postgresql"
    if backend not in ("sqlite", "postgresql"):
        raise StoreUnusable(
            "DATABASE_URL is not the URL of a SQLite or PostgreSQL database",
            hint="for example sqlite:////var/lib/crm-compliance/state.db or postgresql://user@host/database",
        )
    if backend == "sqlite" and (parsed.database or ":memory:").startswith((":memory:", "file:")):
        raise StoreUnusable("a SQLite store needs a file", hint="for example sqlite:////var/lib/crm-compliance/state.db")
    return parsed.set(drivername="sqlite+pysqlite" if backend == "sqlite" else "postgresql+psycopg")


def _sqlite_file(url: URL) -> Path:
    """Return the file of the URL, made with mode 0600 if missing: SQLite would let the group read it."""
    file = Path(url.database or "").resolve()
    if not file.parent.is_dir():
        raise DiskProblem(f"there is no folder {file.parent}", hint="make the folder of the database first", where=str(file))
    if file.is_dir():
        raise DiskProblem("the database is a folder", hint="name a file", where=str(file))
    journal = Path(f"{file}-wal")
    if not file.exists() and journal.exists() and journal.stat().st_size:
        raise DiskProblem(
            "the database is gone, and its journal (-wal) is still there", hint="put the database back beside it", where=str(file)
        )
    # Never opened where it is there: whoever closes a file drops all POSIX locks that the process has on it,
    # those of SQLite for a store that is already open too. Another program would then take itself for the
    # last one, and remove the journal that this one still writes.
    with disk_errors(file), suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    refuse_open_to_others(file, Path(f"{file}-wal"), Path(f"{file}-shm"))
    return file


def _engine(url: URL, file: Path | None) -> Engine:
    # hide_parameters: an error message must not carry what was to be written (ACC-05).
    if file is None:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=POSTGRESQL_ARGUMENTS)
    # Never made by connecting: where somebody has moved the file away while it is open, SQLite would make an
    # empty one, and throw away the journal of the other.
    there = url.set(database=f"file:{quote(str(file))}", query={"mode": "rw", "uri": "true"})
    engine = create_engine(there, hide_parameters=True, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver shall not begin transactions: `begin` below does
        # FULL: what a journal says must be there after a power cut too, for the CRM has it done by then.
        # secure_delete: what is removed from the register, a name or an answer, is overwritten in the file
        # and not only forgotten.
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if how := connection.get_execution_options().get("begin", "BEGIN"):
            cursor = connection.connection.cursor()  # as of the driver: SQLAlchemy takes ten times as long, and a night begins hundreds
            cursor.execute(how)
            cursor.close()

    return engine
