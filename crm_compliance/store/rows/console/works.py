"""What people have had begun, by subject: rows that go once their end was told, and that no ledger speaks
of."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import upsert_into
from crm_compliance.store.sql.tables import works


class Failure(NamedTuple):
    """Why an act was not done, as an error says it: ids, codes and counts."""

    message: str
    code: str
    hint: str
    where: str
    exit_code: int
    field: str = ""


class StoredWork(msgspec.Struct, frozen=True, kw_only=True):
    """One act, with who began it and when. As long as it is not over, the process that began it knows
    more."""

    act: str
    who: str
    started_at: datetime
    is_over: bool
    kind: str = ""
    note: str = ""
    made: str = ""
    failure: Failure | None = None


_OF_SUBJECT = select(works.c.doc).where(works.c.subject == bindparam("of"))  # built once: an open page asks again and again


class Works(Rows):
    """The acts, one for each subject: a request, a plan, the data map."""

    def get(self, subject: str) -> StoredWork | None:
        return self._transactions.one(_OF_SUBJECT, StoredWork, "an act", of=subject)

    def put(self, subject: str, work: StoredWork) -> None:
        """Add or replace it."""
        row = {"subject": subject, "began_at": work.started_at.timestamp(), "doc": msgspec.json.encode(work).decode()}
        with self._transactions.database.writing() as connection:
            connection.execute(upsert_into(connection, works), row)

    def drop(self, subject: str) -> None:
        with self._transactions.database.writing() as connection:
            connection.execute(delete(works).where(works.c.subject == subject))

    def expire(self, before: datetime) -> None:
        """Remove those that began before an instant."""
        with self._transactions.database.writing() as connection:
            connection.execute(delete(works).where(works.c.began_at < before.timestamp()))
