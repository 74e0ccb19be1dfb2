"""One column of one row by its own address."""

from collections.abc import Callable
from typing import Any

import msgspec

from connectors.emulator.conditions.stats import Stats
from connectors.emulator.errors import bad_payload, method_not_allowed
from connectors.emulator.operations.if_match import check_if_match
from connectors.emulator.querying.pages import Reader
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.schema.values import to_stored
from connectors.emulator.storage.files.file_columns import Files
from connectors.emulator.storage.payload import read_json
from connectors.emulator.storage.writes import Writer


class Properties:
    """Answers `…(id)/column` and its `$value`."""

    def __init__(self, reader: Reader, writer: Writer, stats: Stats) -> None:
        self.reader, self.writer, self.stats = reader, writer, stats
        self.tables = writer.tables
        self.files = Files(writer.tables)

    def answer(self, operation: Operation, table: Table, row_id: str, version: int, column: Column, *, value: bool) -> Answer:
        if operation.method == "GET":
            self.stats.count("read")
            return self._read(operation, table, row_id, column, value=value)
        self.stats.count("update")
        self.writer.refuse_read_only(table, "Update")
        check_if_match(operation, version)
        return self._write(operation, table, row_id, column)

    def _read(self, operation: Operation, table: Table, row_id: str, column: Column, *, value: bool) -> Answer:
        if column.kind == "file" or (value and column.kind == "image"):
            if self.reader.gate.columns.hidden(operation, table, column):
                return Answer(204)
            read = self.files.download if value else self.files.encoded
            return read(operation, table, row_id, column)
        answer = self.reader.property(operation, table, row_id, column)
        if value and answer.status == 200:
            content = msgspec.json.decode(answer.body)["value"]
            text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
            return Answer(200, text.encode(), content_type="text/plain")
        return answer

    def _write(self, operation: Operation, table: Table, row_id: str, column: Column) -> Answer:
        method, binary = operation.method, column.kind in ("file", "image")
        if method == "PATCH" and binary:
            return self._upload(operation, table, row_id, column)
        if method == "DELETE" and binary:
            self._change(operation, table, row_id, lambda: self.files.remove(table, row_id, column))
        elif method == "DELETE" and not column.is_lookup:
            self._check_writable(table, column)
            self._change(operation, table, row_id, lambda: {column.name: None})
        elif method == "PUT" and not column.is_lookup and column.kind != "file":
            self._check_writable(table, column)
            document = read_json(operation, table.set_name)
            if "value" not in document:
                raise bad_payload(table.set_name, "The body of a single property is an object with the property 'value'.")
            stored = to_stored(self.tables.environment, table, column, document["value"])
            self._change(operation, table, row_id, lambda: {column.name: stored})
        else:
            raise method_not_allowed(method, column.wire)
        return Answer(204)

    def _change(self, operation: Operation, table: Table, row_id: str, columns: Callable[[], dict[str, Any]]) -> None:
        with self.tables.transaction():
            self.writer.write(operation, table, row_id, columns())

    def _upload(self, operation: Operation, table: Table, row_id: str, column: Column) -> Answer:
        with self.tables.transaction():
            answer, columns = self.files.upload(operation, table, row_id, column)
            if columns is not None:
                self.writer.write(operation, table, row_id, columns)
        return answer

    @staticmethod
    def _check_writable(table: Table, column: Column) -> None:
        if column.key or not column.writable:
            raise bad_payload(table.set_name, f"The property '{column.wire}' is read-only.")
