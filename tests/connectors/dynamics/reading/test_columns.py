"""Whole tables as columns: what records say of the rows of any organisation, columns say too, however the
tables are read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.reading import ranges
from connectors.emulator.serving.server import SeedSpec, running
from connectors.interface.connector import Connector
from rules.model.records import Contact, Fiche, Party, Record
from tests.connectors.dynamics.columns_as_read import assert_same, every_read
from tests.connectors.dynamics.reading.forms import FORMS, NOW, connected, told
from tests.known_definitions import KNOWN

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

CASES = 40
READS: tuple[tuple[type[Record], tuple[str, ...]], ...] = (
    (Contact, ("birth_on", "parent", "parent_kind")),
    (Fiche, ("dossier", "categories", "communicated_on", "created_on")),
    (Party, ("contact", "dossier", "fiche", "role")),
)


@pytest.fixture(scope="module", params=[None, "renamed", "connected", "scattered", "deep"], ids=lambda name: name or "reference")
def connector(request: pytest.FixtureRequest) -> Iterator[Connector]:
    folder = FORMS / request.param if request.param else None
    environment, mapping = (folder / "environment.yaml", folder / "mapping.yaml") if folder else (None, REFERENCE)
    with running(environment=environment, seed=SeedSpec(CASES, 3, NOW.date())) as emulator, connected(emulator, mapping) as connector:
        yield connector


def test_columns_say_what_records_say(connector: Connector) -> None:
    rows = [assert_same(connector, record, fields) for record, fields in every_read(connector)]
    assert sum(rows) > 10 * CASES


def test_columns_that_were_begun_ahead_are_the_same(connector: Connector) -> None:
    reads = list(every_read(connector))[:6]
    alone = [told(connector, *each) for each in reads]
    with connector.read_ahead(reads):
        assert [told(connector, *each) for each in reads] == alone


@pytest.mark.parametrize("keeps_rows", [True, False], ids=["by changes", "in ranges"])
def test_columns_of_a_table_that_was_read_before_are_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, keeps_rows: bool
) -> None:
    monkeypatch.setattr(ranges, "RANGE_ROWS", 25)
    before: list[Any] = []
    with running(seed=SeedSpec(CASES, 3, NOW.date())) as emulator, KNOWN.of(emulator, "any"), requests.Session() as http:
        for _ in range(3):
            memory = Memory(tmp_path, lambda: bytes(32), now=lambda: NOW, keeps_rows=keeps_rows)
            with connected(emulator) as connector:
                expected = [told(connector, *each) for each in READS]
            assert expected != before
            with connected(emulator, memory=memory) as connector, connector.read_ahead(READS):
                assert [told(connector, *each) for each in READS] == expected
                remembered, fetched = connector.stats.remembered, connector.stats.rows
            before = expected
            first, second = (row[0] for row in expected[1][:2])
            headers = {"Authorization": "Bearer any", "If-Match": "*"}
            changed = {"cf_name": "F-9", "cf_communicatedon": "2020-02-29T23:30:00Z"}
            assert http.patch(f"{emulator.url}cf_fiches({first})", json=changed, headers=headers).ok
            assert http.delete(f"{emulator.url}cf_fiches({second})", headers=headers).ok
        assert (remembered > fetched) is keeps_rows
        assert list(tmp_path.glob("*.cut"))
