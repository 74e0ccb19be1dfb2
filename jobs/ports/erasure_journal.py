"""The register of erasures outside the database."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from jobs.model.run import Erasure
from jobs.model.sentence import Sentence


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
