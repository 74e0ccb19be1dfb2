"""The messages of long-term retention.

Microsoft Learn names their parameters ("Retain Action", "BulkRetain Action", "RollbackRetain Action",
"PurgeRetainedContent Action", "ValidateRetentionConfig Action") and says that only the service itself should
call them. What they answer, and that they take the privilege to delete, is inferred."""

from connectors.emulator.background.retention_policies import matching, read_criteria
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, message_not_supported, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.messages.target import Target, target_of
from connectors.emulator.querying.criteria import entity
from connectors.emulator.querying.fetchxml.query import Fetch
from connectors.emulator.request.exchange import Answer
from connectors.emulator.storage.remains.long_term import RetainedRows


def retain(call: Call) -> Answer:
    """Retain one row with its cascade."""
    target = _target(call)
    if not call.tables.exists(target.table, target.row_id):
        raise no_such_row(target.table.name, target.row_id)
    call.reader.gate.access.require(call.operation, "Delete", target.table, target.row_id)
    RetainedRows(call.tables).retain(target.table, target.row_id)
    return call.answer({})


def bulk_retain(call: Call) -> Answer:
    """Retain all rows that a query finds, or `PageSize` of them."""
    fetch = _criteria(call)
    size = call.parameters.get("PageSize")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise WebApiError(400, INVALID_ARGUMENT, "The parameter 'PageSize' takes a whole number above zero.")
    table = fetch.root.table
    call.reader.gate.access.require(call.operation, "Delete", table)
    retained = RetainedRows(call.tables)
    for row_id in matching(call.tables, call.reader.gate, call.operation, fetch, size):
        if call.tables.exists(table, row_id):
            retained.retain(table, row_id)
    return call.answer({})


def rollback_retain(call: Call) -> Answer:
    """Make one row and its cascade live again."""
    target = _target(call)
    retained = RetainedRows(call.tables)
    if not retained.holds(target.table, target.row_id):
        raise no_such_row(target.table.name, target.row_id)
    call.reader.gate.access.require(call.operation, "Create", target.table)
    retained.roll_back(target.table, target.row_id)
    return call.answer({})


def purge_retained_content(call: Call) -> Answer:
    """Remove from the live tables what has been copied. Here a row leaves them when it is retained, so there
    is nothing to remove."""
    entity(call.environment, str(call.required("EntityName")))
    return call.answer({})


def validate_retention_config(call: Call) -> Answer:
    _criteria(call)
    return call.answer({})


def _target(call: Call) -> Target:
    target = target_of(call)
    if target.table.view or target.table.intersect:
        raise message_not_supported(call.name, target.table.name)
    return target


def _criteria(call: Call) -> Fetch:
    table = entity(call.environment, str(call.required("EntityName")))
    return read_criteria(call.tables, call.reader.gate, call.operation, table.name, str(call.required("FetchXml")))
