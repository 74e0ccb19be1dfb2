"""Checkpoints of the ledger in the database."""

import msgspec
from sqlalchemy import insert, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.database import lock_ledger
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import checkpoints
from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
from jobs.ledger.entries import FIRST

LAST = select(checkpoints.c.doc).order_by(checkpoints.c.entries.desc()).limit(1)


class Checkpoints(Rows):
    """What `jobs.ports.store.checkpoints.CheckpointStore` asks."""

    def last(self) -> KeptCheckpoint | None:
        return self._transactions.one(LAST, KeptCheckpoint, "the last checkpoint")

    def all(self) -> list[Checkpoint]:
        with self._transactions.reading() as connection:
            rows = connection.execute(select(checkpoints.c.entries, checkpoints.c.doc).order_by(checkpoints.c.entries))
            return [decoded(doc, KeptCheckpoint, f"the checkpoint over {entries} entries").checkpoint for entries, doc in rows]

    def add(self, kept: KeptCheckpoint) -> bool:
        """Add a checkpoint, unless another was added first: two programs may sign at the same moment. Both
        theirs behind the same one would be a chain that never verifies again."""
        with self._transactions.writing() as connection:
            lock_ledger(connection)
            doc = connection.execute(LAST).scalar()
            last = FIRST if doc is None else decoded(doc, KeptCheckpoint, "the last checkpoint").checkpoint.digest
            if kept.checkpoint.prev != last:
                return False
            connection.execute(insert(checkpoints), {"entries": kept.checkpoint.entries, "doc": msgspec.json.encode(kept).decode()})
        return True
