"""The database under the store: SQLite or PostgreSQL, its transactions, versions and errors."""

import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from crm_compliance.host.files import DiskProblem, disk_errors, refuse_open_to_others
from rules.errors import UsageError
from rules.hints import hint_to

HEAD = "0019"  # the last step in migrations/versions
VERSION_TABLE = "crm_compliance_version"  # not alembic's own name: another program may live in the same PostgreSQL database
SIGNED = "0008"  # the first version whose journal and register of erasures are sealed
BUSY_S = 30
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
}


class StoreUnusable(UsageError):
    """The database is out of reach, damaged, busy, or of a version unknown to this program."""

    code = "store"


class Database:
    """One database, opened. `file` is that of SQLite, None for PostgreSQL."""

    def __init__(self, engine: Engine, place: str, file: Path | None) -> None:
        self.engine = engine
        self._reader = engine if file else engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
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
        one, or is lost, end after some seconds, and so does its transaction. Raises StoreUnusable: its file
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
            if self._is_at_head and (mark := _mark(connection)) != [HEAD]:
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
            if _version(connection, self.place) == HEAD:
                self._is_at_head = True
                return
        with _opening(self.file) if self.file else nullcontext():
            if self.file:
                with explained(self.place), self.engine.execution_options(begin="").connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            try:
                with self.writing() as connection:
                    if not self.file:
                        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
                        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")  # it computes as long as it takes
                    if (version := _version(connection, self.place)) != HEAD:
                        _refuse_unsigned(connection, version, self.place)
                        with _telling_of_other_tables(version or "nothing"):
                            _upgrade(connection)
                self._is_at_head = True
            except _OtherTables as error:
                with self.reading() as connection:
                    raise _misfit(connection, error.mark, self.place) from error


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


def _version(connection: Connection, place: str) -> str | None:
    """Return the version that the tables have by their mark; None for an empty database."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = _mark(connection)
    if not found:
        return None
    mark = found[0]
    if found == [HEAD]:
        return HEAD
    if len(found) == 1 and re.fullmatch(r"\d{4}", mark) and mark > HEAD:
        raise StoreUnusable(
            f"the database has version {mark}, this program knows versions up to {HEAD}",
            hint="install the newer version of crm-compliance that made it; an older one could spoil it",
            where=place,
        )
    if len(found) > 1 or mark not in _steps():
        raise _misfit(connection, ", ".join(sorted(found)), place)
    return mark


def _mark(connection: Connection) -> list[str]:
    """Return what the version mark says: one version, where nobody has altered it."""
    # Read here and not by alembic, which takes a fifth of a second to load and is not needed on most days.
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars()  # noqa: S608
    return [str(version) for version in found]


def _steps() -> set[str]:
    """Return all versions that have existed, one for each step."""
    return {file.name[:4] for file in (Path(__file__).parents[1] / "migrations" / "versions").glob("[0-9]*.py")}


def _misfit(connection: Connection, mark: str, place: str) -> StoreUnusable:
    """Return the error that the version mark is not valid, or not that of these tables. If that can be
    determined, it names the right one."""
    from crm_compliance.store.sql.tables import metadata

    inspector = inspect(connection)
    there = {name: {column["name"] for column in columns} for (_, name), columns in inspector.get_multi_columns().items()}
    is_head = all(there.get(name) == set(table.columns.keys()) for name, table in metadata.tables.items())
    tables = f"the tables are those of version {HEAD}" if is_head else "the tables are not those of that version"
    restore = "nothing was changed; somebody has altered the mark: tell the DPO, and restore the database from its newest backup"
    return StoreUnusable(
        f"the version mark of the database (table {VERSION_TABLE}) says {mark[:40]!r}, and {tables}",
        hint=hint_to("restore_or_mend_mark", table=VERSION_TABLE, version=HEAD) if is_head else restore,
        where=place,
    )


class _OtherTables(Exception):
    """A step found other tables than those of the version that the mark says."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self.mark = mark


