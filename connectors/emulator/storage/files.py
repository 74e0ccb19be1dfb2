"""File and image columns by their own address: bytes in one request, whole or a range of them."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote

from connectors.emulator.errors import NOT_FOUND, WebApiError, bad_query, not_emulated
from connectors.emulator.exchange import Answer, Operation
from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.storage.tables import Tables

CHUNK_BYTES = 4_194_304
MAX_UPLOAD_BYTES = 128 * 1024 * 1024
OCTETS = "application/octet-stream"
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")


class Files:
    """Answers requests on `…(id)/column` and its `$value`."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def download(self, operation: Operation, table: Table, row_id: str, column: Column) -> Answer:
        stored = self.tables.stored(table, row_id, [column.name]) or {}
        value = stored.get(column.name)
        if column.kind == "image":
            return Answer(200, base64.b64decode(value), content_type=OCTETS) if value else Answer(204)
        found = self.tables.file(value) if value else None
        if found is None:
            raise WebApiError(404, NOT_FOUND, f"No file attachment found for attribute: {column.name} EntityId: {row_id}.")
        name, mimetype, body = found
        headers = {"x-ms-file-name": quote(name), "x-ms-file-size": str(len(body)), "mimetype": mimetype}
        match = _RANGE.fullmatch(operation.headers.get("range", ""))
        if match is None:
            return Answer(200, body, headers, OCTETS)
        start = int(match.group(1))
        end = min(int(match.group(2)) if match.group(2) else len(body) - 1, len(body) - 1, start + CHUNK_BYTES - 1)
        if start > end:
            raise WebApiError(
                416, "0x80060888", "The requested range lies beyond the end of the file.", {"Content-Range": f"bytes */{len(body)}"}
            )
        headers |= {"Content-Range": f"bytes {start}-{end}/{len(body)}", "x-ms-chunk-size": str(CHUNK_BYTES), "Accept-Ranges": "bytes"}
        return Answer(206, body[start : end + 1], headers, OCTETS)

    def upload(self, operation: Operation, table: Table, row_id: str, column: Column) -> dict[str, str | None]:
        """Keep the bytes of one request; gives the columns to write."""
        if "x-ms-transfer-mode" in operation.headers or "content-range" in operation.headers:
            raise not_emulated("uploads in chunks")
        if column.kind == "image":
            return {column.name: base64.b64encode(operation.body).decode()}
        name = operation.headers.get("x-ms-file-name") or operation.address.option("x-ms-file-name")
        if not name:
            raise bad_query("The header x-ms-file-name is missing.")
        if len(operation.body) > MAX_UPLOAD_BYTES:
            raise WebApiError(400, "0x80044a02", "The file is too large for one request.")
        name = unquote(name)
        file_id = self.tables.put_file(table, row_id, column, name, OCTETS, operation.body)
        return {column.name: file_id, column.name + "_name": name}

    def remove(self, table: Table, row_id: str, column: Column) -> dict[str, str | None]:
        """Forget the bytes; gives the columns to write."""
        if column.kind == "file":
            self.tables.remove_file(table, row_id, column)
            return {column.name: None, column.name + "_name": None}
        return {column.name: None}
