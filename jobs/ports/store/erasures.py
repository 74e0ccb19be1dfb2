"""The register of erasures, as the jobs ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.model.run import Erasure


class ErasureStore(Protocol):
    """The register of erasures (ERA-13)."""

    def all(self) -> Iterator[Erasure]:
        """Return the register of erasures, oldest first."""

    def has(self, entry: Erasure) -> bool:
        """Return whether this entry is in the register of erasures."""

    def add(self, entries: Iterable[Erasure]) -> int:
        """Add what is lacking in the register of erasures, and say how many entries that were."""

    def head(self) -> dict[str, object]:
        """Return how many entries the register of erasures has, and the digest over all (`rows`, `digest`).
        This is what the signed head says."""

    def check(self, *, whole: bool = False) -> None:
        """Raise StoreAltered where the register of erasures, table or file, has not all that it had when the
        ledger's head was signed; with `whole` each row is looked at, and not only how many there are."""
