"""The forms that were sent in a session of late: rows that end by themselves, and that no ledger speaks
of."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import sent_forms


class SentForm(NamedTuple):
    """A form that was sent before. `led_to` is sealed; None as long as nobody has answered it."""

    led_to: bytes | None


class SentForms(Rows):
    """The forms, each by the SHA-256 of the session's token and a digest of what was sent."""

    def begin(self, session: str, ref: str, at: datetime, *, since: datetime) -> SentForm | None:
        """Return the form that was sent before; None where it is sent for the first time, which is then
        known. Forget those that were sent at `since` or before."""
        one = (sent_forms.c.session == session) & (sent_forms.c.ref == ref)
        with self._transactions.database.writing() as connection:
            connection.execute(delete(sent_forms).where(sent_forms.c.sent_at <= since.timestamp()))
            values = {"session": session, "ref": ref, "sent_at": at.timestamp()}
            added = insert_into(connection, sent_forms).values(values).on_conflict_do_nothing().returning(sent_forms.c.ref)
            if connection.execute(added).scalar() is not None:
                return None
            return SentForm(connection.execute(select(sent_forms.c.led_to).where(one)).scalar())

    def answer(self, session: str, ref: str, led_to: bytes) -> None:
        """Keep where the answer of a form has led."""
        one = (sent_forms.c.session == session) & (sent_forms.c.ref == ref)
        with self._transactions.database.writing() as connection:
            connection.execute(update(sent_forms).where(one).values(led_to=led_to))

    def forget(self, session: str, ref: str) -> None:
        """Forget a form: it may be sent again, and is carried out then."""
        with self._transactions.database.writing() as connection:
            connection.execute(delete(sent_forms).where((sent_forms.c.session == session) & (sent_forms.c.ref == ref)))
