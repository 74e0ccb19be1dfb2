"""An organisation of the emulator under the real client, over real HTTP."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, SeedSpec, running
from rules.model.records import Record
from tests.drivers.connecting import connect

Rows = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """A small organisation; one category a unit, so that the second organisation can hold it too."""
    seeded = list(SeedSpec(60, 7, date(2026, 11, 25)).rows())
    for _, row in seeded:
        if row.get("cf_categories"):
            row["cf_categories"] = str(row["cf_categories"]).split(",")[0]
    number = "7a9d2f10-3d0a-4f11-9f8a-000d3ab1d001"
    statistic = {"cf_statisticid": number, "cf_name": "rij", "cf_year": 2026, "cf_categorykey": "e_safety", "cf_channel": 100000001}
    return [*seeded, ("cf_statistic", statistic | {"cf_count": 1})]


@pytest.fixture(scope="module")
def shared(rows: Rows) -> Iterator[RunningEmulator]:
    with running() as emulator:
        emulator.load(rows)
        yield emulator


@pytest.fixture
def emulator(rows: Rows) -> Iterator[RunningEmulator]:
    with running() as started:
        started.load(rows)
        yield started


def client(emulator: RunningEmulator, mapping: Path = REFERENCE, **options: Any) -> DynamicsConnector:
    settings: dict[str, Any] = {"mapping_text": mapping.read_text("utf-8"), "mapping_source": mapping.name, "sleep": lambda _: None}
    return connect(url=emulator.url, tokens=StaticToken("t", emulator.url), **(settings | options))


def faults(emulator: RunningEmulator, *what: dict[str, Any]) -> None:
    request = urllib.request.Request(f"{emulator.root}/_emulator/faults", json.dumps(what).encode(), method="PUT")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()


def environment_file() -> str:
    from importlib.resources import files

    return str(files("connectors.emulator") / "schema" / "environment.yaml")


def all_of(connector: DynamicsConnector, record: type[Record]) -> dict[str, dict[str, Any]]:
    """Everything about every row but its version, which is another in each database."""
    fields = [name for name in record.__struct_fields__ if name != "etag"]
    return {row.id: {name: getattr(row, name) for name in fields} for page in connector.read(record, fields) for row in page}
