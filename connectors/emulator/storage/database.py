"""The database of one organisation: opened in memory or in the `--state` file, filled, altered and emptied. A
state file belongs to the environment that it was made for. An organisation in memory is a copy of a new one
that was made before."""

import hashlib
import sqlite3
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.conditions.switches import Switches
from connectors.emulator.schema.environment import Environment
from connectors.emulator.schema.privileges import security_rows
from connectors.emulator.storage import sql
from connectors.emulator.storage.alter import Altering
from connectors.emulator.storage.declarations import schema_of
from connectors.emulator.storage.load import Loader, insert, load_rows
from connectors.emulator.storage.sources import BIN, RETAINED, source_of
from connectors.emulator.storage.tables import FIRST_VERSION, Tables


class StateProblem(Exception):
    """The state file belongs to another environment, or is none."""


_MOST_KEPT = 4
_CATALOGUE = ("privilege", "roleprivileges")  # most of the platform's rows, which hardly anybody alters
_VERSIONS = ("min(versionnumber)", "max(versionnumber)")
_NOW: Any = object()  # stands in rows that are kept for the instant at which they are inserted


class _PlatformRows(NamedTuple):
    """Rows of one table that every organisation of an environment has."""

    table: str
    dated: list[str]  # the columns that hold the instant at which they are inserted
    statement: str
    version_at: int  # where the version stands in a row
    rows: list[list[Any]]


_platform_rows: dict[str, list[_PlatformRows]] = {}  # by the origin of the environment
_new: dict[str, sqlite3.Connection] = {}  # likewise: an organisation in memory, as it was when it was new


