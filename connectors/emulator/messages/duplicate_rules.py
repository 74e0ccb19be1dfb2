"""Publishing a duplicate detection rule, and taking it back: the job has ended when the answer comes."""

import uuid

import msgspec

from connectors.emulator.errors import bad_query, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import guid
from connectors.emulator.storage.load import load_rows

PUBLISHING = 7  # asyncoperation.operationtype


def publish(call: Call) -> Answer:
    """Answer `duplicaterules(id)/…PublishDuplicateRule` with the job."""
    table = _rules(call)
    assert call.row_id is not None
    if call.table is not table:
        raise bad_query("PublishDuplicateRule is bound to the entity type 'Microsoft.Dynamics.CRM.duplicaterule'.")
    call.access.require_named(call.operation, "prvPublishDuplicateRule")
    call.access.require(call.operation, "Write", table, call.row_id)
    call.tables.update(table, call.row_id, {"statecode": 1, "statuscode": 2}, call.operation.user)
    job = str(uuid.uuid4())
    now = call.tables.clock.text()
    row = {
        "asyncoperationid": job,
        "name": "Publish Duplicate Detection Rule",
        "operationtype": PUBLISHING,
        "statecode": 3,
        "statuscode": 30,
    }
    load_rows(call.tables, [("asyncoperation", {**row, "startedon": now, "completedon": now})])
    context = f"{call.operation.root}$metadata#asyncoperations/$entity"
    return Answer(200, msgspec.json.encode({"@odata.context": context, "asyncoperationid": job, "statecode": 3, "statuscode": 30}))


def unpublish(call: Call) -> Answer:
    """Answer `UnpublishDuplicateRule {"DuplicateRuleId"}`."""
    table = _rules(call)
    given = str(call.required("DuplicateRuleId"))
    rule = guid(given)
    call.access.require_named(call.operation, "prvPublishDuplicateRule")
    if rule is None or not call.tables.exists(table, rule):
        raise no_such_row(table.name, given)
    call.access.require(call.operation, "Write", table, rule)
    call.tables.update(table, rule, {"statecode": 0, "statuscode": 0}, call.operation.user)
    return Answer(204)


def _rules(call: Call) -> Table:
    return call.environment.tables["duplicaterule"]
