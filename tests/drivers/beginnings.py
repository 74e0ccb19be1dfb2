"""An organisation and its store as they were at one moment: what is broken off at a hundred places need not
be made, planned and begun a hundred times."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from crm_compliance.store.sql.database import parse
from tests.drivers.night import Night, of_store
from tests.drivers.restoring import Backup


class Beginning:
    """The rows of the emulator, the database, and what is beside the keys for it: what the witness knows,
    the register of erasures."""

    def __init__(self, night: Night, url: str, name: str = "beginning") -> None:
        """`url` names the SQLite file of the night, `name` a folder that is not there yet."""
        self._night = night
        self._backup = Backup(night)
        self._folder = night.key.folder.parent
        self._kept = self._folder / name
        self._kept.mkdir()
        copied(_file_of(url), self._kept / "state.db")
        witness, register = of_store(self._folder, url)
        shutil.copytree(witness, self._kept / "witness")
        if (erased := self._folder / register).exists():
            shutil.copy2(erased, self._kept / "erased")

    def again(self, make_night: Callable[..., Night], url: str) -> Night:
        """Another night over a copy of the database in a new file, with the organisation as it was, without
        faults and statistics."""
        emulator = self._night.emulator
        self._night.http.post(f"{emulator.root}/_emulator/reset", json={"empty": True}).raise_for_status()
        self._backup.restore()
        witness, register = of_store(self._folder, url)
        copied(self._kept / "state.db", _file_of(url))
        shutil.copytree(self._kept / "witness", witness)
        if (erased := self._kept / "erased").exists():
            shutil.copy2(erased, self._folder / register)
        return make_night(url=url)

    @property
    def digest(self) -> str:
        """Of all that it has: the same for two moments between which nothing has come to pass that lasts."""
        found = hashlib.sha256(self._backup.content)
        for file in sorted(self._kept.rglob("*")):
            if file.is_file():
                found.update(f"{file.relative_to(self._kept)} {file.stat().st_size} ".encode() + file.read_bytes())
        return found.hexdigest()

    def close(self) -> None:
        self._backup.close()


def _file_of(url: str) -> Path:
    return Path(parse(url).database or "")


def copied(source: Path, target: Path) -> None:
    """A database whole, with what only its journal has yet; for its owner alone, as the store makes it."""
    target.touch(0o600)
    with closing(sqlite3.connect(source)) as from_there, closing(sqlite3.connect(target)) as to_here:
        from_there.backup(to_here)
