"""Merging two rows (Microsoft Learn, "Merge Action"): what belongs to the subordinate belongs to the target
from then on, and the subordinate stays, inactive, with `masterid` and `merged`. That an organisation's own
relationships hand over their rows too is inferred: the platform makes them so for tables that can be
merged."""

from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_query, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.messages.target import Target, target_of
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import Relationship
from connectors.emulator.schema.table_specs import MASTER, MERGEABLE, MERGED
from connectors.emulator.storage.writes import back_reference

INACTIVE = 1


def merge(call: Call) -> Answer:
    call.access.require_named(call.operation, "prvMerge")
    target, subordinate = target_of(call), target_of(call, "Subordinate")
    content = call.parameters.get("UpdateContent") or {}
    if not isinstance(call.required("PerformParentingChecks"), bool) or not isinstance(content, dict):
        raise bad_query("The parameter 'PerformParentingChecks' takes a boolean, and 'UpdateContent' an object.")
    _check(call, target, subordinate)
    columns = {name: value for name, value in content.items() if name not in ("@odata.type", target.table.key)}
    with call.tables.transaction():
        for relation in target.table.children:
            _hand_over(call, relation, subordinate.row_id, target.row_id)
        call.writer.update(call.operation, target.table, target.row_id, columns)
        ended: dict[str, Any] = {"statecode": INACTIVE, "statuscode": target.table.default_status(INACTIVE)}
        call.writer.write(call.operation, target.table, subordinate.row_id, {**ended, MASTER: target.row_id, MERGED: 1})
    return Answer(204, b"")


def _check(call: Call, target: Target, subordinate: Target) -> None:
    if target.table is not subordinate.table or target.table.name not in MERGEABLE or target.row_id == subordinate.row_id:
        raise WebApiError(400, INVALID_ARGUMENT, f"Merge takes two different rows of one of these tables: {', '.join(MERGEABLE)}.")
    for each in (target, subordinate):
        stored = call.tables.stored(each.table, each.row_id, ["statecode"])
        if stored is None:
            raise no_such_row(each.table.name, each.row_id)
        if stored["statecode"] == INACTIVE:
            raise WebApiError(400, INVALID_ARGUMENT, f"The {each.table.name} {each.row_id} is not active, and cannot be merged.")
        call.access.require(call.operation, "Write", each.table, each.row_id)


def _hand_over(call: Call, relation: Relationship, subordinate: str, target: str) -> None:
    """Make the rows that one relationship leads to from the subordinate the target's. Rows of tables that no
    client may write, as participants, follow too."""
    child = call.environment.tables[relation.child]
    if relation.column == MASTER:
        return
    for row in call.tables.children(relation, subordinate):
        if row != target:  # the target does not become its own parent
            call.tables.update(child, row, back_reference(child, relation, target), call.operation.user)
