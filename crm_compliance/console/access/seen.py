"""What was on whose screen, in this session: nobody lets out what they have not been shown."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

SESSIONS: Final = 200  # that are remembered, those used last
KEYS: Final = 20_000  # of one session, the latest


class Seen:
    """What this process has shown to each session, by a digest of its token. It is not kept: after a restart
    a page is shown again before anything on it is let out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def note(self, session: str, *keys: str) -> None:
        """Remember that somebody was shown something."""
        with self._lock:
            mine = self._of.setdefault(session, OrderedDict())
            self._of.move_to_end(session)
            for key in keys:
                mine[key] = None
                mine.move_to_end(key)
            while len(mine) > KEYS:
                mine.popitem(last=False)
            while len(self._of) > SESSIONS:
                self._of.popitem(last=False)

    def has(self, session: str, key: str) -> bool:
        with self._lock:
            return key in self._of.get(session, ())
