"""Bringing a row back from the recycle bin. Which conflicts refuse it: Microsoft Learn, "Restore deleted
records with code"."""

from typing import Any

from connectors.emulator.errors import WebApiError, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.messages.target import target_of
from connectors.emulator.request.exchange import Answer
from connectors.emulator.storage.remains.recycle_bin import Binned, RecycleBin

KEY_IN_USE = "0x80049939"
ALTERNATE_KEY_IN_USE = "0x80049929"
REFERENCE_GONE = "0x80049959"


def restore(call: Call) -> Answer:
    """Restore the row and what was deleted along, or nothing; columns of `Target` override old values."""
    target = target_of(call)
    recycle_bin = RecycleBin(call.tables)
    rows = recycle_bin.together(target.table, target.row_id)
    if not rows:
        raise no_such_row(target.table.name, target.row_id)
    payload = call.writer.payloads.read(call.operation, target.table, target.columns, creating=False)
    together = {(binned.table.name, binned.row_id) for binned in rows}
    for binned in rows:
        call.reader.gate.access.require(call.operation, "Create", binned.table)
        overrides = payload.values if binned is rows[0] else {}
        _check_keys(call, binned, overrides)
        _check_references(call, binned, overrides, together)
    for binned in rows:
        recycle_bin.take_back(binned, call.operation.user)
    if payload.values:
        call.writer.write(call.operation, target.table, target.row_id, payload.values)
    for relation, ids in payload.linked:
        for child_id in ids:
            call.writer.link(call.operation, relation, target.row_id, child_id)
    return call.answer({"id": target.row_id})


def _check_keys(call: Call, binned: Binned, overrides: dict[str, Any]) -> None:
    table = binned.table
    named = f"'{table.schema_name}' with primary key '{table.key}' and primary key value '{binned.row_id}'"
    if call.tables.exists(table, binned.row_id):
        raise WebApiError(400, KEY_IN_USE, f"Please delete the existing conflicting record {named} before attempting restore.")
    values = {**binned.values, **overrides}
    for columns in table.alternate_keys.values():
        key = {column.name: values[column.name] for column in columns}
        if None not in key.values() and call.tables.find(table, key) is not None:
            raise WebApiError(
                400,
                ALTERNATE_KEY_IN_USE,
                f"Duplicate entity key preventing restore of record {named}. See inner exception for entity key details.",
            )


def _check_references(call: Call, binned: Binned, overrides: dict[str, Any], together: set[tuple[str, str]]) -> None:
    """Check that each lookup finds its row, live or restored along; one that may dangle need not."""
    values = {**binned.values, **overrides}
    for relation in binned.table.parents:
        column = binned.table.columns[relation.column]
        row_id = values[column.name]
        if row_id is None or relation.on_delete == "no_cascade" or (column.polymorphic and values[column.type_column] != relation.parent):
            continue
        parent = call.environment.tables[relation.parent]
        if (parent.name, row_id) not in together and not call.tables.exists(parent, row_id):
            raise WebApiError(
                400,
                REFERENCE_GONE,
                f"Entity with id '{row_id}' and logical name '{parent.name}' does not exist. We cannot restore the reference "
                f"'{parent.key}' that must be restored as part of this Restore call. ValueToBeRestored: {row_id}, "
                f"ReferencedEntityName: {parent.name}, AttributeName: {column.name}",
            )
