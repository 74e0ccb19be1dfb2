"""The last verification of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.model.last_verification import Verification


class VerificationStore(Protocol):
    """How the ledger was verified last, whoever had it done."""

    def last(self) -> Verification | None:
        """Return it; None where it never was, or what stands there was not written with a key of ours."""

    def note(self, found: Verification) -> None:
        """Put it in the place of the one before."""
