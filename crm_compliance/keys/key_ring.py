"""The keys of this installation, in the data folder.

A register key turns a table and an id into a reference that names nobody to who has not got the key (9.2,
`unit_ref`). A signing key signs certificates and checkpoints. Both are replaced each year; a replaced
register key stays as long as the certificates that it protects, of a replaced signing key only the public
half."""

import base64
import hmac
import os
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from crm_compliance.host.files import disk_errors, private_folder
from crm_compliance.keys.key_file import (
    GONE,
    LENGTH,
    Key,
    KeyKind,
    keep_public_half,
    locked,
    new_key,
    overwrite,
    private_key,
    read_keys,
    signed,
    wipe,
)
from crm_compliance.keys.public_keys import PublicKey, PublicKeys
from rules.dates.ages import reached_on
from rules.dates.instants import instant
from rules.errors import Refused, UsageError
from rules.hints import hint_to

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


Tell = Callable[[Sequence[dict[str, object]]], object]  # what becomes of keys, for the ledger


def _nobody(entries: Sequence[dict[str, object]]) -> None:
    pass


class KeysMissing(UsageError):
    """Keys that the ledger or the register of erasures names are not there."""

    code = "keys_missing"

    @classmethod
    def of(cls, folder: Path, lacking: Sequence[str]) -> "KeysMissing":
        """Return an error that names the missing keys, and what to do."""
        return cls(
            f"keys are missing: {', '.join(lacking) or 'there are none, and this installation has had some'}",
            hint=(
                f"restore {folder} from its backup; no new key is made, for it would lead to nothing of what was erased and recorded "
                "(docs/stops-and-restores.md says what is left to do where there is no backup)"
            ),
            where=str(folder),
        )


def _private(name: str, flags: int) -> int:
    """Open a file that is made, where it is missing, with mode 0600."""
    return os.open(name, flags, 0o600)


