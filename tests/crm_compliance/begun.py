"""A request that was set up once, for the tests of a module that all begin with it: each has a copy of the
CRM and of the data folder as they were then."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist


class Begun:
    """What was set up, in a folder of the module's own."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._rows = sqlite3.connect(":memory:", check_same_thread=False)
        self._known: tuple[str, dict[str, Any], Any] | None = None

    def put_back(self, crm: RunningEmulator, typist: Typist) -> None:
        """Set a typist up, before anything is typed, with what was prepared, if it was."""
        if self._known is not None:
            with crm.emulator.tables.lock:
                crm.emulator.tables.replace_by(self._rows)
            shutil.copytree(self._data, typist.folder / "data")

    def asking(self, typist: Typist, org: Night, set_up: Callable[[], Asking]) -> Asking:
        """The request: set up by the first test that asks, and as it was put back for the others."""
        if self._known is None:
            asking = set_up()
            tables = org.emulator.emulator.tables
            with tables.lock:
                tables.connection.backup(self._rows)
            org.store.close()  # what the database has in its journal goes to the file; it opens again by itself
            assert not [*(typist.folder / "data").rglob("*-wal")], "another store is open"
            shutil.copytree(typist.folder / "data", self._data)
            self._known = (asking.id, asking.answer, org.ids.getstate())
            return asking
        name, answer, ids = self._known
        org.ids.setstate(ids)
        return Asking(typist, name, answer)

    def close(self) -> None:
        self._rows.close()
