"""The keys of this installation, in the data folder.

The register key turns a table and an id into a reference that names nobody to who has not got the key (9.2, `unit_ref`); the memory key
encrypts what is kept of the CRM between two reads.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from crm_compliance.files import disk_errors, open_to_others, private_folder, sync_folder
from rules.errors import UsageError

LENGTH = 32


class KeyUnusable(UsageError):
    """A key file is damaged, or others may read it."""

    code = "key"


class RegisterKey:
    """The key behind the references of ledger and certificates. It is kept outside the CRM: with both, a reference is an id again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "RegisterKey(...)"

    @classmethod
    def open(cls, data_dir: Path) -> RegisterKey:
        """Read `keys/register.key` below the data folder; make it where there is none.

        A damaged key is refused and never replaced: with another key, all references given so far would lead nowhere (ACC-02).
        """
        return cls(_key(data_dir, "register.key", "restore it from a backup"))

    def reference(self, table: str, id: str) -> str:
        """HMAC-SHA-256, in lower-case hex, of table and id; the same row has the same reference however its id is spelled."""
        row = f"{table}/{id.strip('{}').lower()}"
        return hmac.new(self._key, row.encode(), hashlib.sha256).hexdigest()


def memory_key(data_dir: Path) -> bytes:
    """The key `keys/memory.key` that encrypts what is remembered of the CRM between two reads; made where there is none."""
    return _key(data_dir, "memory.key", "delete it: what was remembered is then read anew")


def _key(data_dir: Path, name: str, remedy: str) -> bytes:
    folder = private_folder(private_folder(data_dir) / "keys")
    file = folder / name
    with disk_errors(file):
        if not file.exists():
            _make(file)
        if open_to_others(folder) or open_to_others(file):
            raise KeyUnusable(
                f"others may read {file}",
                hint=f"chmod 700 {folder}; chmod 600 {file}; think about who may have read it",
                where=str(file),
            )
        key = file.read_bytes() if file.is_file() else b""
    if len(key) != LENGTH:
        raise KeyUnusable(f"{file} is not a key of {LENGTH} bytes", hint=remedy, where=str(file))
    return key


def _make(file: Path) -> None:
    """Make a key, whole and once: of two programs that start together the second finds the first one's key, and takes that."""
    handle, name = tempfile.mkstemp(prefix=".key.", dir=file.parent)  # mode 0600
    try:
        with open(handle, "wb") as part:
            part.write(secrets.token_bytes(LENGTH))
            part.flush()
            os.fsync(part.fileno())
        with suppress(FileExistsError):
            os.link(name, file)  # a rename would replace the other's key
    finally:
        os.unlink(name)
    sync_folder(file.parent)
