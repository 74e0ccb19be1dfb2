"""What was counted and waits for its month to be over, without an identifier of anybody (ERA-16)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, select

from crm_compliance.store.inserting import insert_into
from crm_compliance.store.tables import waiting_statistics as table


def read_waiting(connection: Connection, crm: str) -> dict[tuple[str, str], int]:
    """How many units of this CRM wait, by month and facts."""
    query = select(table.c.month, table.c.facts, table.c.units).where(table.c.crm == crm).order_by(table.c.month, table.c.facts)
    return {(month, facts): units for month, facts, units in connection.execute(query)}


def drop_waiting(connection: Connection, crm: str, months: Collection[str]) -> None:
    """Forget what waited for these months."""
    connection.execute(delete(table).where(table.c.crm == crm, table.c.month.in_(sorted(months))))


def add_waiting(connection: Connection, crm: str, counted: Mapping[tuple[str, str], int]) -> None:
    """Add units to those that wait; equal ones become a number, so that nobody can tell them apart."""
    for (month, facts), units in sorted(counted.items()):
        statement = insert_into(connection, table)
        statement = statement.on_conflict_do_update(
            index_elements=["crm", "month", "facts"], set_={"units": table.c.units + statement.excluded.units}
        )
        connection.execute(statement, {"crm": crm, "month": month, "facts": facts, "units": units})
