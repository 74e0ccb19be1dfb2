"""A set, and a row by its key: read, created, changed, deleted."""

from dataclasses import dataclass
from typing import Any

from connectors.emulator.conditions.stats import Stats
from connectors.emulator.errors import DUPLICATE_RECORD, WebApiError, bad_payload, no_such_key, no_such_row
from connectors.emulator.operations.if_match import check_if_match, etag
from connectors.emulator.querying.changes import count_changed
from connectors.emulator.querying.pages import Reader
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.querying.special import special_read
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.paths import Key
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage import message_filters
from connectors.emulator.storage.payload import read_json
from connectors.emulator.storage.writes import Writer


@dataclass(frozen=True)
class AddressedRow:
    """Where an address leads. Version 0 means that there is no row; then the id may be empty too."""

    table: Table
    key: Key
    row_id: str
    version: int

    @property
    def exists(self) -> bool:
        return self.version > 0

    def check_exists(self) -> None:
        """Raise 404 where there is no such row."""
        if not self.exists:
            raise self.missing()

    def missing(self) -> WebApiError:
        return no_such_row(self.table.name, self.key.row_id) if self.key.row_id else no_such_key(self.table.name)


class Rows:
    """Answers requests for a whole set, or for one row as a whole."""

    def __init__(self, reader: Reader, writer: Writer, stats: Stats) -> None:
        self.reader, self.writer, self.stats = reader, writer, stats
        self.tables = writer.tables
        self.access = reader.gate.access

    def find(self, table: Table, key: Key) -> AddressedRow:
        row_id = key.row_id or self.tables.find(table, key.values)
        version = self.tables.version(table, row_id) if row_id else None
        return AddressedRow(table, key, row_id or "", version or 0)

    # -- a set -----------------------------------------------------------------------------------------------

    def page(self, operation: Operation, table: Table) -> Answer:
        self.stats.count("read")
        if table.name in (message_filters.MESSAGE, message_filters.FILTER):
            message_filters.refresh(self.tables)
        if special := special_read(operation):
            return special(self.reader, operation, table, None)
        return self.reader.page(operation, table)

    def count(self, operation: Operation, table: Table) -> Answer:
        self.stats.count("read")
        if operation.address.option("$deltatoken") is not None:
            return count_changed(self.reader, operation, table)
        return self.reader.count(operation, table)

    def create(self, operation: Operation, table: Table) -> Answer:
        self.stats.count("create")
        refuse_options(operation.address.options, {"$select", "$expand"})
        self._may_show(operation, table)
        row_id = self.writer.create(operation, table, read_json(operation, table.set_name))
        return self.written(operation, table, row_id, created=True)

    def _may_show(self, operation: Operation, table: Table) -> None:
        """Refuse before the write a client that prefers a representation and may not read."""
        if operation.preferences.representation:
            self.access.require(operation, "Read", table)

    def written(self, operation: Operation, table: Table, row_id: str, *, created: bool) -> Answer:
        """Return 204 with the row's address, or the row itself for a client that prefers a representation."""
        if operation.preferences.representation:
            body = self.reader.row(operation, table, row_id) or b""
            version = self.tables.version(table, row_id) or 0
            return Answer(201 if created else 200, body, {"ETag": etag(version)})
        address = f"{operation.root}{table.set_name}({row_id})"
        headers = {"OData-EntityId": address}
        if operation.in_batch and created:
            headers = {"Location": address, **headers}
        return Answer(204, b"", headers)

    # -- a row -----------------------------------------------------------------------------------------------

    def retrieve(self, operation: Operation, addressed: AddressedRow) -> Answer:
        table = addressed.table
        self.stats.count("read")
        refuse_options(operation.address.options, {"$select", "$expand"})
        if table.name == "activityparty":
            raise WebApiError(405, "0x80040800", "The 'Retrieve' method does not support entities of type 'activityparty'.")
        self.access.require(operation, "Read", table)
        addressed.check_exists()
        self.access.require(operation, "Read", table, addressed.row_id)
        tag = etag(addressed.version)
        plain = not operation.preferences.annotations and operation.address.option("$expand") is None
        if plain and operation.if_none_match == tag:
            return Answer(304, b"", {"ETag": tag})
        check_if_match(operation, addressed.version)
        return Answer(200, self.reader.row(operation, table, addressed.row_id) or b"", {"ETag": tag})

    def patch(self, operation: Operation, addressed: AddressedRow) -> Answer:
        """Update, or the upsert that a missing row silently becomes without `If-Match`."""
        table = addressed.table
        self.stats.count("update" if addressed.exists else "create")
        refuse_options(operation.address.options, {"$select", "$expand"})
        self.writer.refuse_read_only(table, "Update")
        self._may_show(operation, table)
        # The address says what these are, the body does not change them.
        in_key = {table.columns[name].wire for name in addressed.key.values}
        document = {name: value for name, value in read_json(operation, table.set_name).items() if name not in in_key}
        if addressed.exists:
            if operation.if_none_match == "*":
                raise WebApiError(412, DUPLICATE_RECORD, "A record with matching key values already exists.")
            check_if_match(operation, addressed.version)
            self.writer.update(operation, table, addressed.row_id, document)
            return self.written(operation, table, addressed.row_id, created=False)
        if operation.if_match is not None:
            raise addressed.missing()
        given: dict[str, Any] = dict(addressed.key.values)
        if addressed.key.row_id:
            if str(document.get(table.key, addressed.key.row_id)).lower() != addressed.key.row_id:
                raise bad_payload(table.set_name, "The primary key in the body differs from the one in the address.")
            given[table.key] = addressed.key.row_id
        created = self.writer.create(operation, table, document, given)
        return self.written(operation, table, created, created=True)

    def delete(self, operation: Operation, addressed: AddressedRow, *, pretend: bool = False) -> Answer:
        """Delete the row. `pretend` is a fault: the answer says so, and the row still exists."""
        self.stats.count("delete")
        refuse_options(operation.address.options, set())
        self.writer.refuse_read_only(addressed.table, "Delete")
        self.access.require(operation, "Delete", addressed.table)
        addressed.check_exists()
        check_if_match(operation, addressed.version)
        if not pretend:
            self.writer.delete(operation, addressed.table, addressed.row_id)
        return Answer(204)
