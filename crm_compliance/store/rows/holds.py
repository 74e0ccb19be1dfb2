"""Holds in the database: placed once, restated where they name a request, released once."""

import msgspec
from sqlalchemy import Connection, select, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_new
from crm_compliance.store.sql.tables import holds
from jobs.ports.store import Entry
from rules.errors import NotFound, Refused
from rules.holds.placements import PlacedHold


class Holds(Rows):
    """What `jobs.ports.store.HoldStore` asks."""

    def all(self, *, unreleased: bool = False) -> list[PlacedHold]:
        query = select(holds.c.doc).order_by(holds.c.position)
        return self._transactions.all(query.where(holds.c.released.is_(False)) if unreleased else query, PlacedHold, "a hold")

    def get(self, hold: str) -> PlacedHold:
        with self._transactions.reading() as connection:
            return _read(connection, hold)

    def place(self, hold: PlacedHold, entry: Entry) -> None:
        with self._transactions.writing([entry]) as connection:
            insert_new(connection, holds, {"id": hold.id, "released": False, "doc": _doc(hold)})

    def release(self, hold: PlacedHold, entry: Entry) -> None:
        with self._transactions.writing([entry]) as connection:
            still_held = (holds.c.id == hold.id) & holds.c.released.is_(False)
            if connection.execute(update(holds).where(still_held).values(released=True, doc=_doc(hold))).rowcount != 1:
                raise Refused("the hold was released already", where=hold.id, code="released")

    def restate(self, before: PlacedHold, hold: PlacedHold, entry: Entry) -> None:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            if _read(connection, hold.id) == before:
                connection.execute(update(holds).where(holds.c.id == hold.id).values(doc=_doc(hold)))
                told.append(entry)


def _read(connection: Connection, hold: str) -> PlacedHold:
    doc = connection.execute(select(holds.c.doc).where(holds.c.id == hold)).scalar()
    if doc is None:
        raise NotFound(f"there is no hold {hold[:64]}", hint="crm-compliance holds list")
    return decoded(doc, PlacedHold, hold)


def _doc(hold: PlacedHold) -> str:
    return msgspec.json.encode(hold).decode()
