"""The kill switch in the database: a row while it is set."""

from datetime import datetime

import msgspec
from sqlalchemy import delete, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import switches
from jobs.ports.store.ledger import Entry

STOPPED = "stopped"
SET = select(switches.c.doc).where(switches.c.name == STOPPED)


class Stopped(msgspec.Struct, frozen=True):
    """Since when nothing is applied."""

    since: datetime


class KillSwitch(Rows):
    """What `jobs.ports.store.leases.KillSwitch` asks."""

    def stopped_since(self) -> datetime | None:
        found = self._transactions.one(SET, Stopped, "the kill switch")
        return None if found is None else found.since

    def stop(self, since: datetime, entry: Entry) -> datetime:
        """Set the kill switch, and return since when it is set: somebody else may set it at the same
        moment."""
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            doc = msgspec.json.encode(Stopped(since)).decode()
            statement = insert_into(connection, switches)
            # Asked back, not counted: of an insert that may do nothing PostgreSQL's driver tells no number.
            done = statement.values(name=STOPPED, doc=doc).on_conflict_do_nothing(index_elements=["name"]).returning(switches.c.name)
            if connection.execute(done).first() is not None:
                told.append(entry)
            there = connection.execute(SET).scalar()
        return since if there is None else decoded(there, Stopped, "the kill switch").since

    def resume(self, entry: Entry) -> bool:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            if connection.execute(delete(switches).where(switches.c.name == STOPPED)).rowcount == 1:
                told.append(entry)
        return bool(told)
