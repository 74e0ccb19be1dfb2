"""Which tables take CreateMultiple, UpdateMultiple and UpsertMultiple, and the `sdkmessagefilters` that say
so. A client asks for the filter of a message and a table; no row means that it is not supported. Source:
section 6.1 of the wire reference; Microsoft Learn, "Use bulk operation messages"."""

from typing import Any

from connectors.emulator.schema.environment import Table, metadata_id
from connectors.emulator.storage.load import load_rows
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.writes import READ_ONLY

MESSAGE = "sdkmessage"
FILTER = "sdkmessagefilter"
BULK = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")


def takes_bulk_messages(table: Table) -> bool:
    """Return whether a table accepts bulk messages; the platform's own accept none."""
    return not (table.platform or table.view or table.intersect or table.name in READ_ONLY)


def refresh(tables: Tables) -> None:
    """Make the rows of both tables fit the current schema."""
    wanted = _rows(tables) if tables.switches.bulk_messages else []
    known = {row[0] for row in tables.connection.execute("SELECT sdkmessagefilterid FROM sdkmessagefilter")}
    if known == {row["sdkmessagefilterid"] for name, row in wanted if name == FILTER}:
        return
    with tables.transaction():
        for name in (MESSAGE, FILTER):
            tables.delete_where(tables.environment.tables[name], {})
        load_rows(tables, wanted)


def _rows(tables: Tables) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = [
        (MESSAGE, {"sdkmessageid": metadata_id(MESSAGE, message), "name": message}) for message in BULK
    ]
    for table in tables.environment.tables.values():
        if takes_bulk_messages(table):
            for message in BULK:
                row = {"sdkmessageid": metadata_id(MESSAGE, message), "primaryobjecttypecode": table.name}
                found.append((FILTER, {"sdkmessagefilterid": metadata_id(FILTER, message, table.name), **row}))
    return found
