"""What colleagues are called on the pages of others. What was approved, held or released names accounts by
their ids, and so it stays; a name is kept beside for as long as somebody comes (decision 0075)."""

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crm_compliance.keys.sealing import seal, unseal
from crm_compliance.keys.single_keys import signin_key

if TYPE_CHECKING:
    from crm_compliance.store.rows.console.colleagues import Colleagues

_LONGEST: Final = 100  # characters of a name
_SEALED_AS: Final = 400  # bytes: the length tells nothing of the name


class Names:
    """The names of those who have signed in, sealed by `keys/signin.key`."""

    def __init__(self, store: "Colleagues", data_dir: Path) -> None:
        self._store, self._data_dir = store, data_dir

    def note(self, who: str, name: str, now: datetime) -> None:
        """Remember what somebody is called who signs in, as the authority says it."""
        printable = "".join(each for each in name if each.isprintable())[:_LONGEST]
        padded = printable.encode().ljust(_SEALED_AS, b"\0")
        self._store.put(who, seal(self._key, padded, who.encode()), now)

    def of(self, who: str) -> str:
        """Return what an account is called; the account itself where nobody has signed in by it of late, or
        the key has gone."""
        sealed = self._store.name(who)
        padded = unseal(self._key, sealed, who.encode()) if sealed is not None else None
        return (padded or b"").rstrip(b"\0").decode() or who

    @cached_property
    def _key(self) -> bytes:
        return signin_key(self._data_dir)
