"""Long-term retention: rows moved to where no ordinary request reaches or changes them.

The rows are in the `retained` source of their table. What cascades from a row is moved with the row; links
from rows that stay are left as they are, so that a row which comes back finds them again. No write
listener is notified: nothing is deleted when a row is retained. A table of which a row was ever moved is
enabled for it, as `IsRetentionEnabled` shows; it need not be enabled first. Microsoft Learn, "Dataverse long
term data retention overview"."""

from connectors.emulator.errors import DUPLICATE_RECORD, WebApiError
from connectors.emulator.schema.environment import Relationship, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.cascades import Row, fall_of, select_children
from connectors.emulator.storage.pairs import forget_pairs
from connectors.emulator.storage.remains.tombstones import Tombstones
from connectors.emulator.storage.sources import RETAINED, source_of
from connectors.emulator.storage.tables import Tables


class RetainedRows:
    """Moves rows into long-term retention and back, and ends it."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.connection = tables.connection
        self.tombstones = Tombstones(tables)

    def know_enabled(self) -> None:
        """Record, after a start, the tables whose rows are retained here."""
        for table in self.environment.tables.values():
            if not table.view and self.connection.execute(sql.select(["1"], sql.name(source_of(table, RETAINED)), limit=1)).fetchone():
                self.environment.retaining.add(table.name)

    def holds(self, table: Table, row_id: str) -> bool:
        statement = sql.select(["1"], sql.name(source_of(table, RETAINED)), [f"{sql.name(table.key)} = ?"])
        return self.connection.execute(statement, (row_id,)).fetchone() is not None

    def retain(self, table: Table, row_id: str) -> list[Row]:
        """Move a live row with its cascade and return all that moved. Clients that follow the changes see
        these rows as deleted."""
        rows = self._together(table, row_id, None)
        for name, each in rows:
            moved = self.environment.tables[name]
            self._move(moved, each, moved.name, source_of(moved, RETAINED))
            self.tombstones.bury(moved, each)
            self.environment.retaining.add(moved.name)
        return rows

    def roll_back(self, table: Table, row_id: str) -> None:
        """Move a retained row with its cascade back, each with a new version. Raises WebApiError: 412 when
        one of the keys is in use again."""
        for name, each in self._together(table, row_id, RETAINED):
            moved = self.environment.tables[name]
            if self.tables.exists(moved, each):
                raise WebApiError(412, DUPLICATE_RECORD, "Cannot insert duplicate key.")
            self._move(moved, each, source_of(moved, RETAINED), moved.name)
            self.tables.rewrite(moved, each, {"versionnumber": self.tables.next_version()})

    def purge(self, table: Table, row_id: str) -> list[Row]:
        """Delete a retained row with its cascade and their pairs for good; gives all that went."""
        rows = self._together(table, row_id, RETAINED)
        for name, each in rows:
            gone = self.environment.tables[name]
            forget_pairs(self.connection, self.environment, name, each)
            self.connection.execute(sql.delete(source_of(gone, RETAINED), [f"{sql.name(gone.key)} = ?"]), (each,))
            self.connection.execute("DELETE FROM _files WHERE tab = ? AND row_id = ?", (source_of(gone, RETAINED), each))
        return rows

    def _together(self, table: Table, row_id: str, datasource: str | None) -> list[Row]:
        def children(relation: Relationship, parent_id: str) -> list[str]:
            child = self.environment.tables[relation.child]
            if relation.on_delete != "cascade" or child.view:
                return []
            statement = select_children(child, relation, source_of(child, datasource))
            return [row[0] for row in self.connection.execute(statement, (parent_id,))]

        return fall_of(self.environment, table.name, row_id, children).deleted

    def _move(self, table: Table, row_id: str, source: str, destination: str) -> None:
        where = [f"{sql.name(table.key)} = ?"]
        self.connection.execute(sql.copy(source, destination, where), (row_id,))
        self.connection.execute(sql.delete(source, where), (row_id,))
        of_row = [f"{sql.name('tab')} = ?", f"{sql.name('row_id')} = ?"]
        self.connection.execute(sql.update("_files", ["tab"], of_row), (destination, source, row_id))