class Database(Tables):
    """The tables of one organisation, with what makes, fills, alters and empties them."""

    def __init__(self, environment: Environment, clock: Clock, path: Path | None, switches: Switches | None = None) -> None:
        super().__init__(environment, clock, path, switches)
        self.altering = Altering(self)
        self._added: tuple[Any, ...] = ()  # how the catalogue was when the platform's rows had been added
        try:
            self._open(path)
        except BaseException:
            self.connection.close()
            raise

    def _open(self, path: Path | None) -> None:
        try:
            if path:
                self.connection.execute("PRAGMA journal_mode = WAL")
                self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.execute("PRAGMA cache_size = -65536")
            self.connection.execute("PRAGMA temp_store = MEMORY")
            self.connection.execute("CREATE TABLE IF NOT EXISTS _state (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
            known = self.connection.execute("SELECT value FROM _state WHERE name = 'schema'").fetchone()
        except sqlite3.DatabaseError as problem:
            raise StateProblem(f"{path}: {problem}") from problem
        kept = None if path or self.environment.generation else _new.get(self.environment.origin)
        if known is None and kept is not None:
            self._become(kept)
            return
        fingerprint = hashlib.sha256("\n".join(schema_of(self.environment)).encode()).hexdigest()
        if known is None:
            self._make(fingerprint)
            if path is None and self.environment.origin:
                self._keep()
        elif known[0] != fingerprint:
            raise StateProblem(f"{path}: this state file holds the rows of another environment")
        else:
            self._version = self.committed_version
            self.altering.replay()

    def _make(self, fingerprint: str) -> None:
        with self.transaction():
            for statement in schema_of(self.environment):
                self.connection.execute(statement)
            self.connection.execute(
                "INSERT INTO _state VALUES ('schema', ?), ('version', ?), ('security', '')", (fingerprint, str(FIRST_VERSION))
            )
            self._add_platform_rows()

    def _keep(self) -> None:
        """Keep a copy of this new organisation for the next one of its environment: half a thousand
        statements made it."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.backup(copy)
        if len(_new) >= _MOST_KEPT:
            _new.pop(next(iter(_new))).close()
        _new[self.environment.origin] = copy

    def _become(self, kept: sqlite3.Connection) -> None:
        """Copy a new organisation into this one, which is empty, as if it had been made just now."""
        self.replace_by(kept)
        self._version = self.committed_version
        now = self.clock.text()
        with self.transaction():
            for each in self._rows_of_platform():
                if each.dated:
                    self.connection.execute(sql.update(each.table, each.dated, [sql.every([])]), [now] * len(each.dated))
        self._added = self._catalogue()

    def _add_platform_rows(self, *, but: Collection[str] = ()) -> None:
        """Insert what the platform itself has: the same rows each time, as of now. The stamp of the rights
        is empty until then. Rows of the tables `but` are there as they were inserted, and become new ones."""
        now = self.clock.text()
        with self.transaction():
            for each in self._rows_of_platform():
                if each.table in but:
                    self._renew(each, now)
                    continue
                rows = ([now if value is _NOW else value for value in row] for row in each.rows)
                insert(self, each.statement, each.version_at, rows)
            self.connection.execute("UPDATE _state SET value = hex(randomblob(8)) WHERE name = 'security'")
        self._added = self._catalogue()

    def _renew(self, rows: _PlatformRows, now: str) -> None:
        table = sql.name(rows.table)
        lowest, highest = self.connection.execute(sql.select(_VERSIONS, table, [])).fetchone()
        columns = ["versionnumber = versionnumber + ?", *(f"{sql.name(column)} = ?" for column in rows.dated)]
        later = self._version + 1 - lowest
        self.connection.execute(" ".join(["UPDATE", table, "SET", ", ".join(columns)]), [later, *[now] * len(rows.dated)])
        self._version = highest + later

    def _catalogue(self) -> tuple[Any, ...]:
        """Return what is another after any change to the catalogue: the stamp of the rights, numbers of rows
        and versions."""
        asked = [sql.select(["count(*)", *_VERSIONS], sql.name(table), []) for table in _CATALOGUE]
        found = [self.connection.execute(each).fetchone() for each in asked]
        return self.security_stamp(), *found

    def _rows_of_platform(self) -> list[_PlatformRows]:
        origin = self.environment.origin
        found = _platform_rows.get(origin)
        if found is None:
            found = self._made_for_platform()
            if origin:
                if len(_platform_rows) >= _MOST_KEPT:
                    _platform_rows.pop(next(iter(_platform_rows)))
                _platform_rows[origin] = found
        return found

    def _made_for_platform(self) -> list[_PlatformRows]:
        found: list[_PlatformRows] = []
        for name, rows in [*self.environment.rows.items(), *security_rows(self.environment).items()]:
            if rows and (table := self.environment.tables.get(name)):
                created = {"createdon": _NOW} if "createdon" in table.columns else {}
                loader = Loader(self, table, _NOW)
                values = [loader.values(created | row) for row in rows]
                dated = [column for column, value in zip(loader.names, values[0], strict=True) if value is _NOW]
                found.append(_PlatformRows(name, dated, loader.statement, loader.version_at, values))
        return found

    def _read_environment_again(self) -> None:
        self.altering.reread()

    def clear(self) -> None:
        """Return to the initial tables and the platform's own rows. Versions keep rising: an old ETag never
        fits a new row."""
        with self.lock, self.transaction():
            there = _CATALOGUE if not self.altering.is_altered and self._catalogue() == self._added else ()
            self.altering.forget()
            self.environment.retaining.clear()
            self.connection.execute("UPDATE _state SET value = '' WHERE name = 'security'")
            for table in self.environment.tables.values():
                if not table.view:
                    for source in (BIN, RETAINED) if table.name in there else (None, BIN, RETAINED):
                        self.connection.execute(sql.delete(source_of(table, source), []))
            for kept in ("_files", "_cookies", "_tombstones", "_transfers", "_blocks", "_counts", "_binned", "_jobs"):
                self.connection.execute(sql.delete(kept, []))
            self._add_platform_rows(but=there)

    def load(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
        """Insert many rows at once, unchecked, parents in any order; gives their number. Keys are logical
        names. A lookup with several targets is `(table, id)`; a file column is `(file name, bytes)`."""
        return load_rows(self, rows)
