"""What was read from the CRM a moment ago and is looked at piece by piece: a file, a package. It is kept in
the memory of this process, for minutes, and not for long."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final

LASTS_S: Final = 300.0
MOST_BYTES: Final = 96 * 1024 * 1024
MOST: Final = 16

Files = Mapping[str, bytes]


class FileCache:
    """Files by a key that says whose and as of when; the oldest go first."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._files: OrderedDict[tuple[str, ...], tuple[float, Files]] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> Files | None:
        with self._lock:
            self._drop_old()
            found = self._files.get(key)
            return found[1] if found is not None else None

    def put(self, key: tuple[str, ...], files: Files) -> None:
        """Keep files; those that are too large for it are not kept."""
        with self._lock:
            self._files.pop(key, None)
            self._files[key] = (self._now(), files)
            self._drop_old()
            while self._files and (len(self._files) > MOST or self._size() > MOST_BYTES):
                self._files.popitem(last=False)

    def _drop_old(self) -> None:
        oldest = self._now() - LASTS_S
        for key in [key for key, (at, _) in self._files.items() if at < oldest]:
            del self._files[key]

    def _size(self) -> int:
        return sum(len(content) for _, files in self._files.values() for content in files.values())
