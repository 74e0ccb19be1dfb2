"""Checkpoints of the ledger in the database."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from crm_compliance.store.documents import decoded
from crm_compliance.store.tables import checkpoints
from jobs.checkpoints import Checkpoint, KeptCheckpoint


def add_checkpoint(connection: Connection, kept: KeptCheckpoint) -> None:
    """Add a checkpoint; where one over as many entries is there already, that one stays."""
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(checkpoints)
    row = {"entries": kept.checkpoint.entries, "doc": msgspec.json.encode(kept).decode()}
    connection.execute(statement.on_conflict_do_nothing(index_elements=["entries"]), [row])


def read_last(connection: Connection) -> KeptCheckpoint | None:
    doc = connection.execute(select(checkpoints.c.doc).order_by(checkpoints.c.entries.desc()).limit(1)).scalar()
    return None if doc is None else decoded(doc, KeptCheckpoint, "the last checkpoint")


def read_checkpoints(connection: Connection) -> list[Checkpoint]:
    """All checkpoints, oldest first."""
    rows = connection.execute(select(checkpoints.c.entries, checkpoints.c.doc).order_by(checkpoints.c.entries))
    return [decoded(doc, KeptCheckpoint, f"the checkpoint over {entries} entries").checkpoint for entries, doc in rows]
