"""File and image columns by their own address: whole, in chunks, or a range. In blocks, by messages, they
come and go in messages/file_blocks.py.

The vendor's Python client sends `If-None-Match: null` for "only into an empty column", although the token
`null` stands for no header everywhere else; the switch `null_guards_files` takes its side. Source: section 12
of the wire reference; Microsoft Learn, "Use file column data"."""

import base64
import re
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from connectors.emulator.errors import INVALID_ARGUMENT, NOT_FOUND, WebApiError, bad_query, version_mismatch
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.schema.environment import Column, Environment, Table
from connectors.emulator.schema.values import to_stored
from connectors.emulator.storage.files.contents import KeptFiles
from connectors.emulator.storage.files.uploads import CHUNK_BYTES, Uploads
from connectors.emulator.storage.tables import Tables

MAX_KB = {"file": 131_072, "image": 10_240}  # MaxSizeInKB of a column where its maker says nothing
MAX_UPLOAD_BYTES = 128 * 1024 * 1024  # in one request
OCTETS = "application/octet-stream"
NO_CHUNKS = "0x80090017"
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
Columns = dict[str, Any]  # what to write into the row


class Files:
    """Answers requests on `…(id)/column` and its `$value`."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.kept_files = KeptFiles(tables)
        self.uploads = Uploads(tables)

    # -- reading ---------------------------------------------------------------------------------------------

    def download(self, operation: Operation, table: Table, row_id: str, column: Column) -> Answer:
        if column.kind == "image":
            image = self.image(table, row_id, column, full=operation.address.option("size") == "full")
            return Answer(200, image, content_type=OCTETS) if image else Answer(204)
        name, mimetype, body = self.found(table, row_id, column)
        headers = {"x-ms-file-name": quote(name), "x-ms-file-size": str(len(body)), "mimetype": mimetype}
        match = _RANGE.fullmatch(operation.headers.get("range", ""))
        if match is None:
            return Answer(200, body, headers, OCTETS)
        if not self.tables.switches.chunked_files:
            raise no_chunks()
        start = int(match.group(1))
        end = min(int(match.group(2)) if match.group(2) else len(body) - 1, len(body) - 1, start + CHUNK_BYTES - 1)
        if start > end:
            raise WebApiError(
                416, "0x80060888", "The requested range lies beyond the end of the file.", {"Content-Range": f"bytes */{len(body)}"}
            )
        headers |= {"Content-Range": f"bytes {start}-{end}/{len(body)}", "x-ms-chunk-size": str(CHUNK_BYTES), "Accept-Ranges": "bytes"}
        return Answer(206, body[start : end + 1], headers, OCTETS)

    def encoded(self, operation: Operation, table: Table, row_id: str, column: Column) -> Answer:
        """Return the same bytes as base64 in JSON, as an address without `$value` gives them (DynamicsWebApi
        downloads this way)."""
        answer = self.download(operation, table, row_id, column)
        context = f"{operation.root}$metadata#{table.set_name}({row_id})/{column.wire}"
        body = msgspec.json.encode({"@odata.context": context, "value": base64.b64encode(answer.body).decode()})
        disposition = {"Content-Disposition": f'attachment; filename="{answer.headers["x-ms-file-name"]}"'}
        return Answer(answer.status, body, answer.headers | disposition)

    def found(self, table: Table, row_id: str, column: Column) -> tuple[str, str, bytes]:
        """Name, MIME type and bytes. Raises WebApiError: 404 for an empty column."""
        value = self._stored(table, row_id, column)
        found = self.kept_files.get(value) if value else None
        if found is None:
            raise WebApiError(404, NOT_FOUND, f"No file attachment found for attribute: {column.name} EntityId: {row_id}.")
        return found

    def image(self, table: Table, row_id: str, column: Column, *, full: bool) -> bytes | None:
        """Return the thumbnail that the column holds, or the image that it was made of."""
        value = self._stored(table, row_id, column)
        if value is None:
            return None
        kept = self.kept_files.of(table, row_id, column) if full else None
        return kept if kept is not None else base64.b64decode(value)

    def _stored(self, table: Table, row_id: str, column: Column) -> str | None:
        return (self.tables.stored(table, row_id, [column.name]) or {}).get(column.name)

    # -- writing ---------------------------------------------------------------------------------------------

    def upload(self, operation: Operation, table: Table, row_id: str, column: Column) -> tuple[Answer, Columns | None]:
        """Return the answer to one request, and the columns to write once all bytes are there."""
        token = operation.address.option("sessiontoken")
        chunked = operation.headers.get("x-ms-transfer-mode", "").lower() == "chunked"
        if (token is not None or chunked) and not self.tables.switches.chunked_files:
            raise no_chunks()
        if token is not None:
            return self._chunk(operation, table, row_id, column, token)
        if "content-range" in operation.headers:
            raise bad_query("A chunk needs the sessiontoken of its upload in the address.")
        self._check_empty(operation, table, row_id, column)
        name = self._name(operation, column)
        mimetype = operation.headers.get("content-type", "").partition(";")[0].strip() or OCTETS
        if chunked:
            return self._begin(operation, table, row_id, column, self.uploads.open(table, row_id, column.name, name, mimetype)), None
        if len(operation.body) > MAX_UPLOAD_BYTES:
            raise WebApiError(400, "0x80044a02", "The file is too large for one request.")
        return Answer(204), self.store(table, row_id, column, name, mimetype, operation.body)

    def _check_empty(self, operation: Operation, table: Table, row_id: str, column: Column) -> None:
        guard = operation.if_none_match == "*"
        if self.tables.switches.null_guards_files:
            guard = guard or operation.headers.get("if-none-match", "").strip() == "null"
        if guard and self._stored(table, row_id, column) is not None:
            raise version_mismatch()

    @staticmethod
    def _name(operation: Operation, column: Column) -> str:
        name = operation.headers.get("x-ms-file-name") or operation.address.option("x-ms-file-name")
        if not name and column.kind == "file":
            raise bad_query("The header x-ms-file-name is missing.")
        return unquote(name or "")

    @staticmethod
    def _begin(operation: Operation, table: Table, row_id: str, column: Column, token: str) -> Answer:
        location = f"{operation.root}{table.set_name}({row_id})/{column.name}?sessiontoken={token}"
        return Answer(200, b"", {"Location": location, "x-ms-chunk-size": str(CHUNK_BYTES), "Accept-Ranges": "bytes"})

    def _chunk(self, operation: Operation, table: Table, row_id: str, column: Column, token: str) -> tuple[Answer, Columns | None]:
        transfer = self.uploads.transfer(token)
        if (transfer.table, transfer.row_id, transfer.column) != (table.name, row_id, column.name):
            raise WebApiError(400, INVALID_ARGUMENT, "The session token belongs to another file.")
        match = _CONTENT_RANGE.fullmatch(operation.headers.get("content-range", ""))
        if match is None:
            raise bad_query("A chunk needs the header 'Content-Range: bytes FIRST-LAST/TOTAL'.")
        start, end, total = map(int, match.groups())
        if end - start + 1 != len(operation.body) or end >= total:
            raise bad_query("The header Content-Range does not fit the bytes that were sent.")
        refuse_too_large(self.tables.environment, table, column, total)
        if not self.uploads.append(transfer, start, total, operation.body):
            return Answer(206), None
        return Answer(204), self.store(table, row_id, column, transfer.name, transfer.mimetype, self.uploads.assembled(transfer))

    def store(self, table: Table, row_id: str, column: Column, name: str, mimetype: str, body: bytes) -> Columns:
        """Keep a file's bytes; gives the columns to write. An image is kept by who writes the row."""
        refuse_too_large(self.tables.environment, table, column, len(body))
        if column.kind == "image":
            return {column.name: to_stored(self.tables.environment, table, column, base64.b64encode(body).decode())}
        return {column.name: self.kept_files.put(table, row_id, column, name, mimetype, body), column.name + "_name": name}

    def remove(self, table: Table, row_id: str, column: Column) -> Columns:
        """Forget the bytes; gives the columns to write."""
        if column.kind == "file":
            self.kept_files.remove(table, row_id, column)
            return {column.name: None, column.name + "_name": None}
        return {column.name: None}


def refuse_too_large(environment: Environment, table: Table, column: Column, size: int) -> None:
    """Refuse a file larger than the column's MaxSizeInKB, as its creator set it, or the platform's."""
    described = environment.described.get(f"{table.name}.{column.name}")
    most = described.properties.get("MaxSizeInKB") if described else None
    kilobytes = int(most) if most else MAX_KB[column.kind]
    if size > kilobytes * 1024:
        raise WebApiError(400, "0x80044a02", f"The file is larger than the column '{column.name}' takes: {kilobytes} KB.")


def no_chunks() -> WebApiError:
    return WebApiError(400, NO_CHUNKS, "Files are not moved in chunks in this environment.")
