"""The version of a database's tables, by the mark that it has, and the steps that bring it to that of this
program. Source: `migrations/versions`."""

import re
import sqlite3
import threading
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from crm_compliance.store.sql.problems import StoreUnusable
from crm_compliance.store.sql.tables import HEAD, VERSION_TABLE, metadata
from rules.hints import hint_to

_SIGNED = "0008"  # the first version whose journal and register of erasures are sealed
_MARK = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608  built once: each transaction that writes asks
_alembic = threading.Lock()  # alembic keeps its context in module globals


class OtherTables(Exception):
    """A step found other tables than those of the version that the mark says."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self.mark = mark


def bring_to_head(connection: Connection, place: str) -> None:
    """Take the steps that a database lacks. Raises StoreUnusable: it is of a version that this program does
    not take on; OtherTables: to be explained once the transaction has ended."""
    if (version := version_of(connection, place)) == HEAD:
        return
    _refuse_unsigned(connection, version, place)
    try:
        _upgrade(connection)
    except DBAPIError as error:
        if not _is_about_tables(error):
            raise
        raise OtherTables(version or "nothing") from error


def version_of(connection: Connection, place: str) -> str | None:
    """Return the version that the tables have by their mark; None for an empty database."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = mark_of(connection)
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
        raise misfit(connection, ", ".join(sorted(found)), place)
    return mark


def mark_of(connection: Connection) -> list[str]:
    """Return what the version mark says: one version, where nobody has altered it."""
    # Read here and not by alembic, which takes a fifth of a second to load and is not needed on most days.
    return [str(version) for version in connection.execute(_MARK).scalars()]


def _steps() -> set[str]:
    """Return all versions that have existed, one for each step."""
    return {file.name[:4] for file in (Path(__file__).parents[1] / "migrations" / "versions").glob("[0-9]*.py")}


def misfit(connection: Connection, mark: str, place: str) -> StoreUnusable:
    """Return the error that the version mark is not valid, or not that of these tables. If that can be
    determined, it names the right one."""
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


def _is_about_tables(error: DBAPIError) -> bool:
    """Return whether a statement failed on a missing, or an unexpected, table, column or index."""
    if isinstance(error.orig, sqlite3.Error):
        return str(error.orig).startswith(("no such ", "duplicate column ")) or "already exists" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in ("42P01", "42P07", "42701", "42703", "42704")


def _refuse_unsigned(connection: Connection, version: str | None, place: str) -> None:
    """Refuse a database whose runs were written by a version that signed none of them. Nobody could
    distinguish them from made-up ones."""
    if version is None or version >= _SIGNED or connection.execute(text("SELECT 1 FROM runs LIMIT 1")).first() is None:
        return
    if "seal" in {column["name"] for column in inspect(connection).get_columns("actions")}:
        raise misfit(connection, version, place)
    raise StoreUnusable(
        f"the database has runs of version {version}, which did not sign them; this program believes runs from version {_SIGNED} on",
        hint="nothing was changed: keep that version and this database for its history, and begin with a new CRM_COMPLIANCE_DATA_DIR",
        where=place,
    )


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("crm_compliance.store") / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alembic:
        command.upgrade(config, "head")
