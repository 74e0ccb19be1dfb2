"""Rows that the platform itself adds, as its jobs and policies run."""

import uuid

from connectors.emulator.storage.new_rows import Values, system_defaults
from connectors.emulator.storage.tables import Tables


def add_own_row(tables: Tables, name: str, user: str, columns: Values, created: str | None = None) -> str:
    """Add a row to a table, of now or of another stored instant, and return its id."""
    table = tables.environment.tables[name]
    row_id = str(uuid.uuid4())
    values = {**system_defaults(table, created or tables.clock.text(), user), **columns, table.key: row_id}
    tables.insert(table, {**values, "versionnumber": tables.next_version()}, user)
    return row_id
