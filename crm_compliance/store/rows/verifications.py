"""The last verification of the ledger. No ledger entry is made of it, since a ledger that is broken takes
none; a seal shows that it is ours."""

import msgspec
from sqlalchemy import select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import upsert_into
from crm_compliance.store.sql.seals import is_sealed, seal
from crm_compliance.store.sql.tables import verification
from jobs.model.last_verification import Verification
from rules.decoders import decoder_of
from rules.errors import ComplianceError

ONLY = 1  # the table has one row
PURPOSE = "verification"


class Verifications(Rows):
    """What `jobs.ports.store.verifications.VerificationStore` asks."""

    def last(self) -> Verification | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(verification.c.doc, verification.c.seal)).first()
        if row is None:
            return None
        try:
            seals = self._transactions.heads.seals()
            is_ours = seals is None or is_sealed(seals, PURPOSE, row.doc.encode(), row.seal)
            return decoder_of(Verification).decode(row.doc) if is_ours else None
        except (ComplianceError, msgspec.MsgspecError, UnicodeError):  # the keys are out of reach, or somebody has written there
            return None

    def note(self, found: Verification) -> None:
        doc, seals = msgspec.json.encode(found).decode(), self._transactions.heads.seals()
        row = {"only": ONLY, "doc": doc, "seal": seal(seals, PURPOSE, doc.encode()) if seals is not None else None}
        with self._transactions.database.writing() as connection:
            connection.execute(upsert_into(connection, verification), row)