class KeyRing:
    """All keys of an installation, by kind, oldest first, as they were when it was opened."""

    def __init__(self, folder: Path, keys: list[Key]) -> None:
        self.folder = folder
        self.keys = sorted(keys, key=lambda key: (key.kind, key.number))
        self._derived: dict[tuple[str, str], bytes] = {}
        self._signing: Ed25519PrivateKey | None = None  # each transaction that writes signs

    def __repr__(self) -> str:
        return "KeyRing(...)"

    @classmethod
    def open(cls, data_dir: Path, now: datetime) -> "KeyRing":
        """Read the keys below the data folder; make the first ones where there are none. Programs that start
        together make them once. A damaged key is refused and never replaced: with another key, the references
        given so far would lead nowhere (ACC-02)."""
        folder = private_folder(private_folder(data_dir) / "keys")
        ring = cls(folder, read_keys(folder))
        if ring.is_complete:
            return ring
        with locked(folder):
            ring = cls(folder, read_keys(folder))
            missing = [kind for kind in KeyKind if not ring.of(kind)]
            return cls(folder, [*ring.keys, *(new_key(folder, kind, 1, now) for kind in missing)])

    @classmethod
    def read(cls, data_dir: Path) -> "KeyRing":
        """Return the keys that exist; no key is made."""
        folder = data_dir / "keys"
        return cls(folder, read_keys(folder) if folder.is_dir() else [])

    @property
    def is_complete(self) -> bool:
        """Whether there is a key of each kind that can be used."""
        return all(self.of(kind) and self.current(kind).secret for kind in KeyKind)

    def of(self, kind: KeyKind) -> list[Key]:
        """Return the keys of a kind, oldest first."""
        return [key for key in self.keys if key.kind is kind]

    def current(self, kind: KeyKind) -> Key:
        return self.of(kind)[-1]

    # -- the register of references --------------------------------------------------------------------------

    def reference(self, table: str, id: str) -> str:
        """Return the HMAC-SHA-256, in lower-case hex, of table and id with the key in use. The same row has
        the same reference however its id is spelled."""
        return _reference(self._register[0], table, id)

    def references(self, table: str, id: str) -> tuple[str, ...]:
        """Return the references of a row, one with each key that still exists, the key in use first."""
        return tuple(_reference(keyed, table, id) for keyed in self._register)

    @cached_property
    def _register(self) -> tuple[hmac.HMAC, ...]:
        """The register keys, the one in use first, each begun once: a plan asks for thousands of
        references."""
        return tuple(hmac.new(base64.b64decode(key.secret), digestmod="sha256") for key in reversed(self.of(KeyKind.REGISTER)))

    # -- seals -----------------------------------------------------------------------------------------------

    @property
    def register_key(self) -> str:
        """The id of the register key in use."""
        return self.current(KeyKind.REGISTER).id

    def digest(self, key: str, purpose: str, message: bytes) -> bytes | None:
        """Return the HMAC-SHA-256 of a message, or None if there is no such register key. The key is derived
        from a register key for this purpose (HKDF, RFC 5869), so a seal is never a reference of a row."""
        if (derived := self._derived.get((key, purpose))) is None:
            secret = next((each.secret for each in self.of(KeyKind.REGISTER) if each.id == key), None)
            if secret is None:
                return None
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF

            derived = HKDF(SHA256(), LENGTH, None, f"crm-compliance {purpose}".encode()).derive(base64.b64decode(secret))
            self._derived[key, purpose] = derived
        return hmac.digest(derived, message, "sha256")

    # -- signing ---------------------------------------------------------------------------------------------

    @property
    def signing_key(self) -> str:
        """The id of the signing key in use."""
        return self.current(KeyKind.SIGNING).id

    def sign(self, message: bytes) -> str:
        """Return the Ed25519 signature with the key in use, in base64."""
        if self._signing is None:
            self._signing = private_key(self.current(KeyKind.SIGNING))
        return base64.b64encode(self._signing.sign(message)).decode()

    def public(self) -> list[PublicKey]:
        """Return the public halves of all signing keys that have ever existed, oldest first."""
        return [PublicKey(key.id, instant(key.made_at, "seconds"), base64.b64decode(key.public)) for key in self.of(KeyKind.SIGNING)]

    # -- from year to year -----------------------------------------------------------------------------------

    def is_due(self, now: datetime) -> bool:
        """Return whether a key in use is a year old (9.2: rotated yearly)."""
        return any(_years_after(self.current(kind).made_at, 1) <= now for kind in KeyKind)

    def rotate(self, now: datetime, *, if_due: bool = False, tell: Tell = _nobody) -> "tuple[KeyRing, list[dict[str, object]]]":
        """Make new keys and use them from now on; give the ring of then, and what happened, a key an entry.
        With `if_due` nothing happens where somebody else has just done it. The old signing key signs the new
        one: who trusts the one can trust the other. Its private half is destroyed only after `tell` has told
        the ledger so, since nobody could sign that a second time; what failed on the way is made good by
        `settle`."""
        with locked(self.folder):
            ring = KeyRing(self.folder, read_keys(self.folder))
            if if_due and not ring.is_due(now):
                return ring, []
            made = [new_key(self.folder, kind, ring.current(kind).number + 1, now, ring.current(kind)) for kind in KeyKind]
            ring = KeyRing(self.folder, [*ring.keys, *made])
            entries = [ring.becoming(key) for key in made]
            tell(entries)
            return ring._without_old_halves(), entries

    def settle(self, known: Callable[[], Collection[str]], tell: Tell, destroyed: Collection[str] = ()) -> "KeyRing":
        """Finish what was interrupted: `tell` of keys that the ledger does not know, those of which it has
        `known` the ids, and destroy what is left of replaced signing keys, and of register keys of which it
        says that they were `destroyed`. Return the ring of then."""
        ids, left_over = known(), {key.id for key in self.of(KeyKind.REGISTER)[:-1]}.intersection(destroyed)
        is_done = not (left_over or self._old_halves() or any(self.folder.glob(f"*{GONE}")))
        if is_done and all(key.id in ids for key in self.keys):
            return self
        with locked(self.folder):
            ring, ids = KeyRing(self.folder, read_keys(self.folder)), known()
            if untold := [ring.becoming(key) for key in ring.keys if key.id not in ids]:
                tell(untold)
            for id in left_over.intersection(key.id for key in ring.keys):
                overwrite(self.folder / f"{id}.key")
            for left in self.folder.glob(f"*{GONE}"):
                wipe(left)
            return ring._without_old_halves()

    def becoming(self, key: Key) -> dict[str, object]:
        """Return what the ledger keeps of a key: from which one it took over, or that it was made, where it
        is the first or its predecessor does not vouch for it."""
        before = next((each for each in self.of(key.kind) if each.number == key.number - 1), None)
        if before is None or not (before.secret or key.voucher):
            return made_entry(key)
        entry: dict[str, object] = {"kind": key.kind.value, "from": before.id, "to": key.id}
        if key.kind is KeyKind.SIGNING:
            entry |= {"public": key.public, "signature": key.voucher or signed(before, base64.b64decode(key.public))}
        return entry

    def _old_halves(self) -> list[Key]:
        return [key for key in self.of(KeyKind.SIGNING)[:-1] if key.secret]

    def _without_old_halves(self) -> "KeyRing":
        for key in self._old_halves():
            keep_public_half(self.folder, key)
        return KeyRing(self.folder, read_keys(self.folder))

    def destroyable_from(self, id: str, years: int) -> datetime:
        """Return when a register key may be destroyed: `years` after it was replaced. That is the term of the
        last certificates that it protects (9.2, ACC-07). Raises UsageError: there is no such register key;
        Refused: it is in use."""
        keys = self.of(KeyKind.REGISTER)
        at = next((at for at, key in enumerate(keys) if key.id == id), None)
        if at is None:
            is_signing = any(key.id == id for key in self.of(KeyKind.SIGNING))
            message = (
                "a signing key's private half goes when it is replaced, its public half stays" if is_signing else "there is no such key"
            )
            raise UsageError(message, hint=hint_to("show_keys"), where=id[:40])
        if at == len(keys) - 1:
            raise Refused("the key is in use", hint=hint_to("rotate_keys"), where=id)
        return _years_after(keys[at + 1].made_at, years)

    def refuse_undestroyable(self, id: str, years: int, now: datetime) -> None:
        """Raise Refused where a register key is in use, or its term is not over."""
        may_go_at = self.destroyable_from(id, years)
        if now < may_go_at:
            raise Refused(
                f"certificates are kept for {years} years: the key may go from {instant(may_go_at, 'seconds')} on",
                hint="try then",
                where=id,
            )

    def destroy(self, id: str, years: int, now: datetime) -> "KeyRing":
        """Overwrite and remove a replaced register key once its term is over. After that nobody can resolve
        its references. Raises Refused: it is in use, or its term is not over."""
        self.refuse_undestroyable(id, years, now)
        with locked(self.folder):
            if (file := self.folder / f"{id}.key").exists():  # else somebody was quicker
                overwrite(file)
            return KeyRing(self.folder, read_keys(self.folder))

    # -- what the ledger knows of ----------------------------------------------------------------------------

    def untold(self) -> list[Key]:
        """Return the keys that the ledger does not know yet: those that were made at the first start."""
        known = self.folder / "told"
        ids = set(known.read_text(encoding="ascii").split()) if known.exists() else set()
        return [key for key in self.keys if key.number == 1 and key.id not in ids]

    def mark_told(self, keys: list[Key]) -> None:
        with disk_errors(self.folder), open(self.folder / "told", "a", encoding="ascii", opener=_private) as file:
            file.writelines(f"{key.id}\n" for key in keys)


def public_keys_below(data_dir: Path) -> PublicKeys | None:
    """Return the public keys of an installation, or None if this folder holds none; no key is made."""
    folder = data_dir / "keys"
    found = read_keys(folder) if folder.is_dir() else []
    raw = [base64.b64decode(key.public) for key in found if key.kind is KeyKind.SIGNING]
    return PublicKeys(raw) if raw else None


def made_entry(key: Key) -> dict[str, object]:
    """Return what the ledger keeps of a new key; of a register key its id alone."""
    entry: dict[str, object] = {"kind": key.kind.value, "key": key.id}
    return entry | {"public": key.public} if key.public else entry


def _reference(keyed: hmac.HMAC, table: str, id: str) -> str:
    message = keyed.copy()
    message.update(f"{table}/{id.strip('{}').lower()}".encode())
    return message.hexdigest()


def _years_after(moment: datetime, years: int) -> datetime:
    """Return the same time of day `years` later; for a 29th of February, that of the 1st of March."""
    return datetime.combine(reached_on(years, moment.date()), moment.timetz())
