"""The kill switch in the database: a row while it is set."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import switches

STOPPED = "stopped"


class Stopped(msgspec.Struct, frozen=True):
    """Since when nothing is applied."""

    since: datetime


def read_stopped(connection: Connection) -> datetime | None:
    doc = connection.execute(select(switches.c.doc).where(switches.c.name == STOPPED)).scalar()
    return None if doc is None else decoded(doc, Stopped, "the kill switch").since


def set_stopped(connection: Connection, since: datetime) -> bool:
    """Set the switch; False where it was set already, also by somebody else at the same moment."""
    doc = msgspec.json.encode(Stopped(since)).decode()
    statement = insert_into(connection, switches)
    # Asked back, not counted: of an insert that may do nothing PostgreSQL's driver tells no number.
    done = statement.values(name=STOPPED, doc=doc).on_conflict_do_nothing(index_elements=["name"]).returning(switches.c.name)
    return connection.execute(done).first() is not None


def clear_stopped(connection: Connection) -> bool:
    """Lift the switch; False where it was not set."""
    return connection.execute(delete(switches).where(switches.c.name == STOPPED)).rowcount == 1
