"""Seals what is known of the people behind a subject request, with a key for each request that can be
destroyed.

What is removed from a database survives in its files and its backups for a while; without the key it is
worthless (ACC-08, EXP-17). The keys are in the data folder, never in the database. Parts are padded to a few
sizes before they are sealed: the length of a row does not show whether anything was found (SUS-07)."""

import io
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from crm_compliance.host.files import disk_errors, place_once, private_folder, remove_other_names, sync_folder
from rules.errors import ComplianceError

LENGTH = 32
NONCE = 12
# All parts about a person of whom nothing may be disclosed fit into the smallest size, with hundreds of
# candidates and with none.
MEBIBYTE = 1024 * 1024
SIZES = (MEBIBYTE // 16, MEBIBYTE // 4)
_COUNT = 8  # bytes in front of a part that say how long it is


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
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256
        from cryptography.hazmat.primitives.ciphers.modes import GCM

        nonce = secrets.token_bytes(NONCE)
        key = self._key(request, make=True)
        assert key is not None  # it was made
        encryptor = Cipher(AES256(key), GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(_bound_to(request, name))
        sealed = io.BytesIO()
        sealed.write(nonce)
        for piece in _padded(content):
            sealed.write(encryptor.update(piece))
        sealed.write(encryptor.finalize() + encryptor.tag)
        return sealed.getvalue()

    def unseal(self, request: str, name: str, sealed: bytes) -> bytes | None:
        """Return a part as it was put in, or None if the key was destroyed. Raises SealBroken: it was
        altered, or sealed with another key."""
        from crm_compliance.keys.sealing import unseal

        key = self._key(request, make=False)
        if key is None:
            return None
        if (padded := unseal(key, sealed, _bound_to(request, name))) is not None:
            return _unpadded(padded)
        if (content := unseal(key, sealed, _bound_before(request, name))) is None:
            raise _broken(f"the part {name} of the request cannot be opened", request)
        return content

    def destroy(self, request: str) -> None:
        """Destroy the key of a request. What it sealed is lost for good, also in backups of the database."""
        file = self._file(request)
        with disk_errors(file):
            remove_other_names(file)
            with suppress(FileNotFoundError):
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
            place_once(file, secrets.token_bytes(LENGTH))  # what another process sealed meanwhile must stay readable
            return _whole(file.read_bytes(), request)

    def _file(self, request: str) -> Path:
        return self._data_dir / "keys" / "requests" / f"{request}.key"


def _whole(key: bytes, request: str) -> bytes:
    if len(key) != LENGTH:
        raise _broken("the key of the request is not whole", request)
    return key


def _broken(message: str, request: str) -> SealBroken:
    return SealBroken(message, hint="restore the data folder and the database from the same day", where=request)


def _padded(content: bytes) -> Iterator[bytes | memoryview]:
    """Yield a part with its length before it and zero bytes behind it, up to the next size, in pieces: a
    package may be hundreds of megabytes. The sizes are 64 KiB, 256 KiB, and from there whole mebibytes."""
    length = _COUNT + len(content)
    size = next((each for each in SIZES if length <= each), -(-length // MEBIBYTE) * MEBIBYTE)
    yield len(content).to_bytes(_COUNT)
    for start in range(0, len(content), MEBIBYTE):
        yield memoryview(content)[start : start + MEBIBYTE]
    yield bytes(size - length)


def _unpadded(padded: bytes) -> bytes:
    return padded[_COUNT : _COUNT + int.from_bytes(padded[:_COUNT])]


def _bound_to(request: str, name: str) -> bytes:
    """Return what a part is bound to. It cannot pass as another part, as one of another request, or as one
    not padded."""
    return f"{request}/{name}/padded".encode()


def _bound_before(request: str, name: str) -> bytes:
    """Return what parts were bound to before they were padded, to be readable until they expire."""
    return f"{request}/{name}".encode()
