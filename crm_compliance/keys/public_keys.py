"""Public signing keys: how they are identified, written and read, and whether a signature was made with one
of them. A key's id ends with the beginning of the SHA-256 of the key itself, so that no file can give another
key its name."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rules.errors import UsageError
from rules.hints import hint_to

FINGERPRINT = 16  # hexadecimal digits of an id that come from the key
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a signing key; people see `id` and `made_at` (RFC 3339), `raw` is its 32 bytes."""

    id: str
    made_at: str
    raw: bytes

    @property
    def pem(self) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class PublicKeys:
    """Keys by which signatures are checked."""

    def __init__(self, raw: Iterable[bytes]) -> None:
        self._by_fingerprint = {fingerprint(key): key for key in raw}

    def __len__(self) -> int:
        return len(self._by_fingerprint)

    def check(self, key: str, message: bytes, signature: str) -> bool | None:
        """Return whether the signature, in base64, is that of the key with this id; None if the key is not
        among these."""
        found = self._by_fingerprint.get(key[-FINGERPRINT:])
        if found is None:
            return None
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(found).verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def fingerprint(raw: bytes) -> str:
    """Return the fingerprint with which a key's id ends."""
    return hashlib.sha256(raw).hexdigest()[:FINGERPRINT]


def write_pem(keys: Iterable[PublicKey]) -> bytes:
    """Return all keys, one PEM block each below a line with its id: what `keys show --output` writes."""
    return b"".join(f"key {key.id}, made {key.made_at}\n".encode() + key.pem for key in keys)


def read_pem(content: bytes, where: str) -> PublicKeys:
    """Return the Ed25519 keys of a file of PEM blocks; text between the blocks is ignored. Raises UsageError:
    the file contains no such key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    raw: list[bytes] = []
    for block in _BLOCK.findall(content):
        try:
            key = load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, Ed25519PublicKey):
            raw.append(key.public_bytes_raw())
    if not raw:
        raise UsageError("there is no Ed25519 public key in the file", hint=hint_to("export_keys"), where=where)
    return PublicKeys(raw)
