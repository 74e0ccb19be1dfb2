"""One organisation on an emulator, and the product typed for it: what is asked of either goes over the Web
API and the commands of the contract alone."""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.emulator.serving.server import RunningEmulator, running
from tests.drivers.typed import typed
from tests.forms.rows import Row, Schema, load, read
from tests.independent.wire import WebApi
from tests.known_definitions import KNOWN

TOKEN = "kit-token"
NOW = "2026-11-25T11:00:00Z"
ELSEWHERE = "facts/objects"  # beside each house
SWITCHES = {"bulk_delete_queue_s": 0, "bulk_delete_run_s": 0}


@dataclass
class House:
    """A CRM with its rows, and a data folder."""

    api: WebApi
    schema: Schema
    folder: Path
    settings: dict[str, str]
    emulator: RunningEmulator

    @property
    def objects(self) -> Path:
        """The folder of the contents of recordings that are outside the CRM."""
        return self.folder / "objects"

    def load(self, rows: Sequence[Row]) -> None:
        """Load rows as `rows` gives them; contents outside the CRM are copied from beside this house."""
        shutil.copytree(self.folder.parent / ELSEWHERE, self.objects, dirs_exist_ok=True)
        load(self.api, self.schema, [self._moved(row, self.folder.parent / ELSEWHERE, self.objects) for row in rows])

    def rows(self) -> list[Row]:
        """Every row; the addresses of contents are those that all houses have in common."""
        return [self._moved(row, self.objects, self.folder.parent / ELSEWHERE) for row in read(self.api, self.schema)]

    def _moved(self, row: Row, one: Path, other: Path) -> Row:
        values = {
            name: value.replace(one.as_uri(), other.as_uri()) if isinstance(value, str) else value for name, value in row.values.items()
        }
        return row.where(values=values)

    def words(self) -> str:
        """Everything that can be read in the database of the emulator, audit rows and bin too."""
        with closing(sqlite3.connect(f"file:{self.folder / 'crm.db'}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            cells = (cell for name in tables for row in database.execute(f'select * from "{name}"') for cell in row)
            return "\n".join(cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in cells if cell is not None)

    def ask(self, *arguments: object, code: int | None = 0, given: str = "") -> Any:
        """The document of a command that ends with `code`, or as it may without one."""
        said = typed(*arguments, "--json", given=given, settings=self.settings)
        assert code in (said.code, None), (arguments, said.code, said.err[-1500:], said.out[-1500:])
        return said.document

    def lines(self, *more: object) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A plan and its lines."""
        file = self.folder / "plan.jsonl"
        plan = self.ask("plan", "--output", file, *more)
        return plan, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@contextmanager
def house(folder: Path, schema: Schema, **settings: str) -> Iterator[House]:
    """An organisation without rows."""
    folder.mkdir()
    (folder / "objects").mkdir()
    with running(environment=schema.file, token=TOKEN, state=folder / "crm.db") as emulator, KNOWN.of(emulator, TOKEN):
        api = WebApi(emulator.url, TOKEN)
        api.control("POST", "reset", {"empty": True})
        api.control("PUT", "switches", SWITCHES)
        api.control("PUT", "clock", {"now": NOW})
        told = {"CRM_URL": emulator.url, "CRM_TOKEN": TOKEN, "DATA_DIR": str(folder / "data"), "STORAGE_DIR": str(folder / "objects")}
        yield House(api, schema, folder, told | {"CLOCK": NOW, "CRM_PATIENCE_S": "0"} | settings, emulator)
        api.close()
