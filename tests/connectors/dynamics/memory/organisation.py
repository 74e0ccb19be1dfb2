"""An organisation of which nights are remembered."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.memory.table_cache import Memory
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.id_numbers import as_texts
from rules.model.records import Contact, Dossier, Fiche, Record
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
FIELDS = {
    Dossier: ("legal_hold", "is_active", "opened_on"),
    Fiche: ("dossier", "communicated_on"),
    Contact: ("birth_year", "national_number"),
}


class Organisation:
    """An emulator, a memory and a day; the people are fictitious."""

    def __init__(self, emulator: RunningEmulator, folder: Path) -> None:
        self.emulator = emulator
        self.now = NOW
        self.memory = Memory(folder, lambda: bytes(32), now=lambda: self.now)
        self.http = requests.Session()
        self.http.headers["Authorization"] = "Bearer t"

    def connector(self, memory: Memory | None = None, page_size: int = 50) -> DynamicsConnector:
        url = self.emulator.url
        text = REFERENCE.read_text("utf-8")
        tokens = StaticToken("t", url)
        return connect(url=url, tokens=tokens, mapping_text=text, mapping_source="m.yaml", memory=memory, page_size=page_size)

    def read(self, record: type[Record], *, full: bool = False) -> dict[str, Any]:
        with self.connector(None if full else self.memory) as connector:
            rows = [row for frame in connector.columns(record, FIELDS[record]) for row in as_texts(frame).iter_rows(named=True)]
            self.fetched, self.remembered = connector.stats.rows, connector.stats.remembered
            self.missed = connector.stats.missed
        names = (*FIELDS[record], "etag")
        found = {row["id"]: tuple(row[name] for name in names) for row in rows}
        assert len(found) == len(rows)
        return found

    def load(self, table: str, key: str, rows: int, **columns: Any) -> list[str]:
        ids = [str(uuid.uuid4()) for _ in range(rows)]
        self.emulator.load((table, {key: row_id, **columns}) for row_id in ids)
        return ids

    def patch(self, path: str, **columns: Any) -> None:
        answer = self.http.patch(self.emulator.url + path, json=columns, headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text

    def post(self, path: str, **columns: Any) -> None:
        answer = self.http.post(self.emulator.url + path, json=columns)
        assert answer.status_code == 204, answer.text

    def delete(self, path: str) -> None:
        assert self.http.delete(self.emulator.url + path).status_code == 204

    def fault(self, **rule: Any) -> None:
        self.http.put(f"{self.emulator.root}/_emulator/faults", json=[rule])

    def switch(self, **switches: Any) -> None:
        assert self.http.put(f"{self.emulator.root}/_emulator/switches", json=switches).status_code == 200


@pytest.fixture
def organisation(tmp_path: Path) -> Iterator[Organisation]:
    with running() as emulator, KNOWN.of(emulator, "t"):
        found = Organisation(emulator, tmp_path / "memory")
        yield found
        found.http.close()
