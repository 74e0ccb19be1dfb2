"""What a plan would overlook in silence: rows in long-term retention, and unmapped columns that may hold personal data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import msgspec

from connectors.dynamics.mapping import Mapping, Table
from connectors.dynamics.metadata import LOOKUP_TYPES, Attribute, Metadata
from connectors.dynamics.transport import Transport
from connectors.interface import ConnectorError

RETAINED: Final = "retained"
_MAY_HOLD_ANYTHING: Final = frozenset({"StringType", "MemoType", "FileType", "ImageType"})
_REFUSED: Final = (400, 401, 403, 404, 405, 501)  # a source that this table, or this CRM, does not have or show


def retained_rows(transport: Transport, mapping: Mapping, metadata: Metadata) -> dict[str, int]:
    """How many rows of each mapped table lie in long-term retention, where no ordinary request sees them; tables without are left out.

    A CRM that knows no such source has none.

    Raises:
        ConnectorError: it cannot be asked.
    """
    found: dict[str, int] = {}
    for table in mapping.tables.values():
        definition = metadata.table(table.name)
        if definition is None or table.kind in ("activity_party", "statistic"):
            continue  # a participant goes with its activity
        attribute = f'<attribute name="{definition.primary_id}" alias="n" aggregate="count"/>'
        text = f'<fetch datasource="{RETAINED}" aggregate="true"><entity name="{table.name}">{attribute}</entity></fetch>'
        try:
            answer = transport.get(f"{definition.set_name}?fetchXml={quote(text, safe='')}", where=table.name)
        except ConnectorError as failure:
            if failure.status in _REFUSED:
                continue
            raise
        if number := _number(answer.body):
            found[table.name] = number
    return dict(sorted(found.items()))


def _number(body: bytes) -> int:
    try:
        content: Any = msgspec.json.decode(body)
        number = content["value"][0]["n"]
    except (msgspec.DecodeError, LookupError, TypeError):
        return 0
    return number if isinstance(number, int) else 0


def unaccounted_columns(mapping: Mapping, metadata: Metadata) -> tuple[str, ...]:
    """The organisation's own columns of mapped tables that may hold personal data and stand in no mapping, as `table.column`: texts, files,
    images, and lookups to people. Columns that came with another one are that one's."""
    return tuple(sorted(f"{table.name}.{name}" for table in mapping.tables.values() for name in _unaccounted(table, metadata)))


def _unaccounted(table: Table, metadata: Metadata) -> Iterator[str]:
    definition = metadata.table(table.name)
    known = {column.name for column in (*table.columns.values(), *table.personal.values())}
    for attribute in definition.attributes.values() if definition is not None else ():
        if "_" in attribute.name and attribute.name not in known and not attribute.part_of and _may_be_personal(attribute):
            yield attribute.name


def _may_be_personal(attribute: Attribute) -> bool:
    return attribute.kind in _MAY_HOLD_ANYTHING or (attribute.kind in LOOKUP_TYPES and "contact" in attribute.targets)
