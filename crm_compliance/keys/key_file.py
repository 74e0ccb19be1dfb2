"""A key as a file: made, read, and written over. One that others may read is refused."""

import base64
import os
import re
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crm_compliance.host.files import disk_errors, open_to_others, place_once, remove_other_names, sync_folder
from crm_compliance.keys.public_keys import fingerprint
from rules.decoders import decoder_of
from rules.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LENGTH = 32
GONE = ".gone"  # suffix of a key whose secret is being written over
_NAME = re.compile(r"[rs]-\d{4}-\d\d-[0-9a-f]{8,16}\.(key|pub)")  # .pub: the public half of a signing key that was replaced


class KeyUnusable(UsageError):
    """A key file is damaged, or others may read it."""

    code = "key"


class KeyKind(StrEnum):
    """What a key is for; the first letter starts its id."""

    REGISTER = "register"
    SIGNING = "signing"


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key file. `number` counts from 1: the highest is in use. `secret` is empty for a replaced signing
    key; both halves in base64. `voucher` is the signature of the signing key before it over the public half:
    a database that is put back does not have it any more, and nobody could make it a second time."""

    id: str
    kind: KeyKind
    number: int
    made_at: datetime
    secret: str
    public: str = ""
    voucher: str = ""

    def __repr__(self) -> str:
        return f"Key({self.id})"


def is_key_id(text: str) -> bool:
    """Return whether this could be the id of a key."""
    return _NAME.fullmatch(f"{text}.key") is not None


def read_keys(folder: Path) -> list[Key]:
    with disk_errors(folder):
        files = sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
    whole = {file.stem for file in files if file.suffix == ".key"}
    return [_parsed(file) for file in files if file.suffix == ".key" or file.stem not in whole]


def _parsed(file: Path) -> Key:
    try:
        key = decoder_of(Key).decode(content_of(file))
        lengths = {len(base64.b64decode(half, validate=True)) for half in (key.secret, key.public) if half}
        if key.id == file.stem and lengths == {LENGTH} and _is_whole(key):
            return key
    except (msgspec.MsgspecError, ValueError):
        pass
    raise KeyUnusable(f"{file} is not a key as it was made", hint="restore it from a backup", where=str(file))


def _is_whole(key: Key) -> bool:
    if key.kind is KeyKind.REGISTER:
        return bool(key.secret)
    return bool(key.public) and key.id.endswith(fingerprint(base64.b64decode(key.public)))


def content_of(file: Path) -> bytes:
    with disk_errors(file):
        if open_to_others(file.parent) or open_to_others(file):
            raise KeyUnusable(
                f"others may read {file}",
                hint=f"chmod 700 {shlex.quote(str(file.parent))}; chmod 600 {shlex.quote(str(file))}; think about who may have read it",
                where=str(file),
            )
        return file.read_bytes() if file.is_file() else b""


def new_key(folder: Path, kind: KeyKind, number: int, now: datetime, before: Key | None = None) -> Key:
    """Make a key; its id shows the kind and the month in which it was made. A signing key is vouched for by
    the one `before` it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = secrets.token_bytes(LENGTH)
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw() if kind is KeyKind.SIGNING else b""
    tail = fingerprint(public) if public else secrets.token_hex(4)
    id = f"{kind.value[0]}-{now.astimezone(UTC):%Y-%m}-{tail}"
    voucher = signed(before, public) if before is not None and public else ""
    key = Key(id, kind, number, now.astimezone(UTC), base64.b64encode(secret).decode(), base64.b64encode(public).decode(), voucher)
    _write(folder, key)
    return key


def _write(folder: Path, key: Key) -> None:
    file = folder / f"{key.id}.key"
    with disk_errors(file):
        place_once(file, msgspec.json.encode(key))


def keep_public_half(folder: Path, key: Key) -> None:
    """Destroy the private half of a signing key after the public half is safe on the disk."""
    with disk_errors(folder):
        place_once(folder / f"{key.id}.pub", msgspec.json.encode(msgspec.structs.replace(key, secret="")))
        overwrite(folder / f"{key.id}.key")


def overwrite(file: Path) -> None:
    """Write over a key in its place and remove it. Copies in backups, and on a disk that moves blocks about,
    are the operator's care. It loses its name first: half a key under it, after a power cut, would be a
    damaged one, and nothing would go on."""
    gone = file.with_suffix(GONE)
    with disk_errors(file):
        file.rename(gone)
        sync_folder(file.parent)
    wipe(gone)


def wipe(file: Path) -> None:
    with disk_errors(file):
        with file.open("r+b") as old:
            old.write(secrets.token_bytes(file.stat().st_size))
            old.flush()
            os.fsync(old.fileno())
        remove_other_names(file.with_suffix(".key"))
        file.unlink()
        sync_folder(file.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a lock so that only one program at a time makes, replaces or destroys keys."""
    from filelock import FileLock

    with disk_errors(folder), FileLock(folder / ".lock", mode=0o600):
        yield


def private_key(key: Key) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.secret))


def signed(key: Key, message: bytes) -> str:
    return base64.b64encode(private_key(key).sign(message)).decode()
