"""Night after night, in any organisation, what is read by changes is what a full read gives: of rows of every
kind that come, go, come back, change and are linked to others."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.memory import table_file
from connectors.dynamics.memory.table_cache import Memory
from connectors.emulator.schema.environment import Table
from connectors.emulator.serving.server import RunningEmulator, SeedSpec, running
from connectors.interface.connector import Connector
from connectors.interface.id_numbers import as_texts
from tests.connectors.dynamics.columns_as_read import every_read
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is read, not how it comes

FORMS = Path(__file__).parents[3] / "data" / "forms"
NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
NIGHTS = 3
CHANGES = 25


class Organisation:
    """An organisation whose tables are all tracked, and people who work in it; they are fictitious."""

    def __init__(self, emulator: RunningEmulator, mapping: Path, chance: Random) -> None:
        self.emulator, self.mapping, self.chance = emulator, mapping, chance
        self.http = requests.Session()
        self.http.headers.update({"Authorization": "Bearer any", "If-Match": "*"})
        with self.connector(None) as connector:
            names = sorted({table.name for table in connector.mapping.tables})
        tables = emulator.emulator.tables.environment.tables
        self.tables: list[Table] = [tables[name] for name in names if not tables[name].view]
        self.done: set[str] = set()  # what has been done at least once

    def connector(self, memory: Memory | None) -> DynamicsConnector:
        text, tokens = self.mapping.read_text("utf-8"), StaticToken("any", self.emulator.url)
        return connect(url=self.emulator.url, tokens=tokens, mapping_text=text, mapping_source="t.yaml", page_size=97, memory=memory)

    def work(self) -> None:
        """Do something to some row; what the CRM refuses is not done."""
        table = self.chance.choice(self.tables)
        what = self.chance.choice([self._link, self._link, self._create, self._delete, self._bring_back])
        if what(table):
            self.done.add(what.__name__)

    def _link(self, table: Table) -> bool:
        row, link = self._any(table), self._some_link(table)
        return bool(row and link) and self._is_done(self.http.patch(self._url(table, row), json=link))

    def _create(self, table: Table) -> bool:
        row = {table.key: str(uuid.UUID(int=self.chance.getrandbits(128), version=4))}
        return self._is_done(self.http.post(f"{self.emulator.url}{table.set_name}", json=row | self._some_link(table)))

    def _delete(self, table: Table) -> bool:
        row = self._any(table)
        return bool(row) and self._is_done(self.http.delete(self._url(table, row)))

    def _bring_back(self, table: Table) -> bool:
        row = self._any(table)
        if not row or not self._is_done(self.http.delete(self._url(table, row))):
            return False
        return self._is_done(self.http.post(f"{self.emulator.url}{table.set_name}", json={table.key: row} | self._some_link(table)))

    def _some_link(self, table: Table) -> dict[str, str]:
        targets = {name: each.target for name, each in table.navigations.items()}
        known = [name for name, target in targets.items() if any(target == each.name for each in self.tables)]
        if not known:
            return {}
        name = self.chance.choice(known)
        target = next(each for each in self.tables if each.name == targets[name])
        row = self._any(target)
        return {f"{name}@odata.bind": f"/{target.set_name}({row})"} if row else {}

    def _any(self, table: Table) -> str:
        rows = self.http.get(f"{self.emulator.url}{table.set_name}?$select={table.key}").json()["value"]
        return str(self.chance.choice(rows)[table.key]) if rows else ""

    def _url(self, table: Table, row: str) -> str:
        return f"{self.emulator.url}{table.set_name}({row})"

    def _is_done(self, answer: requests.Response) -> bool:
        assert answer.status_code < 500, answer.text
        return answer.ok


@pytest.fixture
def organisation_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str | None, int], Organisation]]:
    opened: list[Any] = []

    def organisation(form: str | None, seed: int) -> Organisation:
        folder = FORMS / form if form else None
        environment, mapping = (folder / "environment.yaml", folder / "mapping.yaml") if folder else (None, REFERENCE)
        context = running(environment=environment, seed=SeedSpec(8, seed, NOW.date()))
        emulator = context.__enter__()
        known = KNOWN.of(emulator, "any")
        known.__enter__()
        opened.extend((context, known))
        tables = emulator.emulator.tables.environment
        monkeypatch.setattr(tables, "origin", f"{tables.origin} tracked")  # what it answers holds of its like alone
        for table in tables.tables.values():
            monkeypatch.setattr(table, "change_tracking", not table.intersect)
        found = Organisation(emulator, mapping, Random(seed))
        opened.append(found.http)
        return found

    yield organisation
    for each in reversed(opened):
        each.__exit__(None, None, None)


@pytest.mark.parametrize("form", [None, "renamed", "connected", "scattered", "deep"], ids=lambda name: name or "reference")
def test_nights_by_changes_read_what_full_reads_give(
    organisation_of: Callable[[str | None, int], Organisation], form: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_file, "CHUNK_ROWS", 7)
    organisation = organisation_of(form, 5)
    memory = Memory(tmp_path, lambda: bytes(32), now=lambda: NOW)
    for night in range(NIGHTS):
        with organisation.connector(memory) as by_changes, organisation.connector(None) as full:
            for record, fields in every_read(full):
                assert told(by_changes, record, fields) == told(full, record, fields), (record, fields)
            assert (by_changes.stats.remembered > by_changes.stats.rows) is bool(night)
        for _ in range(CHANGES):
            organisation.work()
    assert organisation.done == {"_link", "_create", "_delete", "_bring_back"}


def told(connector: Connector, record: Any, fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """All rows of a kind, from its frames, in the order of their ids."""
    return sorted((row for frame in connector.columns(record, fields) for row in as_texts(frame).rows()), key=lambda row: str(row[0]))
