"""The register of erasures, as the jobs ask for it: the table, and the file beside the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from jobs.model.run import Erasure
from jobs.model.sentence import Sentence


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


class ErasureJournal(Protocol):
    """The register of erasures outside the database: it outlives a database that is lost, or restored to an
    older day (ERA-13)."""

    def append(self, entries: Sequence[Erasure], *, restoring: bool = False) -> None:
        """Add entries for good: they are on the disk when this returns. Raises StoreAltered: the journal has
        lost what it had, unless these are `restoring` it, from the database."""

    def read(self) -> Iterator[Erasure]:
        """Return every entry that is whole, oldest first. An entry may occur twice."""

    def last(self) -> Erasure | None:
        """Return the last entry that is whole."""

    def damage(self) -> list[Sentence]:
        """Return what is wrong with the journal, in sentences; a last line torn by a power cut is none."""


class NoErasureJournal:
    """Keeps nothing: the database is the only register."""

    def append(self, entries: Sequence[Erasure], *, restoring: bool = False) -> None: ...

    def read(self) -> Iterator[Erasure]:
        return iter(())

    def last(self) -> Erasure | None:
        return None

    def damage(self) -> list[Sentence]:
        return []


NO_ERASURE_JOURNAL = NoErasureJournal()
