"""What colleagues are called on the pages of others. What was approved, held or released names accounts by
their ids, and so it stays; a name is kept beside for as long as somebody comes (decision 0075)."""

import secrets
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_compliance.keys.single_keys import signin_key

if TYPE_CHECKING:
    from crm_compliance.store.rows.console.colleagues import Colleagues

_NONCE: Final = 12  # bytes
_LONGEST: Final = 100  # characters of a name
_SEALED_AS: Final = 400  # bytes: the length tells nothing of the name


class Names:
    """The names of those who have signed in, sealed by `keys/signin.key`."""

    def __init__(self, store: "Colleagues", data_dir: Path) -> None:
        self._store, self._data_dir = store, data_dir

    def note(self, who: str, name: str, now: datetime) -> None:
        """Remember what somebody is called who signs in, as the authority says it."""
        printable = "".join(each for each in name if each.isprintable())[:_LONGEST]
        nonce, padded = secrets.token_bytes(_NONCE), printable.encode().ljust(_SEALED_AS, b"\0")
        self._store.put(who, nonce + self._cipher.encrypt(nonce, padded, who.encode()), now)

    def of(self, who: str) -> str:
        """Return what an account is called; the account itself where nobody has signed in by it of late, or
        the key has gone."""
        sealed = self._store.name(who)
        if sealed is None:
            return who
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], who.encode()).rstrip(b"\0").decode() or who
        except (InvalidTag, ValueError):
            return who

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(signin_key(self._data_dir))
