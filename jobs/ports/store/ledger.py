"""The ledger, as the jobs ask for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.ledger.entries import LedgerEntry
    from jobs.ledger.heads import Head


Entry = tuple[str, Mapping[str, object]]  # kind and data of a ledger entry that is yet to get its place in the chain


class LedgerStore(Protocol):
    """The tamper-evident history (ACC-06)."""

    def entries(self, after: int | None = None) -> Iterator[LedgerEntry]:
        """Return all entries after `after`, oldest first."""

    def between(self, kinds: Collection[str], begin: datetime, end: datetime) -> list[LedgerEntry]:
        """Return the entries of these kinds from one instant on and before another, oldest first."""

    def append(self, entries: Sequence[Entry], run: str | None = None) -> None:
        """Add entries to the ledger alone."""

    def strand(self, name: str) -> Sequence[LedgerEntry]:
        """Return the entries of one strand (`jobs.ledger.heads`), oldest first. Raises StoreAltered: they are
        not what was signed."""

    def one_state(self) -> AbstractContextManager[None]:
        """Let all that this thread reads of the store within the block be of one moment, also if others write
        meanwhile; nothing is written within. Raises StoreAltered: as `head`."""

    def head(self) -> Head | None:
        """Return the signed head of the ledger, None before its first entry. Raises StoreAltered if it may
        not be believed."""
