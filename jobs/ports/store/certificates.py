"""Certificates of disposal, as the jobs ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.ledger.certificates import Issued


class CertificateStore(Protocol):
    """The certificates of disposal, each behind the last one."""

    def of_run(self, run: str) -> list[Issued]:
        """Return the certificates of a run in the order in which they were issued."""

    def last(self) -> Issued | None:
        """Return the certificate that was issued last, of any run."""

    def issue(self, run: str, issued: Sequence[Issued], entry: Entry) -> None:
        """Add certificates behind the last one. Raises LedgerBroken where they do not follow from it."""
