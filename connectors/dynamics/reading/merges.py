"""Contacts that people have merged: one stays behind, inactive, and says into which other it went."""

from collections.abc import Collection

from connectors.dynamics.schema.metadata import TableDefinition
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import Forbidden

MASTER, MERGED = "masterid", "merged"  # columns of the platform's own tables for people


def merged_into(directory: Directory, definition: TableDefinition, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return those of these rows that were merged, each with the one that it went into, and those into which
    that went in turn. Raises ConnectorError."""
    if not {MASTER, MERGED} <= definition.attributes.keys():
        return {}
    table = KnownTable.of(definition)
    column, into, asked = f"_{MASTER}_value", dict[str, str](), {*ids}
    try:
        while asked:
            rows = directory.rows(table, table.primary_id, sorted(asked), column, also=f"{MERGED} eq true")
            found = {str(row[table.primary_id]).lower(): str(row[column]).lower() for row in rows if row[column]}
            into |= found
            asked = {*found.values()} - into.keys()
    except NotOffered as refusal:
        raise Forbidden(refusal.reason, where=table.name) from None
    return {row: _chain(into, row) for row in ids if row in into}


def _chain(into: dict[str, str], row: str) -> tuple[str, ...]:
    """Return where a row went, in turn; two that were merged into each other, as far as the other."""
    chain = [row]
    while (into.get(chain[-1], row)) not in chain:
        chain.append(into[chain[-1]])
    return tuple(chain[1:])
