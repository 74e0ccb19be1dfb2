"""The row that a message is about, as its parameter `Target` names it."""

from dataclasses import dataclass, field
from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_query, no_such_key
from connectors.emulator.messages.call import Call
from connectors.emulator.request.paths import below_service, parse_address, parse_key, type_of
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import guid


@dataclass(frozen=True)
class Target:
    """Table and id, not looked up; `columns` is what else stands in the parameter."""

    table: Table
    row_id: str
    columns: dict[str, Any] = field(default_factory=dict)


def target_of(call: Call, parameter: str = "Target") -> Target:
    """Read `{"@odata.id": address}` or `{"@odata.type": type, key: id}`. Raises WebApiError: 400 where the
    parameter is neither, or names no table; 404 for an alternate key that no row has."""
    document = call.required(parameter)
    if not isinstance(document, dict):
        raise bad_query(f"The parameter '{parameter}' takes an object that names a row.")
    if isinstance(document.get("@odata.id"), str):
        return addressed(call, document["@odata.id"])
    name = type_of(document)
    table = call.environment.tables.get(name)
    if table is None:
        raise bad_query(f"The parameter '{parameter}' must have '@odata.id', or the '@odata.type' of a table and its primary key.")
    row_id = guid(str(document.get(table.key, "")))
    if row_id is None:
        raise WebApiError(400, INVALID_ARGUMENT, f"The parameter '{parameter}' lacks the primary key '{table.key}'.")
    columns = {key: value for key, value in document.items() if key not in ("@odata.type", table.key)}
    return Target(table, row_id, columns)


def addressed(call: Call, url: str) -> Target:
    address = parse_address(below_service(url))
    segment = address.segments[0] if len(address.segments) == 1 else None
    table = call.environment.by_set.get(segment.name) if segment else None
    if segment is None or table is None or segment.key is None:
        raise bad_query(f"Resource not found for the segment provided in the URL: '{url[:100]}'.")
    key = parse_key(table, segment.key)
    row_id = key.row_id or call.tables.find(table, key.values)
    if row_id is None:
        raise no_such_key(table.name)
    return Target(table, row_id)
