"""The database of one organisation: opened in memory or in the `--state` file, filled, altered and emptied. A
state file belongs to the environment that it was made for. An organisation in memory takes its tables from
one that was made before."""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

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


_K = TypeVar("_K")
Inserts = list[tuple[str, int, list[list[Any]]]]  # a statement, where the version stands in its rows, and the rows

_MOST_KEPT = 4
_NOW: Any = object()  # stands in rows that are kept for the instant at which they are inserted
_kept: dict[str, bytes] = {}  # by fingerprint: the tables of organisations in memory, without a row
_platform_rows: dict[str, Inserts] = {}  # by the origin of the environment


def _make_room(kept: dict[str, _K]) -> dict[str, _K]:
    if len(kept) >= _MOST_KEPT:
        kept.pop(next(iter(kept)), None)
    return kept


def _make_as_before(connection: sqlite3.Connection, fingerprint: str) -> bool:
    """Copy into an empty database in memory the tables that another one of the same environment has; return
    False where none is known."""
    image = _kept.get(fingerprint)
    if image is not None:
        with closing(sqlite3.connect(":memory:")) as kept:
            kept.deserialize(image)
            kept.backup(connection)
    return image is not None


def _keep_what_was_made(connection: sqlite3.Connection, fingerprint: str) -> None:
    """Keep the tables of a new organisation in memory for the next one of its environment: half a thousand
    statements make them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as kept:
        connection.backup(kept)
        for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
            kept.execute(sql.delete(name, []))
        _make_room(_kept)[fingerprint] = kept.serialize()


class Database(Tables):
    """The tables of one organisation, with what makes, fills, alters and empties them."""

    def __init__(self, environment: Environment, clock: Clock, path: Path | None = None, switches: Switches | None = None) -> None:
        super().__init__(environment, clock, path, switches)
        self.altering = Altering(self)
        try:
            self._open(path)
        except BaseException:
            self.connection.close()
            raise

    def _open(self, path: Path | None) -> None:
        fingerprint = hashlib.sha256("\n".join(schema_of(self.environment)).encode()).hexdigest()
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
        if known is None:
            is_made = path is None and _make_as_before(self.connection, fingerprint)
            with self.transaction():
                for statement in () if is_made else schema_of(self.environment):
                    self.connection.execute(statement)
                self.connection.execute(
                    "INSERT INTO _state VALUES ('schema', ?), ('version', ?), ('security', '')", (fingerprint, str(FIRST_VERSION))
                )
                self._add_platform_rows()
            if path is None and not is_made:
                _keep_what_was_made(self.connection, fingerprint)
        elif known[0] != fingerprint:
            raise StateProblem(f"{path}: this state file holds the rows of another environment")
        else:
            self._version = int(self.connection.execute("SELECT value FROM _state WHERE name = 'version'").fetchone()[0])
            self.altering.replay()

    def _add_platform_rows(self) -> None:
        """Insert what the platform itself has: the same rows each time, as of now. The stamp of the rights
        is empty until then."""
        origin = self.environment.origin
        inserts = _platform_rows.get(origin) or self._inserts()
        if origin and origin not in _platform_rows:
            _make_room(_platform_rows)[origin] = inserts
        now = self.clock.text()
        with self.transaction():
            for statement, version_at, rows in inserts:
                insert(self, statement, version_at, ([now if value is _NOW else value for value in row] for row in rows))
            self.connection.execute("UPDATE _state SET value = hex(randomblob(8)) WHERE name = 'security'")

    def _inserts(self) -> Inserts:
        found: Inserts = []
        for name, rows in [*self.environment.rows.items(), *security_rows(self.environment).items()]:
            if table := self.environment.tables.get(name):
                created = {"createdon": _NOW} if "createdon" in table.columns else {}
                loader = Loader(self, table, _NOW)
                found.append((loader.statement, loader.version_at, [loader.values(created | row) for row in rows]))
        return found

    def _read_environment_again(self) -> None:
        self.altering.reread()

    def clear(self) -> None:
        """Return to the initial tables and the platform's own rows. Versions keep rising: an old ETag never
        fits a new row."""
        with self.lock, self.transaction():
            self.altering.forget()
            self.environment.retaining.clear()
            self.connection.execute("UPDATE _state SET value = '' WHERE name = 'security'")
            for table in self.environment.tables.values():
                if not table.view:
                    for source in (None, BIN, RETAINED):
                        self.connection.execute(sql.delete(source_of(table, source), []))
            for kept in ("_files", "_cookies", "_tombstones", "_transfers", "_blocks", "_counts", "_binned", "_jobs"):
                self.connection.execute(sql.delete(kept, []))
            self._add_platform_rows()

    def load(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
        """Insert many rows at once, unchecked, parents in any order; gives their number. Keys are logical
        names. A lookup with several targets is `(table, id)`; a file column is `(file name, bytes)`."""
        return load_rows(self, rows)
