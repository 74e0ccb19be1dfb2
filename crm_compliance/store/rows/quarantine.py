"""Units in quarantine in the database, one row a unit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import quarantine
from rules.retention.quarantine import Mark


def read_marks(connection: Connection) -> list[Mark]:
    docs = connection.execute(select(quarantine.c.doc).order_by(quarantine.c.position)).scalars()
    return [decoded(doc, Mark, "a unit in quarantine") for doc in docs]


def upsert_marks(connection: Connection, marks: Sequence[Mark]) -> None:
    """Add marks, or replace those that are there by (table, id); a replaced one keeps its place."""
    if not marks:
        return
    statement = insert_into(connection, quarantine)
    statement = statement.on_conflict_do_update(
        index_elements=["unit_table", "unit_id"], set_={"state": statement.excluded.state, "doc": statement.excluded.doc}
    )
    rows = [{"unit_table": mark.table, "unit_id": mark.id, "state": mark.code, "doc": msgspec.json.encode(mark).decode()} for mark in marks]
    connection.execute(statement, rows)


def delete_marks(connection: Connection, units: Collection[tuple[str, str]]) -> None:
    for table, row in units:
        connection.execute(delete(quarantine).where(quarantine.c.unit_table == table, quarantine.c.unit_id == row))
