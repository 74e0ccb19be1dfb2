"""Lines of plans in columns, as files beside the database: encrypted, one a plan, in a folder that only we
may read. A file is bound to its plan and to the digest of that plan's lines, so it counts as none where it
is damaged, another plan's, or left from before a restore. Losing one costs reading the pages again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_compliance.files import DiskProblem, private_folder, write_whole

FORMAT: Final = 1
SUFFIX: Final = ".lines"
MOST_PLANS: Final = 20  # the least recently written goes first
_NONCE = 12


class LineFiles:
    """What `jobs.ports.line_cache.LineCache` asks. `key` is asked for when there is something to seal or to
    open."""

    def __init__(self, folder: Path, key: Callable[[], bytes]) -> None:
        self._folder, self._key = folder, key

    def load(self, plan: str, digest: str) -> bytes | None:
        try:
            sealed = self._file(plan).read_bytes()
        except OSError:
            return None
        try:
            return AESGCM(self._key()).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound_to(plan, digest))
        except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
            return None

    def keep(self, plan: str, digest: str, content: bytes) -> None:
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + AESGCM(self._key()).encrypt(nonce, content, _bound_to(plan, digest))
        with suppress(DiskProblem):
            private_folder(self._folder)
            with write_whole(self._file(plan)) as out:
                out.write(sealed)
        for old in sorted(self._files(), key=_written_at, reverse=True)[MOST_PLANS:]:
            _remove(old)

    def plans(self) -> list[str]:
        return [unquote(file.stem) for file in self._files()]

    def drop(self, plan: str) -> None:
        _remove(self._file(plan))

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    def _file(self, plan: str) -> Path:
        return self._folder / (quote(plan, safe="") + SUFFIX)


def _bound_to(plan: str, digest: str) -> bytes:
    return f"lines {FORMAT} {plan} {digest}".encode()


def _written_at(file: Path) -> float:
    with suppress(OSError):
        return file.stat().st_mtime
    return 0.0


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
