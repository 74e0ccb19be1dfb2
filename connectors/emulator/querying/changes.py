"""Change tracking: what was changed or deleted since a delta link."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer, Operation
from connectors.emulator.querying.pages import Reader
from connectors.emulator.schema.environment import Table


def changed(reader: Reader, operation: Operation, table: Table) -> Answer:
    raise not_emulated("change tracking")
