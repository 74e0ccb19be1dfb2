"""Checkpoints of the ledger in the database."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, func, insert, select

from crm_compliance.store.sql.database import LEDGER_LOCK
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import checkpoints
from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
from jobs.ledger.entries import FIRST


def add_checkpoint(connection: Connection, kept: KeptCheckpoint) -> bool:
    """Add a checkpoint behind the last one; False, and nothing is added, where it does not follow from that
    one.

    Two programs may sign at the same moment. Both theirs behind the same one would be a chain that never
    verifies again.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))
    last = read_last(connection)
    if kept.checkpoint.prev != (last.checkpoint.digest if last is not None else FIRST):
        return False
    connection.execute(insert(checkpoints), {"entries": kept.checkpoint.entries, "doc": msgspec.json.encode(kept).decode()})
    return True


def read_last(connection: Connection) -> KeptCheckpoint | None:
    doc = connection.execute(select(checkpoints.c.doc).order_by(checkpoints.c.entries.desc()).limit(1)).scalar()
    return None if doc is None else decoded(doc, KeptCheckpoint, "the last checkpoint")


def read_checkpoints(connection: Connection) -> list[Checkpoint]:
    """All checkpoints, oldest first."""
    rows = connection.execute(select(checkpoints.c.entries, checkpoints.c.doc).order_by(checkpoints.c.entries))
    return [decoded(doc, KeptCheckpoint, f"the checkpoint over {entries} entries").checkpoint for entries, doc in rows]
