"""The bytes of files and images, kept beside the rows that they belong to."""

import uuid

from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.storage.tables import Tables


class KeptFiles:
    """One file for each column of each row."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def put(self, table: Table, row_id: str, column: Column, name: str, mimetype: str, body: bytes) -> str:
        """Keep a file's bytes; the caller writes the returned id into the column."""
        self.remove(table, row_id, column)
        file_id = str(uuid.uuid4())
        self.tables.connection.execute(
            "INSERT INTO _files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (file_id, table.name, row_id, column.name, name, mimetype, body, self.tables.clock.text(), self.tables.next_version()),
        )
        return file_id

    def get(self, file_id: str) -> tuple[str, str, bytes] | None:
        """Name, MIME type and bytes."""
        found = self.tables.connection.execute("SELECT name, mimetype, body FROM _files WHERE id = ?", (file_id,)).fetchone()
        return (found[0], found[1], bytes(found[2])) if found else None

    def of(self, table: Table, row_id: str, column: Column) -> bytes | None:
        """Return the bytes that are kept for a column, whatever it holds."""
        found = self.tables.connection.execute(
            "SELECT body FROM _files WHERE tab = ? AND row_id = ? AND col = ?", (table.name, row_id, column.name)
        ).fetchone()
        return bytes(found[0]) if found else None

    def remove(self, table: Table, row_id: str, column: Column) -> None:
        self.tables.connection.execute("DELETE FROM _files WHERE tab = ? AND row_id = ? AND col = ?", (table.name, row_id, column.name))
