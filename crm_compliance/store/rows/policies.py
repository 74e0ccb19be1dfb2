"""The versions of the retention schedule that have decided, word for word, to show which one was in force
(ACC-01)."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import policies
from jobs.ports.store.ledger import Entry
from jobs.ports.store.policies import PolicyVersion
from rules.dates.instants import instant

# Built once: every command asks which schedules have decided.
_ALL = select(policies.c.digest, policies.c.version, policies.c.first_used_at, policies.c.text).order_by(policies.c.position)


class Policies(Rows):
    """What `jobs.ports.store.policies.PolicyStore` asks."""

    def remember(self, digest: str, version: str, text: str) -> None:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            row = {"digest": digest, "version": version, "first_used_at": instant(self._transactions.clock(), "seconds"), "text": text}
            statement = insert_into(connection, policies).values(row).on_conflict_do_nothing(index_elements=["digest"])
            if connection.execute(statement.returning(policies.c.position)).first() is not None:
                told.append(("policy", {"digest": digest, "version": version}))

    def all(self) -> list[PolicyVersion]:
        with self._transactions.reading() as connection:
            return [PolicyVersion(*row) for row in connection.execute(_ALL)]


def drop(connection: Connection, digests: Collection[str]) -> list[str]:
    """Remove versions that have expired; gives the digests of those that were there, oldest first."""
    query = select(policies.c.digest).where(policies.c.digest.in_(digests)).order_by(policies.c.position)
    there = list(connection.execute(query).scalars())
    connection.execute(delete(policies).where(policies.c.digest.in_(there)))
    return there
