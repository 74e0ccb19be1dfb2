"""The JSON body of a write read against the schema: columns, binds, nested rows."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.emulator.errors import NO_SEGMENT, WebApiError, bad_payload, bad_query, no_such_key, no_such_row, undeclared
from connectors.emulator.request.exchange import Operation
from connectors.emulator.request.paths import below_service, parse_address, parse_key
from connectors.emulator.schema.environment import Column, Navigation, Relationship, Table
from connectors.emulator.schema.many_to_many import Peers
from connectors.emulator.schema.values import to_stored
from connectors.emulator.storage.new_rows import Values
from connectors.emulator.storage.tables import Tables

_BIND = "@odata.bind"


@dataclass
class Payload:
    """What a body asks for: stored values, rows to create before (lookups) and after (collections)."""

    values: Values = field(default_factory=dict)
    parents: list[tuple[Navigation, dict[str, Any]]] = field(default_factory=list)
    children: list[tuple[Relationship, list[dict[str, Any]]]] = field(default_factory=list)
    linked: list[tuple[Relationship, list[str]]] = field(default_factory=list)
    peers: list[tuple[Peers, list[dict[str, Any]]]] = field(default_factory=list)  # rows to create and associate
    associated: list[tuple[Peers, list[str]]] = field(default_factory=list)


def read_json(operation: Operation, set_name: str) -> dict[str, Any]:
    """Return the object in a body. Raises WebApiError: 415 when the body is not announced as JSON, 400 when
    it is not a JSON object."""
    content_type = operation.headers.get("content-type", "")
    if "json" not in content_type.lower():
        raise WebApiError(415, "", f"The request entity's media type '{content_type[:60]}' is not supported for this resource.")
    try:
        document = msgspec.json.decode(operation.body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise bad_payload(set_name, "Invalid JSON. The body of the request could not be read.") from problem
    if not isinstance(document, dict):
        raise bad_payload(
            set_name,
            "A node of type 'PrimitiveValue' was read from the JSON reader when trying to read the start of an entry. A 'StartObject' node "
            "was expected.",
        )
    return document


class PayloadReader:
    """Knows how to find the rows that a body refers to."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.environment = tables.environment

    def read(self, operation: Operation, table: Table, document: dict[str, Any], *, creating: bool) -> Payload:
        payload = Payload()
        for name, value in document.items():
            if name.endswith(_BIND):
                self._bind(operation, table, name.removesuffix(_BIND), value, payload)
            elif "@" in name:  # other annotations, @odata.type among them
                continue
            elif column := table.by_wire.get(name):
                self._column(table, column, value, payload)
            elif navigation := table.navigations.get(name):
                self._navigation(table, navigation, value, payload, creating=creating)
            elif relation := table.collections.get(name):
                if not creating:
                    raise bad_payload(table.set_name, f"Deep update is not supported: the property '{name}' is a collection of rows.")
                payload.children.append((relation, self._rows(table, name, value)))
            elif peers := table.peers.get(name):
                if not creating:
                    raise bad_payload(table.set_name, f"Deep update is not supported: the property '{name}' is a collection of rows.")
                payload.peers.append((peers, self._rows(table, name, value)))
            else:
                raise undeclared(table.name, table.set_name, name)
        return payload

    def _column(self, table: Table, column: Column, value: Any, payload: Payload) -> None:
        if column.is_lookup:
            raise bad_payload(
                table.set_name, f"The property '{column.wire}' is read-only. Use the navigation property with '{_BIND}' to set it."
            )
        if column.kind == "file":
            message = f"The property '{column.name}' is a file column: it is written by its own address, not in the body of the row."
            raise bad_payload(table.set_name, message)
        if not column.writable and not column.key:
            return  # createdon and the like are silently ignored
        payload.values[column.name] = to_stored(self.environment, table, column, value)

    def _navigation(self, table: Table, navigation: Navigation, value: Any, payload: Payload, *, creating: bool) -> None:
        if value is None:
            set_lookup(payload.values, navigation.column, None, None)
        elif isinstance(value, dict) and creating:
            payload.parents.append((navigation, value))
        else:
            raise bad_payload(table.set_name, f"The property '{navigation.name}' is a navigation property: it takes null, or '{_BIND}'.")

    @staticmethod
    def _rows(table: Table, name: str, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise bad_payload(table.set_name, f"The property '{name}' takes an array of objects.")
        return value

    def _bind(self, operation: Operation, table: Table, name: str, value: Any, payload: Payload) -> None:
        navigation = table.navigations.get(name)
        if navigation is None:
            if (peers := table.peers.get(name)) and isinstance(value, list):
                payload.associated.append((peers, [self.resolve(operation, str(url), (peers.far.table,))[1] for url in value]))
                return
            relation = table.collections.get(name)
            if relation is None or not isinstance(value, list):
                raise undeclared(table.name, table.set_name, name + _BIND)
            child = self.environment.tables[relation.child]
            payload.linked.append((relation, [self.resolve(operation, str(url), (child.name,))[1] for url in value]))
            return
        column = navigation.column
        if value is None:
            target, row_id = None, None
        elif isinstance(value, str):
            allowed = column.targets if column.name == "ownerid" else (navigation.target,)
            target, row_id = self.resolve(operation, value, allowed)
        else:
            raise bad_payload(table.set_name, f"The annotation '{name}{_BIND}' takes the address of a row.")
        if column.writable:
            set_lookup(payload.values, column, target, row_id)

    def resolve(self, operation: Operation, url: str, allowed: tuple[str, ...]) -> tuple[str, str]:
        """Return table and id of an existing row from any form of its address. Raises WebApiError: 400 for an
        address that is invalid or leads to another table, 404 when the row does not exist."""
        if url.startswith("$"):
            if not self.tables.switches.bound_references:
                raise WebApiError(500, NO_SEGMENT, f"Resource not found for the segment '{url}'.")
            url = referenced(operation, url)
        address = parse_address(below_service(url))
        segment = address.segments[0] if len(address.segments) == 1 else None
        table = self.environment.by_set.get(segment.name) if segment else None
        if table is None or segment is None or segment.key is None:
            raise bad_query(
                "URL was not parsed due to an ODataUnrecognizedPathException. Resource not found for the segment provided in the URL."
            )
        if table.name not in allowed:
            raise bad_query(
                f"A URL of type 'Microsoft.Dynamics.CRM.{table.name}' was found where one of type 'Microsoft.Dynamics.CRM.{allowed[0]}' "
                "is expected."
            )
        key = parse_key(table, segment.key)
        row_id = key.row_id or self.tables.find(table, key.values)
        if row_id is None:
            raise no_such_key(table.name)
        if not self.tables.exists(table, row_id):
            raise no_such_row(table.name, row_id)
        return table.name, row_id


def referenced(operation: Operation, url: str) -> str:
    """Return what an earlier part of the same change set created, from `$1` or `$1/nav`."""
    reference, slash, rest = url[1:].partition("/")
    location = operation.references.get(reference)
    if location is None:
        raise WebApiError(400, "0x80060888", f"Content-ID Reference: '${reference}' does not exist in the batch context.")
    return location + slash + rest


def set_lookup(values: Values, column: Column, target: str | None, row_id: str | None) -> None:
    values[column.name] = row_id
    if column.polymorphic:
        values[column.type_column] = target
    if column.name == "ownerid" and row_id is not None:
        values["owninguser"] = row_id if target == "systemuser" else None
        values["owningteam"] = row_id if target == "team" else None


def new_id(values: Values, table: Table) -> str:
    """Return the id that the caller chose, or a fresh one."""
    row_id = values.get(table.key) or str(uuid.uuid4())
    values[table.key] = row_id
    return str(row_id)
