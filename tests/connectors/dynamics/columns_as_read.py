"""That columns say of every row what records say."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.interface.columns import column_types
from connectors.interface.connector import Connector
from connectors.interface.id_numbers import as_texts
from rules.model.records import Record


def assert_same(connector: Connector, record: type[Record], fields: Iterable[str]) -> int:
    """Read a kind both ways; return how many rows it has."""
    names = tuple(fields)
    expected = {row.id: cells(row, names) for page in connector.read(record, names) for row in page}
    found: dict[str, tuple[Any, ...]] = {}
    for frame in connector.columns(record, names):
        assert frame.height
        frame = as_texts(frame)
        assert dict(frame.schema) == column_types(record, names)
        rows = {row[0]: row for row in frame.rows()}
        assert len(rows) == frame.height
        assert found.keys().isdisjoint(rows)
        found |= rows
    assert found == expected
    return len(found)


def every_read(connector: Connector) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """Each kind with what decisions need, and with all that is known of people but for content."""
    kinds = connector.all_kinds
    for word in kinds:
        contents = kinds[word].contents
        for record in dict.fromkeys((connector.record(word), kinds[word].full)):
            yield record, tuple(sorted(connector.fields(record) - set(contents)))


def cells(row: Record, names: Iterable[str]) -> tuple[Any, ...]:
    """What a row of a frame holds for a record."""
    return tuple(_cell(getattr(row, name)) for name in ("id", "etag", *names))


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return "\x1f".join(value) if isinstance(value, tuple) else value
