"""How many rows a table has, as `RetrieveTotalRecordCount` reports it. The real figure is a snapshot that may
be a day old. So it is here where the switch `stale_counts` is on. Source: section 3.3 of the wire reference;
Microsoft Learn, "Count rows"."""

from connectors.emulator.schema.environment import Table
from connectors.emulator.storage.tables import Tables

RENEWED_AFTER_S = 86_400


def record_count(tables: Tables, table: Table) -> int:
    """Return the current number, or that of the first query of the last 24 hours."""
    if not tables.switches.stale_counts:
        return tables.count(table)
    now = tables.clock.timestamp()
    found = tables.connection.execute("SELECT number, taken FROM _counts WHERE tab = ?", (table.name,)).fetchone()
    if found is not None and 0 <= now - found[1] < RENEWED_AFTER_S:
        return int(found[0])
    number = tables.count(table)
    tables.connection.execute("INSERT OR REPLACE INTO _counts VALUES (?, ?, ?)", (table.name, number, now))
    return number
