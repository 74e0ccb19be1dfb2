"""A backup of the emulated CRM, and its restore: every row with the version it had then."""

import sqlite3
from collections.abc import Callable

from tests.drivers.night import Night


class Backup:
    """What the CRM holds at this moment, or held when its database had these bytes."""

    def __init__(self, night: Night, rows: bytes = b"") -> None:
        self._tables = night.emulator.emulator.tables
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        if rows:
            self._copy.deserialize(rows)
            return
        with self._tables.lock:
            self._tables.connection.backup(self._copy)

    @property
    def content(self) -> bytes:
        return self._copy.serialize()

    def restore(self) -> None:
        """Bring the CRM back to it; versions of later writes are not given out a second time."""
        with self._tables.lock:
            self._tables.replace_by(self._copy)

    def close(self) -> None:
        self._copy.close()


Backing = Callable[[Night], Backup]
