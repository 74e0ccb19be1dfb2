"""The ledger with its checkpoints, the certificates of disposal, and when it was verified last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.ledger.certificates import Issued
    from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
    from jobs.ledger.entries import LedgerEntry
    from jobs.ledger.heads import Head
    from jobs.model.last_verification import Verification


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


class CheckpointStore(Protocol):
    """The checkpoints of the ledger."""

    def last(self) -> KeptCheckpoint | None: ...

    def all(self) -> list[Checkpoint]:
        """Return all checkpoints of the ledger, oldest first."""

    def add(self, kept: KeptCheckpoint) -> bool:
        """Keep a checkpoint behind the last one; False, and not kept, if another has come between."""


class CertificateStore(Protocol):
    """The certificates of disposal, each behind the last one."""

    def of_run(self, run: str) -> list[Issued]:
        """Return the certificates of a run in the order in which they were issued."""

    def last(self) -> Issued | None:
        """Return the certificate that was issued last, of any run."""

    def issue(self, run: str, issued: Sequence[Issued], entry: Entry) -> None:
        """Add certificates behind the last one. Raises LedgerBroken where they do not follow from it."""


class VerificationStore(Protocol):
    """How the ledger was verified last, whoever had it done."""

    def last(self) -> Verification | None:
        """Return it; None where it never was, or what stands there was not written with a key of ours."""

    def note(self, found: Verification) -> None:
        """Put it in the place of the one before."""
