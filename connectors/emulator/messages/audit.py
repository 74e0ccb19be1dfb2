"""Reading and purging the history of rows. Shapes: Microsoft Learn, "Retrieve the history of audited data
changes" and "Delete audit data"."""

from datetime import UTC, datetime
from typing import Any

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_query, no_property, no_such_row, unknown_function
from connectors.emulator.messages.call import Call
from connectors.emulator.messages.target import target_of
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import parse_instant
from connectors.emulator.storage.remains.audit import AUDIT, LOG_DELETION, AuditTrail, Change, changes_of, wire_value

MAX_DETAILS = 5_000  # on one page, and where no page size is asked for
READ_HISTORY = "prvReadRecordAuditHistory"
DELETE_HISTORY = "prvDeleteRecordChangeHistory"
DELETE_PARTITIONS = "prvDeleteAuditPartitions"

Document = dict[str, Any]


def retrieve_record_change_history(call: Call) -> Answer:
    call.access.require_named(call.operation, READ_HISTORY)
    target = target_of(call)
    return _answered(call, target.table, AuditTrail(call.tables).history(target.table, target.row_id))


def retrieve_attribute_change_history(call: Call) -> Answer:
    call.access.require_named(call.operation, READ_HISTORY)
    target = target_of(call)
    name = call.required("AttributeLogicalName")
    if name not in target.table.columns:
        raise no_property(str(name)[:100], target.table.name)
    history = [
        (audit_id, [change for change in changes if change["logicalName"] == name])
        for audit_id, changes in AuditTrail(call.tables).history(target.table, target.row_id)
    ]
    return _answered(call, target.table, [(audit_id, changes) for audit_id, changes in history if changes])


def _answered(call: Call, table: Table, history: list[tuple[str, list[Change]]]) -> Answer:
    """Return one page of a history, as the parameter `PagingInfo` requests it."""
    paging = call.parameters.get("PagingInfo")
    paging = paging if paging is not None else {}
    if not isinstance(paging, dict):
        raise bad_query("The parameter 'PagingInfo' takes an object.")
    number, size = (paging.get(name) or default for name, default in (("PageNumber", 1), ("Count", MAX_DETAILS)))
    if any(isinstance(each, bool) or not isinstance(each, int) or each < 1 for each in (number, size)):
        raise WebApiError(400, INVALID_ARGUMENT, "PageNumber and Count of the parameter 'PagingInfo' are whole numbers from 1.")
    size = min(size, MAX_DETAILS)
    page = history[(number - 1) * size : number * size]
    more = len(history) > number * size
    collection = {
        "MoreRecords": more,
        "PagingCookie": f'<cookie page="{number}"><auditid last="{{{page[-1][0].upper()}}}" /></cookie>' if more else "",
        "TotalRecordCount": len(history) if paging.get("ReturnTotalRecordCount") else -1,
        "AuditDetails": [_detail(table, changes) for _, changes in page],
    }
    return call.answer({"AuditDetailCollection": collection})


def retrieve_audit_details(call: Call) -> Answer:
    if call.table is None or call.row_id is None or call.table.name != AUDIT:
        raise unknown_function(call.name)
    call.access.require_named(call.operation, READ_HISTORY)
    stored = call.tables.stored(call.table, call.row_id, ["action", "objecttypecode", "changedata"]) or {}
    table = call.environment.tables.get(stored["objecttypecode"] or "")
    if stored["action"] == LOG_DELETION or table is None:
        return call.answer({"AuditDetail": {"@odata.type": "#Microsoft.Dynamics.CRM.AuditDetail"}})
    return call.answer({"AuditDetail": _detail(table, changes_of(stored["changedata"]))})


def _detail(table: Table, changes: list[Change]) -> Document:
    """Return old and new values side by side; a column that had or has none is absent there."""
    sides: dict[str, Document] = {}
    for side in ("oldValue", "newValue"):
        values: Document = {"@odata.type": f"#Microsoft.Dynamics.CRM.{table.name}"}
        for change in changes:
            column = table.columns[str(change["logicalName"])]
            if change[side] is not None:
                values[column.wire] = wire_value(column, change[side])
        sides[side] = values
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.AttributeAuditDetail",
        "InvalidNewValueAttributes": [],
        "LocLabelLanguageCode": 0,
        "DeletedAttributes": {"Count": 0, "Keys": [], "Values": []},
        "OldValue": sides["oldValue"],
        "NewValue": sides["newValue"],
    }


def delete_record_change_history(call: Call) -> Answer:
    call.access.require_named(call.operation, DELETE_HISTORY)
    target = target_of(call)
    if call.switches.history_of_deleted == "refuse" and not call.tables.exists(target.table, target.row_id):
        raise no_such_row(target.table.name, target.row_id)
    number = AuditTrail(call.tables).delete_history(target.table, target.row_id, call.operation.user)
    return call.answer({"DeletedEntriesCount": number})


def delete_audit_data(call: Call) -> Answer:
    """Delete whole partitions, each a quarter of a year, that ended before a date. On-premises may have none,
    and then single rows are deleted."""
    call.access.require_named(call.operation, DELETE_PARTITIONS)
    end = call.required("EndDate")
    until = parse_instant(end) if isinstance(end, str) else None
    if until is None:
        raise WebApiError(400, INVALID_ARGUMENT, "The parameter 'EndDate' takes an instant.")
    partitioned = call.switches.quarterly_audit_partitions
    if partitioned:  # the quarter of today is still being written
        until = _quarter(min(until, call.tables.clock.now()))
    months = AuditTrail(call.tables).delete_before(instant_text(until), call.operation.user)
    if not months:
        raise WebApiError(400, INVALID_ARGUMENT, "There are no partitions ending before the given date.")
    partitions = {(month[:4], (int(month[5:]) - 1) // 3) for month in months}
    return call.answer({"PartitionsDeleted": len(partitions) if partitioned else 1})


def _quarter(instant: datetime) -> datetime:
    """Return the start of the quarter that contains an instant."""
    return datetime(instant.year, (instant.month - 1) // 3 * 3 + 1, 1, tzinfo=UTC)
