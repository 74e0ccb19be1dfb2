"""Many rows of one table in one message, all or nothing.

Tables here are standard ones. Elastic tables are not emulated: no partial success, no `partitionId`, and
DeleteMultiple, which only they have, is refused as it is for a standard table. Source: section 6.1 of the
wire reference; Microsoft Learn, "Use bulk operation messages"."""

from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_payload, message_not_supported, no_such_key, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.request.exchange import Answer
from connectors.emulator.request.paths import NAMESPACE, Key, below_service, parse_address, parse_key
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import guid
from connectors.emulator.storage.message_filters import takes_bulk_messages

Target = dict[str, Any]


def create_multiple(call: Call) -> Answer:
    table, targets = _table(call), _targets(call)
    return call.answer({"Ids": [_create(call, table, target, {}) for target in targets]})


def update_multiple(call: Call) -> Answer:
    table, targets = _table(call), _targets(call)
    for target in targets:
        key = _key(table, target)
        if key is None:
            raise bad_payload(table.set_name, f"The primary key '{table.key}' is missing in a target of UpdateMultiple.")
        row_id = _found(call, table, key)
        if row_id is None:
            raise no_such_row(table.name, key.row_id) if key.row_id else no_such_key(table.name)
        _update(call, table, row_id, target)
    return Answer(204)


def upsert_multiple(call: Call) -> Answer:
    """Return 204 whether rows were created or updated, also for a client that prefers a representation."""
    table, targets = _table(call), _targets(call)
    for target in targets:
        key = _key(table, target)
        if key is None:
            raise bad_payload(table.set_name, "A target of UpsertMultiple has neither its primary key nor '@odata.id'.")
        row_id = _found(call, table, key)
        if row_id is not None:
            _update(call, table, row_id, target)
            continue
        if repeated := [name for name in key.values if table.columns[name].wire in target]:
            raise bad_payload(
                table.set_name,
                f"The key column '{repeated[0]}' stands in '@odata.id' and among the columns of a row to be created: an item with the same "
                "key has already been added.",
            )
        _create(call, table, target, {table.key: key.row_id} if key.row_id else dict(key.values))
    return Answer(204)


def delete_multiple(call: Call) -> Answer:
    raise WebApiError(400, "0x80040216", "DeleteMultiple has not yet been implemented.")


# -- targets -------------------------------------------------------------------------------------------------


def _table(call: Call) -> Table:
    assert call.table is not None
    if not takes_bulk_messages(call.table):
        raise message_not_supported(call.name, call.table.name)
    return call.table


def _targets(call: Call) -> list[Target]:
    """Return every target, checked to be a row of the table that the message is bound to."""
    assert call.table is not None
    table, targets = call.table, call.required("Targets")
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise bad_payload(table.set_name, "The parameter 'Targets' takes an array of objects.")
    if not targets:
        raise WebApiError(400, INVALID_ARGUMENT, f"The 'Targets' of '{call.name}' are empty: at least one is needed.")
    for target in targets:
        type_name = target.get("@odata.type")
        if not isinstance(type_name, str):
            raise bad_payload(
                table.set_name,
                "A type named '' could not be resolved by the model: every target needs the annotation '@odata.type', because the declared "
                f"type '{NAMESPACE}crmbaseentity' is abstract.",
            )
        if type_name.removeprefix("#") != NAMESPACE + table.name:
            raise bad_payload(table.set_name, f"The type '{type_name[:80]}' of a target is not that of the set, '{NAMESPACE}{table.name}'.")
    return targets


def _key(table: Table, target: Target) -> Key | None:
    """Return which row a target means: by `@odata.id`, or by its primary key."""
    address = target.get("@odata.id")
    if address is None:
        given = target.get(table.key)
        if given is None:
            return None
        row_id = guid(given) if isinstance(given, str) else None
        if row_id is None:
            raise bad_payload(table.set_name, f"Cannot convert the literal '{str(given)[:60]}' to the expected type 'Edm.Guid'.")
        return Key(row_id)
    try:
        segments = parse_address(below_service(str(address))).segments
    except UnicodeDecodeError:
        segments = ()
    if len(segments) != 1 or segments[0].name != table.set_name or segments[0].key is None:
        raise bad_payload(table.set_name, f"The annotation '@odata.id' takes the address of a row in '{table.set_name}'.")
    return parse_key(table, segments[0].key)


def _found(call: Call, table: Table, key: Key) -> str | None:
    row_id = key.row_id or call.tables.find(table, key.values)
    return row_id if row_id and call.tables.exists(table, row_id) else None


def _create(call: Call, table: Table, target: Target, given: dict[str, Any]) -> str:
    call.stats.count("create")
    return call.writer.create(call.operation, table, target, given)


def _update(call: Call, table: Table, row_id: str, target: Target) -> None:
    call.stats.count("update")
    call.writer.update(call.operation, table, row_id, target)
