"""A notary for tests: one signing key of its own, and a checkpoint log in a list."""

import base64
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jobs.ledger.checkpoints import Checkpoint


class PlainNotary:
    """Signs with a fixed key; `anchored` is what is outside the database."""

    key = "s-2026-11-0123456789abcdef"
    register_key = "r-2026-11-01234567"
    service = "5" * 64

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.anchored: list[Checkpoint] = []
        self.token = ""

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self._private.sign(message)).decode()

    def stamp(self, message: bytes) -> str:
        return self.token

    def refuse_behind(self, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
        pass

    def log_checkpoints(self, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
        self.anchored = list(checkpoints())

    def check(self, key: str, message: bytes, signature: str) -> bool | None:
        if key != self.key:
            return None
        try:
            self._private.public_key().verify(base64.b64decode(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True
