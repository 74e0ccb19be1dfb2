"""Holds in the database: placed once, restated where they name a request, released once."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, insert, select, update

from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import holds
from rules.errors import Refused, UsageError
from rules.holds.placements import PlacedHold


def insert_hold(connection: Connection, hold: PlacedHold) -> None:
    connection.execute(insert(holds), {"id": hold.id, "released": False, "doc": _doc(hold)})


def read_hold(connection: Connection, hold: str) -> PlacedHold:
    """Raises UsageError for an unknown id."""
    doc = connection.execute(select(holds.c.doc).where(holds.c.id == hold)).scalar()
    if doc is None:
        raise UsageError(f"there is no hold {hold[:64]}", hint="crm-compliance holds list")
    return decoded(doc, PlacedHold, hold)


def read_holds(connection: Connection, *, unreleased: bool) -> list[PlacedHold]:
    """All holds, or those that nobody has released, in the order in which they were placed."""
    query = select(holds.c.doc).order_by(holds.c.position)
    docs = connection.execute(query.where(holds.c.released.is_(False)) if unreleased else query).scalars()
    return [decoded(doc, PlacedHold, "a hold") for doc in docs]


def mark_released(connection: Connection, hold: PlacedHold) -> None:
    """Replace a hold by its released self.

    Raises:
        Refused: with code `released`, where somebody has released it before.
    """
    still_held = (holds.c.id == hold.id) & holds.c.released.is_(False)
    if connection.execute(update(holds).where(still_held).values(released=True, doc=_doc(hold))).rowcount != 1:
        raise Refused("the hold was released already", where=hold.id, code="released")


def replace_hold(connection: Connection, before: PlacedHold, hold: PlacedHold) -> bool:
    """Whether a hold, as it was read before, was replaced by the same in other words."""
    if read_hold(connection, hold.id) != before:
        return False
    connection.execute(update(holds).where(holds.c.id == hold.id).values(doc=_doc(hold)))
    return True


def _doc(hold: PlacedHold) -> str:
    return msgspec.json.encode(hold).decode()
