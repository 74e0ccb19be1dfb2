"""Rows, row versions, relationships and cascades, in SQLite: in memory or in the `--state` file.

A column of a table is a column of SQLite, so that a filter is a WHERE and a page is one statement. Ids are lower-case text, instants are
`YYYY-MM-DDTHH:MM:SSZ`, text compares without regard to case, as in the real database.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.emulator.clock import Clock
from connectors.emulator.schema.environment import CURRENCY, DEFAULT_USER, POINTER, ROOT_UNIT, Column, Environment, Relationship, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.cascades import Fall, fall_of
from connectors.emulator.storage.sources import BIN, RETAINED, source_of
from connectors.emulator.storage.traces import Trace
from connectors.emulator.switches import Switches

FIRST_VERSION = 1_000_000
CHUNK = 5_000  # rows in one executemany
_TYPES = {
    "int": "INTEGER",
    "bool": "INTEGER",
    "choice": "INTEGER",
    "state": "INTEGER",
    "status": "INTEGER",
    "bigint": "INTEGER",
    "decimal": "REAL",
    "money": "REAL",
}
_CASELESS = {"string", "memo", "entityname"}
# Lookups of the platform that nobody cascades over: an index on them would only cost.
_UNINDEXED = {"createdby", "modifiedby", "ownerid", "owninguser", "owningteam", "owningbusinessunit", "transactioncurrencyid"}

Values = dict[str, Any]  # stored column -> stored value


class StateProblem(Exception):
    """The state file belongs to another environment, or is none."""


class Tables:
    """All rows of one organisation. Callers hold `lock`; one connection serves every thread."""

    def __init__(self, environment: Environment, clock: Clock, path: Path | None = None, switches: Switches | None = None) -> None:
        self.environment = environment
        self.clock = clock
        self.switches = switches or Switches()
        self.traces: list[Trace] = []
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=1024)
        self._depth = 0
        self._version = FIRST_VERSION
        self._lookup_sql: dict[tuple[str, str], str] = {}
        try:
            self._open(path)
        except BaseException:
            self.connection.close()
            raise

    def _open(self, path: Path | None) -> None:
        fingerprint = hashlib.sha256("\n".join(self._schema()).encode()).hexdigest()
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
            with self.transaction():
                for statement in self._schema():
                    self.connection.execute(statement)
                self.connection.execute("INSERT INTO _state VALUES ('schema', ?), ('version', ?)", (fingerprint, str(FIRST_VERSION)))
                self._add_platform_rows()
        elif known[0] != fingerprint:
            raise StateProblem(f"{path}: this state file holds the rows of another environment")
        else:
            self._version = int(self.connection.execute("SELECT value FROM _state WHERE name = 'version'").fetchone()[0])

    def _schema(self) -> list[str]:
        statements = [
            "CREATE TABLE _files (id TEXT PRIMARY KEY, tab TEXT, row_id TEXT, col TEXT, name TEXT, mimetype TEXT, body BLOB) WITHOUT ROWID",
            "CREATE TABLE _cookies (digest INTEGER PRIMARY KEY)",
        ]
        for table in self.environment.tables.values():
            if table.view:
                statements.append(self._view(table))
                continue
            lines = [self._declaration(table, column) for column in table.columns.values()]
            lines += [f"{sql.name(c.type_column)} TEXT" for c in table.columns.values() if c.polymorphic]
            for source in (None, BIN, RETAINED):
                statements.append(f"CREATE TABLE {sql.name(source_of(table, source))} ({', '.join(lines)})")
            for column in table.columns.values():
                if column.is_lookup and column.name not in _UNINDEXED:
                    index, indexed = sql.name(f"ix_{table.name}_{column.name}"), sql.name(column.name)
                    statements.append(f"CREATE INDEX {index} ON {sql.name(table.name)} ({indexed}) WHERE {indexed} IS NOT NULL")
            for key, columns in table.alternate_keys.items():
                parts = ", ".join(sql.name(c.name) for c in columns)
                statements.append(f"CREATE INDEX {sql.name('ak_' + key)} ON {sql.name(table.name)} ({parts})")
        return statements

    def _declaration(self, table: Table, column: Column) -> str:
        collation = " COLLATE NOCASE" if column.kind in _CASELESS else ""
        unique = " PRIMARY KEY NOT NULL" if column.key else ""
        return f"{sql.name(column.name)} {_TYPES.get(column.kind, 'TEXT')}{collation}{unique}"

    def _view(self, pointer: Table) -> str:
        columns = [c.name for c in pointer.columns.values()] + [c.type_column for c in pointer.columns.values() if c.polymorphic]
        branches = [
            sql.select([self._in_view(t, c) for c in columns], sql.name(t.name))
            for t in self.environment.tables.values()
            if t.activity and not t.view
        ]
        return f"CREATE VIEW {sql.name(POINTER)} AS " + " UNION ALL ".join(branches)

    @staticmethod
    def _in_view(table: Table, column: str) -> str:
        """A lookup with several targets may have one in a narrower activity table; then its type is no column there."""
        source = table.columns.get(column.removesuffix("__type"))
        if column.endswith("__type") and source is not None and not source.polymorphic:
            return f"{sql.text(source.targets[0])} AS {sql.name(column)}"
        return sql.name(column)

    def _add_platform_rows(self) -> None:
        now = self.clock.text()
        rows = (
            (table, {"createdon": now, **row})
            for table, rows in self.environment.rows.items()
            if table in self.environment.tables
            for row in rows
        )
        self._insert_many(rows)

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one, a savepoint."""
        outer = self._depth == 0
        point = f"s{self._depth}"
        version = self._version
        self.connection.execute("BEGIN IMMEDIATE" if outer else f"SAVEPOINT {point}")
        self._depth += 1
        try:
            yield
            if outer and self._version != version:
                self.connection.execute("UPDATE _state SET value = ? WHERE name = 'version'", (str(self._version),))
        except BaseException:
            self._depth -= 1
            if outer:
                self.connection.execute("ROLLBACK")
            else:
                self.connection.execute(f"ROLLBACK TO {point}")
                self.connection.execute(f"RELEASE {point}")
            raise
        self._depth -= 1
        self.connection.execute("COMMIT" if outer else f"RELEASE {point}")

    def next_version(self) -> int:
        """Never given twice, also when its write was rolled back."""
        self._version += 1
        return self._version

    # -- one row -------------------------------------------------------------------------------------------------------

    def version(self, table: Table, row_id: str) -> int | None:
        statement = self._lookup_sql.get((table.name, "version"))
        if statement is None:
            statement = sql.select(["versionnumber"], sql.name(table.name), [f"{sql.name(table.key)} = ?"])
            self._lookup_sql[table.name, "version"] = statement
        found = self.connection.execute(statement, (row_id,)).fetchone()
        return int(found[0]) if found else None

    def exists(self, table: Table, row_id: str) -> bool:
        return self.version(table, row_id) is not None

    def stored(self, table: Table, row_id: str, columns: Iterable[str]) -> dict[str, Any] | None:
        """Stored values of one row, or None when there is no such row."""
        names = list(columns)
        found = self.connection.execute(
            sql.select([sql.name(c) for c in names], sql.name(table.name), [f"{sql.name(table.key)} = ?"]), (row_id,)
        ).fetchone()
        return dict(zip(names, found, strict=True)) if found else None

    def find(self, table: Table, values: Mapping[str, Any]) -> str | None:
        """The id of the first row with these stored values."""
        where = [f"{sql.name(c)} = ?" for c in values]
        found = self.connection.execute(
            sql.select([sql.name(table.key)], sql.name(table.name), where, limit=1), tuple(values.values())
        ).fetchone()
        return str(found[0]) if found else None

    def insert(self, table: Table, values: Values, user: str = DEFAULT_USER) -> None:
        self.connection.execute(sql.insert(table.name, list(values)), tuple(values.values()))
        for trace in self._tracing(table):
            trace.created(table, values[table.key], values, user)

    def update(self, table: Table, row_id: str, values: Values, user: str = DEFAULT_USER) -> None:
        """Write columns and give the row its next version."""
        tracing = self._tracing(table)
        before = self.stored(table, row_id, values) if tracing else None
        self.rewrite(table, row_id, {**values, "versionnumber": self.next_version()})
        for trace in tracing:
            trace.updated(table, row_id, before or {}, values, user)

    def rewrite(self, table: Table, row_id: str, values: Values) -> None:
        """Write columns behind the platform's back: no new version, no trace."""
        self.connection.execute(sql.update(table.name, values, [f"{sql.name(table.key)} = ?"]), (*values.values(), row_id))

    def _tracing(self, table: Table) -> list[Trace]:
        return [trace for trace in self.traces if trace.wants(table)]

    def delete_where(self, table: Table, values: Mapping[str, Any]) -> None:
        """Delete rows that nothing hangs on."""
        self.connection.execute(sql.delete(table.name, [f"{sql.name(c)} = ?" for c in values]), tuple(values.values()))

    def touch(self, table: Table, row_id: str) -> None:
        """As if someone else had saved the row."""
        self.update(table, row_id, {"modifiedon": self.clock.text()})

    def delete(self, table: Table, row_id: str, user: str = DEFAULT_USER, *, recoverable: bool = True) -> Fall:
        """Delete a row with all that its relationships ask for, or nothing at all."""
        fall = fall_of(self.environment, table.name, row_id, self._children)
        with self.transaction():
            self._tell_deletion(fall, user, recoverable=recoverable)
            for relation, child_id in fall.unlinked:
                child = self.environment.tables[relation.child]
                column = child.columns[relation.column]
                cleared: Values = {column.name: None} | ({column.type_column: None} if column.polymorphic else {})
                if self.switches.remove_link_bumps_etag:
                    self.update(child, child_id, cleared, user)
                else:
                    self.rewrite(child, child_id, cleared)
            for relation, parent_id in fall.dangling:
                if relation.child == "activityparty":
                    self._mark_party_deleted(relation, parent_id)
            for name, deleted_id in fall.deleted:
                deleted = self.environment.tables[name]
                self.connection.execute(sql.delete(name, [f"{sql.name(deleted.key)} = ?"]), (deleted_id,))
                if any(c.kind == "file" for c in deleted.columns.values()):
                    self.connection.execute("DELETE FROM _files WHERE tab = ? AND row_id = ?", (name, deleted_id))
        return fall

    def _tell_deletion(self, fall: Fall, user: str, *, recoverable: bool) -> None:
        for trace in self.traces:
            wanted = [
                (self.environment.tables[name], row_id) for name, row_id in fall.deleted if trace.wants(self.environment.tables[name])
            ]
            rows = [(table, self.whole(table, row_id)) for table, row_id in wanted]
            if rows:
                trace.deleted(rows, user, recoverable=recoverable)

    def whole(self, table: Table, row_id: str) -> Values:
        """Every stored value of a row that exists."""
        names = [*table.columns, *(c.type_column for c in table.columns.values() if c.polymorphic)]
        return self.stored(table, row_id, names) or {}

    def _children(self, relation: Relationship, parent_id: str) -> list[str]:
        statement = self._lookup_sql.get((relation.name, "children"))
        if statement is None:
            child = self.environment.tables[relation.child]
            if child.view:  # its rows are those of the concrete tables, which have relationships of their own
                return []
            column = child.columns[relation.column]
            where = [f"{sql.name(column.name)} = ?"] + (
                [f"{sql.name(column.type_column)} = {sql.text(relation.parent)}"] if column.polymorphic else []
            )
            statement = self._lookup_sql[relation.name, "children"] = sql.select([sql.name(child.key)], sql.name(child.name), where)
        return [row[0] for row in self.connection.execute(statement, (parent_id,))]

    def _mark_party_deleted(self, relation: Relationship, parent_id: str) -> None:
        """The name and address copies stay: only the flag tells that the person behind them is gone."""
        where = [f"{sql.name(relation.column)} = ?", f"{sql.name(relation.column + '__type')} = {sql.text(relation.parent)}"]
        values: Values = {"ispartydeleted": 1}
        if self.switches.party_name_cleared:
            values |= {"partyidname": None, "addressused": None}
        self.connection.execute(sql.update("activityparty", values, where), (*values.values(), parent_id))

    # -- files ---------------------------------------------------------------------------------------------------------

    def put_file(self, table: Table, row_id: str, column: Column, name: str, mimetype: str, body: bytes) -> str:
        """Keep a file's bytes; the caller writes the returned id into the column."""
        self.remove_file(table, row_id, column)
        file_id = str(uuid.uuid4())
        self.connection.execute(
            "INSERT INTO _files VALUES (?, ?, ?, ?, ?, ?, ?)", (file_id, table.name, row_id, column.name, name, mimetype, body)
        )
        return file_id

    def file(self, file_id: str) -> tuple[str, str, bytes] | None:
        """Name, MIME type and bytes."""
        found = self.connection.execute("SELECT name, mimetype, body FROM _files WHERE id = ?", (file_id,)).fetchone()
        return (found[0], found[1], bytes(found[2])) if found else None

    def remove_file(self, table: Table, row_id: str, column: Column) -> None:
        self.connection.execute("DELETE FROM _files WHERE tab = ? AND row_id = ? AND col = ?", (table.name, row_id, column.name))

    # -- paging cookies ------------------------------------------------------------------------------------------------

    def remember_cookie(self, digest: int) -> None:
        """A cookie is opaque: only one that was given out is taken back, also after a restart."""
        self.connection.execute("INSERT OR IGNORE INTO _cookies VALUES (?)", (digest,))

    def knows_cookie(self, digest: int) -> bool:
        return self.connection.execute("SELECT 1 FROM _cookies WHERE digest = ?", (digest,)).fetchone() is not None

    # -- many rows -----------------------------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        """True when only the platform's own rows are there."""
        own = [t for t in self.environment.tables.values() if not t.platform]
        return all(self.connection.execute(sql.select(["1"], sql.name(t.name), limit=1)).fetchone() is None for t in own)

    def count(self, table: Table) -> int:
        return int(self.connection.execute(sql.select(["count(*)"], sql.name(table.name))).fetchone()[0])

    def clear(self) -> None:
        """Back to the platform's own rows. Versions go on rising: an old ETag never fits a new row."""
        with self.lock, self.transaction():
            for table in self.environment.tables.values():
                if not table.view:
                    for source in (None, BIN, RETAINED):
                        self.connection.execute(sql.delete(source_of(table, source), []))
            self.connection.execute("DELETE FROM _files")
            self.connection.execute("DELETE FROM _cookies")
            self._add_platform_rows()

    def load(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
        """Insert many rows at once, unchecked, parents in any order; gives their number.

        Keys are logical names. A lookup with several targets is `(table, id)`; a file column is `(file name, bytes)`.
        """
        with self.lock, self.transaction():
            return self._insert_many(rows)

    def _insert_many(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
        loaded = 0
        waiting: dict[str, list[dict[str, Any]]] = {}
        iterator = iter(rows)
        while chunk := list(islice(iterator, CHUNK)):
            for name, row in chunk:
                waiting.setdefault(name, []).append(row)
            for name, group in waiting.items():
                loader = _Loader(self, self.environment.tables[name])
                self.connection.executemany(loader.statement, map(loader.values, group))
                loaded += len(group)
            waiting.clear()
        return loaded


class _Loader:
    """Turns wire-typed rows of one table into tuples in the order of its columns."""

    def __init__(self, tables: Tables, table: Table) -> None:
        self.tables = tables
        self.table = table
        self.now = tables.clock.text()
        self.defaults = system_defaults(table, self.now, DEFAULT_USER)
        self.names = [*table.columns, *(c.type_column for c in table.columns.values() if c.polymorphic)]
        self.known = set(self.names)
        self.bools = [c.name for c in table.columns.values() if c.kind == "bool"]
        self.polymorphic = [c for c in table.columns.values() if c.polymorphic]
        self.files = [c for c in table.columns.values() if c.kind == "file"]
        self.computed = [c for c in table.columns.values() if c.computed]
        self.money = [c.name for c in table.columns.values() if c.kind == "money" and not c.name.endswith("_base")]
        self.statement = sql.insert(table.name, self.names)

    def values(self, row: dict[str, Any]) -> tuple[Any, ...]:
        table = self.table
        if unknown := row.keys() - self.known:
            raise KeyError(f"{table.name} has no column {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {**self.defaults, **row}
        if table.key not in row:
            values[table.key] = str(uuid.uuid4())
        if "createdon" in row:
            values.setdefault("overriddencreatedon", None)
            if "modifiedon" not in row:
                values["modifiedon"] = row["createdon"]
        elif row.get("overriddencreatedon"):
            values["createdon"] = values["modifiedon"] = row["overriddencreatedon"]
        for column in self.polymorphic:
            value = values.get(column.name)
            if isinstance(value, tuple):
                values[column.type_column], values[column.name] = value
        for name in self.bools:
            if isinstance(values.get(name), bool):
                values[name] = int(values[name])
        for column in self.files:
            if isinstance(values.get(column.name), tuple):
                name, body = values[column.name]
                values[column.name] = self.tables.put_file(table, values[table.key], column, name, "application/octet-stream", body)
                values[column.name + "_name"] = name
        for name in self.money:
            if values.get(name) is not None:
                values[name + "_base"] = values[name]
                values["transactioncurrencyid"], values["exchangerate"] = CURRENCY, 1.0
        if table.name == "annotation" and "objectid" in values:
            values["objecttypecode"] = values.get("objectid__type")
        if "statuscode" not in row and row.get("statecode"):
            values["statuscode"] = table.default_status(row["statecode"])
        for column in self.computed:
            values[column.name] = join_parts(values.get(part) for part in column.computed)
        values["versionnumber"] = self.tables.next_version()
        return tuple(map(values.get, self.names))


def join_parts(parts: Iterable[Any]) -> str | None:
    """A computed name: the parts that are there, with a space between."""
    return " ".join(str(part) for part in parts if part) or None


def system_defaults(table: Table, now: str, user: str) -> Values:
    """What the platform fills in on a new row."""
    values: Values = {
        "createdon": now,
        "modifiedon": now,
        "createdby": user,
        "modifiedby": user,
        "ownerid": user,
        "ownerid__type": "systemuser",
        "owninguser": user,
        "owningbusinessunit": ROOT_UNIT,
        "statecode": 0,
        "statuscode": table.default_status(0),
    }
    for column in table.columns.values():
        if column.kind == "bool":
            values[column.name] = int(column.name == "directioncode")  # an outgoing call, where nobody says otherwise
    if table.activity:
        values["activitytypecode"] = table.name
    return values
