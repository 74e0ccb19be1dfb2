"""Who signs for this installation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.ledger.checkpoints import Checkpoint


class Notary(Protocol):
    """Signs for this installation, and keeps checkpoints of the ledger where the database is not."""

    @property
    def key(self) -> str:
        """The id of the signing key in use."""

    @property
    def register_key(self) -> str:
        """The id of the key behind `JobContext.reference`."""

    @property
    def service(self) -> str:
        """The keyed reference of the service principal."""

    def sign(self, message: bytes) -> str:
        """Return the Ed25519 signature, in base64."""

    def stamp(self, message: bytes) -> str:
        """Return the time stamp of an outside authority over the SHA-256 of a message (RFC 3161, in base64).
        It is empty if there is no authority."""

    def refuse_behind(self, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
        """Raise StoreAltered where the last checkpoint outside the database is none of those inside: it was
        put back to an older day, whatever was added since, and what was held, asked or decided is lost."""

    def log_checkpoints(self, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
        """Bring the copy outside the database up to the checkpoints that there are. Where the copy cannot be
        written somebody is notified, and the work continues; that they cannot be read is raised."""
