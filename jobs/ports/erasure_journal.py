"""The register of erasures outside the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.model.run import Erasure


class ErasureJournal(Protocol):
    """The register of erasures outside the database: it outlives a database that is lost, or restored to an
    older day (ERA-13)."""

    def append(self, entries: Sequence[Erasure]) -> None:
        """Add entries for good: they are on the disk when this returns."""

    def read(self) -> Iterator[Erasure]:
        """Every entry that is whole, oldest first. An entry may be there twice."""

    def last(self) -> Erasure | None:
        """The last entry that is whole."""

    def damage(self) -> list[str]:
        """What is wrong with the journal, in sentences; a last line that a power cut has torn is not."""


class NoErasureJournal:
    """Keeps nothing: the database is the only register."""

    def append(self, entries: Sequence[Erasure]) -> None: ...

    def read(self) -> Iterator[Erasure]:
        return iter(())

    def last(self) -> Erasure | None:
        return None

    def damage(self) -> list[str]:
        return []


NO_ERASURE_JOURNAL = NoErasureJournal()