@contextmanager
def _telling_of_other_tables(mark: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if not _is_about_tables(error):
            raise
        raise _OtherTables(mark) from error


def _is_about_tables(error: DBAPIError) -> bool:
    """Return whether a statement failed on a missing, or an unexpected, table, column or index."""
    if isinstance(error.orig, sqlite3.Error):
        return str(error.orig).startswith(("no such ", "duplicate column ")) or "already exists" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in ("42P01", "42P07", "42701", "42703", "42704")


def _refuse_unsigned(connection: Connection, version: str | None, place: str) -> None:
    """Refuse a database whose runs were written by a version that signed none of them. Nobody could
    distinguish them from made-up ones."""
    if version is None or version >= SIGNED or connection.execute(text("SELECT 1 FROM runs LIMIT 1")).first() is None:
        return
    if "seal" in {column["name"] for column in inspect(connection).get_columns("actions")}:
        raise _misfit(connection, version, place)
    raise StoreUnusable(
        f"the database has runs of version {version}, which did not sign them; this program believes runs from version {SIGNED} on",
        hint="nothing was changed: keep that version and this database for its history, and begin with a new CRM_COMPLIANCE_DATA_DIR",
        where=place,
    )


_alembic = threading.Lock()  # alembic keeps its context in module globals


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("crm_compliance.store") / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alembic:
        command.upgrade(config, "head")


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what a driver reports about disk, network and access into messages on which a person can act.
    Anything else is a bug and passes."""
    try:
        yield
    except DBAPIError as error:
        known = _told_by_sqlite(error.orig, place) if isinstance(error.orig, sqlite3.Error) else _postgresql_problem(error, place)
        if known is None and error.statement is None and isinstance(error.orig, sqlite3.Error):
            known = _damaged(place)  # on the way to the first statement, so it is about the file
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:  # a transaction did not begin
        known = _told_by_sqlite(error, place)
        if known is None:
            raise
        raise known from error
    except UnicodeDecodeError as error:  # the names in a damaged schema
        raise _damaged(place) from error


def _told_by_sqlite(error: sqlite3.Error, place: str) -> UsageError | None:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):  # the second where the file beside the database does not fit
        return DiskProblem("the disk of the database is full", hint="make room and repeat; nothing was half-written", where=place)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
        hint = "look at the disk, and at owner and mode of the file, its -wal and -shm, and their folder"
        return DiskProblem(f"the database cannot be written ({name})", hint=hint, where=place)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _busy(place)
    told = str(error)
    if told.startswith("no such "):
        return _lacking(place)
    # A text that is none is told without a name.
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT")) or told.startswith("Could not decode"):
        return _damaged(place)
    return None


def _busy(place: str) -> StoreUnusable:
    return StoreUnusable(f"the database was busy for {BUSY_S} seconds", hint="find the program that holds it, and repeat", where=place)


def _lacking(place: str) -> StoreUnusable:
    """Return the error that a table or column is missing. The page that names it is damaged, somebody removed
    it, or the mark is not that of these tables."""
    return StoreUnusable(
        f"the database lacks a table or column of version {HEAD}, which its version mark (table {VERSION_TABLE}) says it has",
        hint="it is damaged, or somebody has altered the mark or the tables: tell the DPO, and restore it from its newest backup",
        where=place,
    )


def _damaged(place: str) -> StoreUnusable:
    return StoreUnusable("the file is not a SQLite database, or is damaged", hint="restore it from its newest backup", where=place)


def _postgresql_problem(error: DBAPIError, place: str) -> UsageError | None:
    import psycopg  # not at the top: it takes its time to load, and SQLite never needs it

    state = getattr(error.orig, "sqlstate", None)
    if state in ("42P01", "42703"):
        return _lacking(place)
    if state == "55P03":
        return _busy(place)
    if state == "53100":
        return DiskProblem("the disk of the database is full", hint="make room and repeat; nothing was half-written", where=place)
    if state == "25006":
        hint = "see that DATABASE_URL leads to the server that takes writes, not to a standby, and repeat once it takes them again"
        return StoreUnusable("the database is read-only", hint=hint, where=place)
    if state == "57014":
        hint = "lift statement_timeout for the account of this program, and repeat; nothing was half-written"
        return StoreUnusable("the server has broken off a statement", hint=hint, where=place)
    if state == "42501":
        return StoreUnusable("the database may not be written", hint="the account needs to own the schema", where=place)
    lost = error.connection_invalidated or (state is None and isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError))
    if lost or (state or "").startswith(("08", "28", "3D", "53", "57")):  # connection, sign-in, no such database, resources, shutdown
        return StoreUnusable("the database cannot be reached", hint="look at DATABASE_URL, the network and the server", where=place)
    return None
