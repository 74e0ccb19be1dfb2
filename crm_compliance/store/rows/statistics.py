"""What was counted and waits for its month to be over, without an identifier of anybody (ERA-16).

Nothing else in the store says what it comes to, so the signed head of the ledger has a seal of all of it: one
that nobody makes without the key, and from which nobody without it guesses what was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec
from sqlalchemy import Connection, delete, select

from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.seals import Seals, is_sealed, seal
from crm_compliance.store.sql.tables import waiting_statistics as table

PURPOSE = "waiting statistics"


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


def seal_of(connection: Connection, sealing: Callable[[], Seals]) -> str:
    """The seal of all that waits; empty where nothing does."""
    message = _message(connection)
    return seal(sealing(), PURPOSE, message) if message else ""


def is_as_sealed(connection: Connection, found: str, sealing: Callable[[], Seals]) -> bool:
    """Whether what waits is what this seal was made of."""
    message = _message(connection)
    return is_sealed(sealing(), PURPOSE, message, found) if message else not found


def _message(connection: Connection) -> bytes:
    """What is sealed: every row, in one order whatever the database's collation is; nothing where there is
    none."""
    rows = sorted(tuple(row) for row in connection.execute(select(table.c.crm, table.c.month, table.c.facts, table.c.units)))
    return msgspec.json.encode(rows) if rows else b""
