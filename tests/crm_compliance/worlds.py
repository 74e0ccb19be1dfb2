"""What tests of a module would each make again: the rows of an organisation, with the data folder of whoever
typed commands for it. It is made once, and then given to each test as it was."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.night import Night
from tests.drivers.typist import Typist

T = TypeVar("T")


@dataclass(frozen=True)
class Kept:
    """A world as it was when it had been made."""

    given: Any  # what its maker gave
    rows: bytes  # all of the emulator's database
    ids: Any  # where the ids of the organisation's next rows begin
    folder: Path  # a copy of the data folder


class Worlds:
    """Worlds over one emulator, by what makes each: those of one module, or with `kept` those that modules
    share as long as their emulators have the same address, which is written in every plan."""

    def __init__(self, crm: RunningEmulator, folder: Path, kept: dict[tuple[Any, ...], Kept] | None = None) -> None:
        self._crm = crm.url
        self._tables = crm.emulator.tables
        self._folder = folder
        self._kept: dict[tuple[Any, ...], Kept] = {} if kept is None else kept

    def begin(self, request: pytest.FixtureRequest, make: Callable[..., T], *args: Any, **more: Any) -> T:
        """Begin a test in the world that `make` makes for a typist and an empty organisation; gives what
        `make` gave, which must hold nothing that is open. The test's `org` is set up here: it must not be
        asked for earlier."""
        typist: Typist = request.getfixturevalue("typist")
        data = typist.folder / "data"
        assert not data.exists(), "what begins in a world has to come before `org`"
        key = (self._crm, make, args, *sorted(more.items()))
        if key in self._kept:
            kept = self._kept[key]
            self._put_back(kept.rows)
            shutil.copytree(kept.folder, data)
            org: Night = request.getfixturevalue("org")
            org.ids.setstate(kept.ids)
        else:
            org = request.getfixturevalue("org")
            given = make(typist, org, *args, **more)
            org.store.close()  # what the database has in its journal goes to the file; it opens again by itself
            folder = self._folder / str(len(self._kept))
            shutil.copytree(data, folder)
            with self._tables.lock:
                rows = self._tables.connection.serialize()
            kept = self._kept[key] = Kept(given, rows, org.ids.getstate(), folder)
        found: T = kept.given
        return found

    def _put_back(self, rows: bytes) -> None:
        with self._tables.lock, closing(sqlite3.connect(":memory:")) as kept:
            kept.deserialize(rows)
            self._tables.replace_by(kept)
