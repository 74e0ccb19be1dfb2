"""Files, notes and attachments moved in blocks, by messages; by the address of a column they are in
storage/files/file_columns.py.

Initialize gives a continuation token, blocks are sent or fetched under it, and Commit makes the file of the
blocks that it lists. Without an id, the note or attachment of a Commit is created. Source: section 12 of the
wire reference; Microsoft Learn, "Use file column data" and "Attachments and notes"."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, NOT_FOUND, WebApiError, bad_query, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.messages.target import target_of
from connectors.emulator.request.exchange import Answer
from connectors.emulator.request.paths import type_of
from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.schema.table_specs import BODIES
from connectors.emulator.schema.values import guid
from connectors.emulator.storage.files.file_columns import OCTETS, Files, no_chunks
from connectors.emulator.storage.files.uploads import CHUNK_BYTES, Transfer

Message = Callable[[Call], Answer]

# -- file columns --------------------------------------------------------------------------------------------


def initialize_file_upload(call: Call) -> Answer:
    table, row_id, column = _file_column(call, "Write")
    token = Files(call.tables).uploads.open(table, row_id, column.name, _text(call, "FileName"), OCTETS)
    return call.answer({"FileContinuationToken": token})


def commit_file_upload(call: Call) -> Answer:
    transfer, body = _joined(call)
    table = call.environment.tables[transfer.table]
    column = table.columns[transfer.column]
    if column.kind != "file":
        raise _wrong_token()
    name = str(call.parameters.get("FileName") or transfer.name)
    mimetype = str(call.parameters.get("MimeType") or transfer.mimetype)
    call.stats.count("update")
    columns = Files(call.tables).store(table, transfer.row_id, column, name, mimetype, body)
    call.writer.write(call.operation, table, transfer.row_id, columns)
    return call.answer({"FileId": columns[column.name], "FileSizeInBytes": len(body)})


def initialize_file_download(call: Call) -> Answer:
    table, row_id, column = _file_column(call, "Read")
    _refuse_hidden(call, table, row_id, column)
    files = Files(call.tables)
    name, mimetype, body = files.found(table, row_id, column)
    token = files.uploads.open(table, row_id, column.name, name, mimetype)
    supported = call.switches.chunked_files
    return call.answer({"FileContinuationToken": token, "FileSizeInBytes": len(body), "FileName": name, "IsChunkingSupported": supported})


def delete_file(call: Call) -> Answer:
    """Empty the file column that holds the file."""
    file_id = guid(_text(call, "FileId"))
    statement = "SELECT tab, row_id, col FROM _files WHERE id = ?"
    found = call.tables.connection.execute(statement, (file_id,)).fetchone() if file_id else None
    table = call.environment.tables.get(found[0]) if found else None
    if found is None or table is None or table.columns[found[2]].kind != "file":
        raise WebApiError(404, NOT_FOUND, f"No file attachment found with the id {file_id}.")
    call.stats.count("update")
    call.writer.write(call.operation, table, found[1], Files(call.tables).remove(table, found[1], table.columns[found[2]]))
    return Answer(204)


def _file_column(call: Call, right: str) -> tuple[Table, str, Column]:
    target, name = target_of(call), _text(call, "FileAttributeName")
    column = target.table.columns.get(name)
    if column is None or column.kind != "file":
        raise WebApiError(400, INVALID_ARGUMENT, f"The attribute '{name[:100]}' of '{target.table.name}' is not a file column.")
    _require_row(call, target.table, target.row_id, right)
    return target.table, target.row_id, column


# -- blocks --------------------------------------------------------------------------------------------------


def upload_block(call: Call) -> Answer:
    uploads = Files(call.tables).uploads
    transfer = uploads.transfer(call.required("FileContinuationToken"))
    block = _text(call, "BlockId")
    _decoded(block, "BlockId")
    uploads.put(transfer, block, _decoded(call.required("BlockData"), "BlockData"))
    return Answer(204)


def download_block(call: Call) -> Answer:
    files = Files(call.tables)
    transfer = files.uploads.transfer(call.required("FileContinuationToken"))
    offset, length = _number(call, "Offset"), _number(call, "BlockLength")
    body = _current(call, files, transfer)
    if not call.switches.chunked_files:
        if offset or length < len(body):
            raise no_chunks()
    elif length > CHUNK_BYTES:
        raise WebApiError(400, INVALID_ARGUMENT, f"The block is larger than the maximum of {CHUNK_BYTES} bytes.")
    if offset > len(body):
        raise WebApiError(400, INVALID_ARGUMENT, "The offset lies beyond the end of the file.")
    return call.answer({"Data": base64.b64encode(body[offset : offset + length]).decode()})


def _current(call: Call, files: Files, transfer: Transfer) -> bytes:
    table = call.environment.tables[transfer.table]
    column = table.columns[transfer.column]
    _require_row(call, table, transfer.row_id, "Read")
    _refuse_hidden(call, table, transfer.row_id, column)
    if column.kind == "file":
        return files.found(table, transfer.row_id, column)[2]
    return _body_of(call, table, transfer.row_id)


def _joined(call: Call) -> tuple[Transfer, bytes]:
    uploads = Files(call.tables).uploads
    transfer = uploads.transfer(call.required("FileContinuationToken"))
    blocks = call.required("BlockList")
    if not isinstance(blocks, list) or not blocks or not all(isinstance(block, str) for block in blocks):
        raise bad_query("The parameter 'BlockList' takes an array of block ids.")
    return transfer, uploads.assembled(transfer, blocks)


# -- notes and attachments -----------------------------------------------------------------------------------


def initialize_body_upload(name: str) -> Message:
    """Return the message for notes, or that for attachments."""

    def message(call: Call) -> Answer:
        table, row_id, columns = _body_target(call, name)
        if row_id:
            _require_row(call, table, row_id, "Write")
        file_name, mimetype = (str(columns.get(column) or "") for column in ("filename", "mimetype"))
        token = Files(call.tables).uploads.open(table, row_id, BODIES[name], file_name, mimetype)
        return call.answer({"FileContinuationToken": token})

    return message


def commit_body_upload(name: str) -> Message:
    def message(call: Call) -> Answer:
        table, row_id, columns = _body_target(call, name)
        transfer, body = _joined(call)
        if (transfer.table, transfer.row_id) != (name, row_id):
            raise _wrong_token()
        kept = {"filename": transfer.name or None, "mimetype": transfer.mimetype or None}
        document = {**{key: value for key, value in kept.items() if value}, **columns, BODIES[name]: base64.b64encode(body).decode()}
        if row_id:
            call.stats.count("update")
            call.writer.update(call.operation, table, row_id, document)
        else:
            call.stats.count("create")
            row_id = call.writer.create(call.operation, table, document)
        id_name = "AnnotationId" if name == "annotation" else "ActivityMimeAttachmentId"
        return call.answer({id_name: row_id, "FileSizeInBytes": len(body)})

    return message


def initialize_body_download(name: str) -> Message:
    def message(call: Call) -> Answer:
        table, row_id, _ = _body_target(call, name)
        _require_row(call, table, row_id, "Read")
        size = len(_body_of(call, table, row_id))
        stored = call.tables.stored(table, row_id, ["filename", "mimetype"]) or {}
        token = Files(call.tables).uploads.open(table, row_id, BODIES[name], stored.get("filename") or "", stored.get("mimetype") or "")
        return call.answer({"FileContinuationToken": token, "FileSizeInBytes": size, "FileName": stored.get("filename")})

    return message


def _body_target(call: Call, name: str) -> tuple[Table, str, dict[str, Any]]:
    """Return the table, the row's id or "" for one that is yet to be created, and the other columns that the
    parameter `Target` holds."""
    table, document = call.environment.tables.get(name), call.required("Target")
    if table is None:
        raise bad_query(f"The entity with a name = '{name}' was not found in the MetadataCache.")
    if not isinstance(document, dict):
        raise bad_query("The parameter 'Target' takes an object that names a row.")
    if document.get(table.key) is None and "@odata.id" not in document and type_of(document) == name:
        return table, "", {key: value for key, value in document.items() if key not in (table.key, BODIES[name])}
    target = target_of(call)
    if target.table is not table:
        raise bad_query(f"The parameter 'Target' of '{call.name}' names a row of '{target.table.name}'.")
    return table, target.row_id, {key: value for key, value in target.columns.items() if key != BODIES[name]}


def _require_row(call: Call, table: Table, row_id: str, right: str) -> None:
    """Check that the row exists and that the caller may read it or write to it."""
    if not call.tables.exists(table, row_id):
        raise no_such_row(table.name, row_id)
    call.access.require(call.operation, right, table, row_id)


def _refuse_hidden(call: Call, table: Table, row_id: str, column: Column) -> None:
    """Refuse a secured column, which is empty for a caller who may not see it."""
    if call.reader.gate.columns.hidden(call.operation, table, column):
        raise WebApiError(404, NOT_FOUND, f"No file attachment found for attribute: {column.name} EntityId: {row_id}.")


def _body_of(call: Call, table: Table, row_id: str) -> bytes:
    column = BODIES[table.name]
    value = (call.tables.stored(table, row_id, [column]) or {}).get(column)
    return base64.b64decode(value) if value else b""


# -- parameters ----------------------------------------------------------------------------------------------


def _text(call: Call, name: str) -> str:
    value = call.required(name)
    if not isinstance(value, str) or not value:
        raise bad_query(f"The parameter '{name}' takes a text.")
    return value


def _number(call: Call, name: str) -> int:
    value = call.required(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_query(f"The parameter '{name}' takes a number from 0.")
    return value


def _decoded(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as problem:
        raise WebApiError(400, INVALID_ARGUMENT, f"The parameter '{name}' is not a valid Base-64 string.") from problem


def _wrong_token() -> WebApiError:
    return WebApiError(400, INVALID_ARGUMENT, "The file continuation token belongs to another file.")
