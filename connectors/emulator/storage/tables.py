"""Rows, row versions, relationships and cascades, in SQLite. A column of a table is a column of SQLite, so
that a filter is a WHERE and a page is one statement. Ids are lower-case text, instants are
`YYYY-MM-DDTHH:MM:SSZ`, text compares without regard to case, as in the real database."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.conditions.switches import Switches
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import DEFAULT_USER, Environment, Relationship, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.cascades import Fall, Row, fall_of, select_children
from connectors.emulator.storage.new_rows import Values
from connectors.emulator.storage.pairs import forget_pairs
from connectors.emulator.storage.write_hooks import Guard, WriteListener


class GivenCookies:
    """Paging cookies, delta tokens and version stamps given out, by digest: only those are taken back. One
    that was not given, or was changed since, is refused by who asks: a paging cookie in querying/pages.py."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def remember(self, digest: int) -> None:
        self.connection.execute("INSERT OR IGNORE INTO _cookies VALUES (?)", (digest,))

    def knows(self, digest: int) -> bool:
        return self.connection.execute("SELECT 1 FROM _cookies WHERE digest = ?", (digest,)).fetchone() is not None


FIRST_VERSION = 1_000_000


class Tables:
    """All rows of one organisation, in tables that `Database` made. Callers hold `lock`; one connection
    serves every thread."""

    def __init__(self, environment: Environment, clock: Clock, path: Path | None = None, switches: Switches | None = None) -> None:
        self.environment, self.clock = environment, clock
        self.switches = switches or Switches()
        self.listeners: list[WriteListener] = []
        self.guards: list[Guard] = []
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=1024)
        self._is_alone = path is None  # a state file may be open elsewhere too
        self._undone = 0
        self._depth = 0
        self._version = FIRST_VERSION  # `Database` reads the one of a state file
        self._lookup_sql: dict[tuple[str, str], str] = {}
        self._whole: dict[str, tuple[list[str], str]] = {}  # by table: every column it stores, and the SQL that reads a row
        self._stamp: tuple[object, str] = None, ""
        self.cookies = GivenCookies(self.connection)

    @property
    def changes(self) -> object:
        """Return what stays equal as long as nothing at all is written, rolled back or replaced: what was
        read meanwhile needs no second look. For a state file it is another each time."""
        return (self.connection.total_changes, self._undone) if self._is_alone else object()

    def security_stamp(self) -> str:
        """Return a stamp; while it is unchanged, so are everybody's rights."""
        changes = self.changes
        if self._stamp[0] != changes:
            found = self.connection.execute("SELECT value FROM _state WHERE name = 'security'").fetchone()
            self._stamp = changes, str(found[0])
        return self._stamp[1]

    def replace_by(self, copy: sqlite3.Connection) -> None:
        """Put all that a copy of this database holds in its place. Who copies into `connection` directly
        leaves `changes` as they are."""
        copy.backup(self.connection)
        self._undone += 1

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as a transaction, all or nothing; inside another one, a savepoint."""
        outer = self._depth == 0
        point = f"s{self._depth}"
        version, generation = self._version, self.environment.generation
        self.connection.execute("BEGIN IMMEDIATE" if outer else f"SAVEPOINT {point}")
        self._depth += 1
        try:
            yield
            if outer and self._version != version:
                self.connection.execute("UPDATE _state SET value = ? WHERE name = 'version'", (str(self._version),))
        except BaseException:
            self._depth -= 1
            self._undone += 1  # SQLite does not count what it takes back
            if outer:
                self.connection.execute("ROLLBACK")
            else:
                self.connection.execute(f"ROLLBACK TO {point}")
                self.connection.execute(f"RELEASE {point}")
            if self.environment.generation != generation:
                self._read_environment_again()
            raise
        self._depth -= 1
        self.connection.execute("COMMIT" if outer else f"RELEASE {point}")

    def _read_environment_again(self) -> None:
        """Read the environment again after a rollback that altered it; only `Database` alters one."""

    @property
    def committed_version(self) -> int:
        """The highest that a finished transaction gave; higher ones may still be rolled back."""
        return int(self.connection.execute("SELECT value FROM _state WHERE name = 'version'").fetchone()[0])

    def forget_statements(self) -> None:
        """Forget statements built for tables that have been altered since."""
        self._lookup_sql.clear()
        self._whole.clear()

    def next_version(self) -> int:
        """Return a version that is never given twice, also when its write was rolled back."""
        self._version += 1
        return self._version

    # -- one row ---------------------------------------------------------------------------------------------

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
        """Return the stored values of one row, or None when there is no such row."""
        names = list(columns)
        found = self.connection.execute(_by_key(table, names), (row_id,)).fetchone()
        return dict(zip(names, found, strict=True)) if found else None

    def find(self, table: Table, values: Mapping[str, Any]) -> str | None:
        """Return the id of the first row with these stored values."""
        where = [f"{sql.name(c)} = ?" for c in values]
        found = self.connection.execute(
            sql.select([sql.name(table.key)], sql.name(table.name), where, limit=1), tuple(values.values())
        ).fetchone()
        return str(found[0]) if found else None

    def insert(self, table: Table, values: Values, user: str = DEFAULT_USER) -> None:
        self.connection.execute(sql.insert(table.name, list(values)), tuple(values.values()))
        for listener in self._listening(table):
            listener.created(table, values[table.key], values, user)

    def update(self, table: Table, row_id: str, values: Values, user: str = DEFAULT_USER) -> None:
        """Write columns and give the row its next version."""
        listening = self._listening(table)
        before = self.stored(table, row_id, values) if listening else None
        self.rewrite(table, row_id, {**values, "versionnumber": self.next_version()})
        for listener in listening:
            listener.updated(table, row_id, before or {}, values, user)

    def rewrite(self, table: Table, row_id: str, values: Values) -> None:
        """Write columns behind the platform's back: no new version, and no listener is notified."""
        self.connection.execute(sql.update(table.name, values, [f"{sql.name(table.key)} = ?"]), (*values.values(), row_id))

    def _listening(self, table: Table) -> list[WriteListener]:
        return [listener for listener in self.listeners if listener.wants(table)]

    def delete_where(self, table: Table, values: Mapping[str, Any]) -> None:
        """Delete rows that nothing depends on."""
        self.connection.execute(sql.delete(table.name, [f"{sql.name(c)} = ?" for c in values]), tuple(values.values()))

    def touch(self, table: Table, row_id: str) -> None:
        """Update the row as if someone else had saved it."""
        self.update(table, row_id, {"modifiedon": self.clock.text()})

    def delete(
        self, table: Table, row_id: str, user: str = DEFAULT_USER, *, recoverable: bool = True, asked: Operation | None = None
    ) -> Fall:
        """Delete a row with all that its relationships require, or nothing at all; the guards see what an
        operation that asked for it deletes, and may refuse."""
        fall = fall_of(self.environment, table.name, row_id, self.children)
        with self.transaction():
            if asked is not None:
                for guard in self.guards:
                    guard.deleting(asked, table, row_id, fall)
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
                if deleted.peers:
                    forget_pairs(self.connection, self.environment, name, deleted_id)
                if any(c.kind in ("file", "image") for c in deleted.columns.values()):
                    self.connection.execute("DELETE FROM _files WHERE tab = ? AND row_id = ?", (name, deleted_id))
        return fall

    def _tell_deletion(self, fall: Fall, user: str, *, recoverable: bool) -> None:
        read: dict[Row, Values] = {}  # once, however many listeners want the row
        for listener in self.listeners:
            wanted = [row for row in fall.deleted if listener.wants(self.environment.tables[row[0]])]
            for name, row_id in wanted:
                if (name, row_id) not in read:
                    read[name, row_id] = self.whole(self.environment.tables[name], row_id)
            if wanted:
                listener.deleted([(self.environment.tables[row[0]], read[row]) for row in wanted], user, recoverable=recoverable)

    def whole(self, table: Table, row_id: str) -> Values:
        """Return every stored value of a row that exists."""
        if table.name not in self._whole:
            names = table.stored_columns
            self._whole[table.name] = names, _by_key(table, names)
        names, statement = self._whole[table.name]
        found = self.connection.execute(statement, (row_id,)).fetchone()
        return dict(zip(names, found, strict=True)) if found else {}

    def children(self, relation: Relationship, parent_id: str) -> list[str]:
        """Return the ids of the rows that a relationship leads to."""
        statement = self._lookup_sql.get((relation.name, "children"))
        if statement is None:
            child = self.environment.tables[relation.child]
            if child.view:  # its rows are those of the concrete tables, which have relationships of their own
                return []
            statement = self._lookup_sql[relation.name, "children"] = select_children(child, relation, child.name)
        return [row[0] for row in self.connection.execute(statement, (parent_id,))]

    def _mark_party_deleted(self, relation: Relationship, parent_id: str) -> None:
        """Set the flag, the only sign that the person is deleted; the name and address copies stay."""
        where = [f"{sql.name(relation.column)} = ?", f"{sql.name(relation.column + '__type')} = {sql.text(relation.parent)}"]
        values: Values = {"ispartydeleted": 1}
        if self.switches.party_name_cleared:
            values |= {"partyidname": None, "addressused": None}
        self.connection.execute(sql.update("activityparty", values, where), (*values.values(), parent_id))

    # -- many rows -------------------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        """Return True when only the platform's own rows exist."""
        own = [t for t in self.environment.tables.values() if not t.platform]
        return all(self.connection.execute(sql.select(["1"], sql.name(t.name), limit=1)).fetchone() is None for t in own)

    def count(self, table: Table) -> int:
        return int(self.connection.execute(sql.select(["count(*)"], sql.name(table.name))).fetchone()[0])


def _by_key(table: Table, columns: Iterable[str]) -> str:
    return sql.select([sql.name(column) for column in columns], sql.name(table.name), [f"{sql.name(table.key)} = ?"])
