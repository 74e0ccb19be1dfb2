"""Storage outside the CRM where the content of recordings is kept."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from connectors.interface.errors import Finding


@dataclass(frozen=True, slots=True)
class Stored:
    """One object that a storage lists: its canonical address, and those of the objects of which its name says
    that it was made of them (a transcript, an index, a thumbnail)."""

    address: str
    made_of: tuple[str, ...] = ()


class ObjectStore(Protocol):
    """One place outside the CRM where the content of recordings is stored. Addresses can hold names: they are
    written to no log and no message. Methods may be called from several threads at once. They raise
    ObjectError; "missing" is an answer, "cannot be determined" is an error."""

    @property
    def described(self) -> str:
        """What kind of place it is, for people, without an address."""

    def canonical(self, address: str) -> str | None:
        """Return the one spelling of an address in this storage; None where it is elsewhere or is not the
        address of one object."""

    def remove(self, address: str, kept: Collection[str] = ()) -> None:
        """Remove an object, if there, with its versions and snapshots and what was made of it, except what is
        among the addresses `kept`: it is somebody's own object."""

    def is_there(self, address: str, kept: Collection[str] = ()) -> bool:
        """Return whether anything of the object exists: itself, a version, a snapshot, a derivative that is
        not `kept`."""

    def fetch(self, address: str) -> bytes | None:
        """Return the object itself, whole; None where it is missing."""

    def listing(self) -> Iterator[Stored]:
        """Yield everything in this storage, each object once, what was made of others included."""

    def findings(self) -> list[Finding]:
        """Return what somebody has to know about the storage: an error prevents its use, a warning names what
        outlives a removal in it."""
