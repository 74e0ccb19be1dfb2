"""Forms in which the columns of a row come, and what is told of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.pace.governor import Pace
from connectors.emulator.serving.server import RunningEmulator
from connectors.interface.connector import Connector
from connectors.interface.id_numbers import as_texts
from rules.model.records import Record
from tests.drivers.connecting import connect

FORMS = Path(__file__).parents[3] / "data" / "forms"
NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)


@contextmanager
def connected(emulator: RunningEmulator, mapping: Path = REFERENCE, **options: Any) -> Iterator[DynamicsConnector]:
    text = mapping.read_text("utf-8")
    tokens = StaticToken("any", emulator.url)
    with connect(
        url=emulator.url, tokens=tokens, mapping_text=text, mapping_source="t.yaml", page_size=97, pace=Pace(reads=3), **options
    ) as connector:
        yield connector


def told(connector: Connector, record: type[Record], fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """All rows of a kind, from its frames, in the order of their ids."""
    return sorted((row for frame in connector.columns(record, fields) for row in as_texts(frame).rows()), key=lambda row: str(row[0]))
