"""Tombstones: the ids of deleted rows, kept for clients that follow the changes of a table. A tombstone holds
no value of the row. One id has one tombstone, the latest; while a row with that id exists again, it does not
count. Source: section 9 of the wire reference; Microsoft Learn, "Use change tracking"."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Row


class Tombstones:
    """A write listener that records every deletion in a tracked table."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def wants(self, table: Table) -> bool:
        return table.change_tracking

    def created(self, table: Table, row_id: str, values: Row, user: str) -> None:
        """Do nothing: the row's version is enough. `buried` skips a tombstone of an earlier row."""

    def updated(self, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        """Do nothing: the row's version is enough."""

    def deleted(self, rows: Sequence[tuple[Table, Row]], user: str, *, recoverable: bool) -> None:
        self.purge()
        for table, row in rows:
            self.bury(table, row[table.key])

    def bury(self, table: Table, row_id: str) -> None:
        """Record that one row is no longer among the live ones."""
        if self.wants(table):
            tombstone = (table.name, row_id, self.tables.next_version(), self.tables.clock.text())
            self.tables.connection.execute("INSERT OR REPLACE INTO _tombstones VALUES (?, ?, ?, ?)", tombstone)

    def purge(self) -> None:
        """Forget the deletions that no delta link is old enough to ask for."""
        oldest = instant_text(self.tables.clock.now() - timedelta(days=tracking_days(self.tables)))
        self.tables.connection.execute("DELETE FROM _tombstones WHERE deletedon < ?", (oldest,))


def tracking_days(tables: Tables) -> int:
    """Return how long a delta link stays valid: the switch, or else
    `organization.expirechangetrackingindays`."""
    if tables.switches.change_tracking_days:
        return tables.switches.change_tracking_days
    found = tables.connection.execute("SELECT expirechangetrackingindays FROM organization").fetchone()
    return int(found[0]) if found and found[0] is not None else 0


def buried(table: Table) -> tuple[str, list[str]]:
    """Return FROM and WHERE for the deleted rows of a table, as `d` with `row_id` and `version`; the table's
    name is the value to bind."""
    live = sql.select(["1"], sql.name(table.name), [f"{sql.name(table.key)} = d.row_id"])
    return "_tombstones d", ["d.tab = ?", f"NOT EXISTS ({live})"]


def deleted_between(tables: Tables, table: Table, after: int, until: int, limit: int) -> list[tuple[str, int]]:
    """Return ids and versions of deletions, in their order."""
    source, where = buried(table)
    statement = sql.select(["d.row_id", "d.version"], source, [*where, "d.version > ?", "d.version <= ?"], ["d.version"], limit)
    return [(row[0], row[1]) for row in tables.connection.execute(statement, (table.name, after, until))]


def count_between(tables: Tables, table: Table, after: int, until: int) -> int:
    source, where = buried(table)
    statement = sql.select(["count(*)"], source, [*where, "d.version > ?", "d.version <= ?"])
    found: Any = tables.connection.execute(statement, (table.name, after, until)).fetchone()
    return int(found[0])
