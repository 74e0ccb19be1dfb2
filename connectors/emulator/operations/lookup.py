"""The row that a lookup of another row leads to."""

from connectors.emulator.conditions.stats import Stats
from connectors.emulator.errors import bad_payload, method_not_allowed
from connectors.emulator.operations.if_match import check_if_match, etag
from connectors.emulator.querying.pages import Reader
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.schema.environment import Navigation, Table
from connectors.emulator.storage.payload import read_json
from connectors.emulator.storage.writes import Writer


class Lookups:
    """Answers `…(id)/lookup` and its `$ref`."""

    def __init__(self, reader: Reader, writer: Writer, stats: Stats) -> None:
        self.reader, self.writer, self.stats = reader, writer, stats

    def answer(self, operation: Operation, table: Table, row_id: str, version: int, navigation: Navigation, *, reference: bool) -> Answer:
        method = operation.method
        if method == "GET":
            self.stats.count("read")
            if reference:
                return self.reader.reference(operation, table, row_id, navigation)
            return self._target(operation, table, row_id, navigation)
        if not reference or method not in ("PUT", "DELETE"):
            raise method_not_allowed(method, navigation.name)
        self.stats.count("update")
        check_if_match(operation, version)
        if not navigation.column.writable:
            raise bad_payload(table.set_name, f"The property '{navigation.name}' is read-only.")
        bound = referenced_address(operation, table) if method == "PUT" else None
        self.writer.update(operation, table, row_id, {f"{navigation.name}@odata.bind": bound})
        return Answer(204)

    def _target(self, operation: Operation, table: Table, row_id: str, navigation: Navigation) -> Answer:
        tables = self.reader.tables
        target_id = self.reader.looked_up(table, row_id, navigation)
        target = tables.environment.tables[navigation.target]
        found = tables.version(target, target_id) if target_id else None
        if target_id is None or found is None:
            return Answer(204)
        self.reader.gate.access.require(operation, "Read", target, target_id)
        return Answer(200, self.reader.row(operation, target, target_id) or b"", {"ETag": etag(found)})


def referenced_address(operation: Operation, table: Table) -> str:
    """Return the address that a reference's body names. Raises WebApiError: 400 if it names nothing."""
    address = read_json(operation, table.set_name).get("@odata.id")
    if not isinstance(address, str):
        raise bad_payload(table.set_name, "The body of a reference is an object with '@odata.id'.")
    return address
