"""What those are called who have signed in at the console: rows that end by themselves, and that no ledger
mentions."""

from datetime import datetime

from sqlalchemy import select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import upsert_into
from crm_compliance.store.sql.tables import colleagues


class Colleagues(Rows):
    """The names, sealed, each by the id of the account."""

    def put(self, who: str, name: bytes, at: datetime) -> None:
        """Add or replace the name of somebody who has signed in at `at`."""
        with self._transactions.database.writing() as connection:
            connection.execute(upsert_into(connection, colleagues), {"who": who, "name": name, "signed_in_at": at.timestamp()})

    def name(self, who: str) -> bytes | None:
        with self._transactions.reading() as connection:
            return connection.execute(select(colleagues.c.name).where(colleagues.c.who == who)).scalar()
