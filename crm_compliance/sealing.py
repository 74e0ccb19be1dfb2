"""Seals what is known of the people behind a subject request, with a key for each request that can be destroyed.

What is removed from a database lives on in its files and its backups for a while; without the key it is worth nothing (ACC-08, EXP-17). The
keys lie in the data folder, never in the database.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_compliance.files import disk_errors, place_once, private_folder, sync_folder
from rules.errors import ComplianceError

LENGTH = 32
NONCE = 12


class SealBroken(ComplianceError):
    """A sealed part is not what was put in, or its key is another one."""

    exit_code = 7
    code = "seal_broken"


class Sealing:
    """The keys of requests below one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def seal(self, request: str, name: str, content: bytes) -> bytes:
        """Seal a part of a request; the key is made for the first one."""
        nonce = secrets.token_bytes(NONCE)
        key = self._key(request, make=True)
        assert key is not None  # it was made
        return nonce + AESGCM(key).encrypt(nonce, content, _bound_to(request, name))

    def unseal(self, request: str, name: str, sealed: bytes) -> bytes | None:
        """Give a part as it was put in, None where the key was destroyed.

        Raises:
            SealBroken: it was altered, or sealed with another key.
        """
        key = self._key(request, make=False)
        if key is None:
            return None
        try:
            return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], _bound_to(request, name))
        except (InvalidTag, ValueError):  # altered, or cut off
            raise _broken(f"the part {name} of the request cannot be opened", request) from None

    def destroy(self, request: str) -> None:
        """Destroy the key of a request: whatever was sealed with it is gone for good, also from backups of the database."""
        file = self._file(request)
        with disk_errors(file), suppress(FileNotFoundError):
            file.unlink()
            sync_folder(file.parent)

    def _key(self, request: str, *, make: bool) -> bytes | None:
        file = self._file(request)
        with disk_errors(file):
            with suppress(FileNotFoundError):
                return _whole(file.read_bytes(), request)
            if not make:
                return None
            private_folder(private_folder(self._data_dir / "keys") / "requests")
            place_once(file, AESGCM.generate_key(LENGTH * 8))  # what another process sealed meanwhile must stay readable
            return _whole(file.read_bytes(), request)

    def _file(self, request: str) -> Path:
        return self._data_dir / "keys" / "requests" / f"{request}.key"


def _whole(key: bytes, request: str) -> bytes:
    if len(key) != LENGTH:
        raise _broken("the key of the request is not whole", request)
    return key


def _broken(message: str, request: str) -> SealBroken:
    return SealBroken(message, hint="restore the data folder and the database from the same day", where=request)


def _bound_to(request: str, name: str) -> bytes:
    """A part cannot be passed off as another one, or as that of another request."""
    return f"{request}/{name}".encode()
