"""What a driver reports about disk, network and access, in words on which a person can act."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from crm_compliance.host.files import DiskProblem
from crm_compliance.store.sql.tables import HEAD, VERSION_TABLE
from rules.errors import UsageError

BUSY_S = 30
IN_UTF8 = "make one with: createdb --encoding=UTF8 --template=template0 NAME"
# What PostgreSQL reports by its code: what that is, and what to do.
_OF_STATE: Final[Mapping[str, tuple[str, str]]] = {
    "22P05": ("the database is in an encoding that does not hold every name", f"{IN_UTF8}, and move the tables there (pg_dump)"),
    "25006": (
        "the database is read-only",
        "see that DATABASE_URL leads to the server that takes writes, not to a standby, and repeat once it takes them again",
    ),
    "42501": ("the database may not be written", "the account needs to own the schema"),
    "57014": (
        "the server has broken off a statement",
        "lift statement_timeout for the account of this program, and repeat; nothing was half-written",
    ),
}
# Why there is no connection stands at the end of the first line that the client library says.
_NO_CONNECTION: Final = re.compile(r".*failed: +([^\n]{1,200})")


class StoreUnusable(UsageError):
    """The database is out of reach, damaged, busy, or of a version unknown to this program."""

    code = "store"


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what a driver reports about disk, network and access into messages on which a person can act.
    Anything else is a bug and passes."""
    try:
        yield
    except DBAPIError as error:
        known = _told_by_sqlite(error.orig, place) if isinstance(error.orig, sqlite3.Error) else _told_by_postgresql(error, place)
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
        return _full(place)
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


def _told_by_postgresql(error: DBAPIError, place: str) -> UsageError | None:
    import psycopg  # not at the top: it takes its time to load, and SQLite never needs it

    state = getattr(error.orig, "sqlstate", None)
    if state in ("42P01", "42703"):
        return _lacking(place)
    if state == "55P03":
        return _busy(place)
    if state == "53100":
        return _full(place)
    if found := _OF_STATE.get(state or ""):
        told, hint = found
        return StoreUnusable(told, hint=hint, where=place)
    lost = error.connection_invalidated or (state is None and isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError))
    if lost or (state or "").startswith(("08", "28", "3D", "53", "57")):  # connection, sign-in, no such database, resources, shutdown
        said = _NO_CONNECTION.match(str(error.orig)) if state is None else None
        told = f"the database cannot be reached{f': {said[1]}' if said else ''}"
        return StoreUnusable(told, hint="look at DATABASE_URL, the network and the server", where=place)
    return None


def _full(place: str) -> DiskProblem:
    return DiskProblem("the disk of the database is full", hint="make room and repeat; nothing was half-written", where=place)


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
