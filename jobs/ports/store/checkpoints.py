"""Checkpoints, as the jobs ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint


class CheckpointStore(Protocol):
    """The checkpoints of the ledger."""

    def last(self) -> KeptCheckpoint | None: ...

    def all(self) -> list[Checkpoint]:
        """Return all checkpoints of the ledger, oldest first."""

    def add(self, kept: KeptCheckpoint) -> bool:
        """Keep a checkpoint behind the last one; False, and not kept, if another has come between."""
