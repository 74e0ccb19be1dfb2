"""The lock of the one runner. It dies with its process, so that a killed run is taken over at once and no lapse has to be waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import NullPool

from crm_compliance.files import disk_errors
from crm_compliance.store.database import LOCKS, POSTGRESQL_ARGUMENTS, Database, explained
from rules.errors import Refused


@contextmanager
def exclusive(database: Database, name: str = "runner") -> Iterator[None]:
    """Hold the lock of this name while the block runs: `runner` for who applies plans, `scheduler` for who starts the nightly jobs.

    Raises:
        Refused: with code `another_run`, where somebody else holds it, be it another thread of the same process.
    """
    with _file_lock(database.file, name) if database.file else _advisory_lock(database, name):
        yield


@contextmanager
def _file_lock(file: Path, name: str) -> Iterator[None]:
    """A lock of the operating system on a file beside the database: programs with other settings but the same database meet there too."""
    # thread_local and no singleton: each call has a lock object of its own, and a second one in the same thread is refused as well.
    lock = FileLock(f"{file}.{name}", timeout=0, mode=0o600, fallback_to_soft=False)
    with disk_errors(file):
        try:
            lock.acquire()
        except Timeout:
            raise _taken(name) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory_lock(database: Database, name: str) -> Iterator[None]:
    """A session lock on a connection that does nothing else: the server drops it when the connection ends, however it ends."""
    engine = create_engine(
        database.engine.url, poolclass=NullPool, hide_parameters=True, isolation_level="AUTOCOMMIT", connect_args=POSTGRESQL_ARGUMENTS
    )
    with explained(database.place):
        connection = engine.connect()
    try:
        with explained(database.place):
            taken = connection.execute(select(func.pg_try_advisory_lock(LOCKS[name]))).scalar()
        if not taken:
            raise _taken(name)
        yield
    finally:
        connection.close()  # NullPool: really closed, and the lock with it


def _taken(name: str) -> Refused:
    what = "another run" if name == "runner" else f"another {name}"
    error = Refused(f"{what} is at work", hint="wait until it has ended: crm-compliance history list")
    error.code = "another_run"
    return error
