"""Keyed seals on rows: who can write the database without the keys makes no row that is believed."""

import hmac
from typing import Protocol

ERASURES = "erasures"  # what an entry of the register of erasures is sealed for, in the database and beside it


class Seals(Protocol):
    """The register keys of the key folder, for what is sealed and not named."""

    @property
    def register_key(self) -> str:
        """The id of the key in use."""

    def digest(self, key: str, purpose: str, message: bytes) -> bytes | None:
        """Return the keyed digest of a message for one purpose; None if there is no such key."""


def seal(seals: Seals, purpose: str, message: bytes) -> str:
    """Return the seal of a message with the key in use: the key's id, a colon, the digest in hex."""
    key = seals.register_key
    digest = seals.digest(key, purpose, message)
    assert digest is not None  # the key in use is there
    return f"{key}:{digest.hex()}"


def is_sealed(seals: Seals, purpose: str, message: bytes, found: str | None) -> bool:
    """Return whether this is the seal of the message, by any key that still exists."""
    key, _, digest = (found or "").rpartition(":")
    expected = seals.digest(key, purpose, message)
    return expected is not None and hmac.compare_digest(expected.hex().encode(), digest.encode())
