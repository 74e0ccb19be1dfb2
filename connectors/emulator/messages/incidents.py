"""Resolving an incident (Microsoft Learn, "CloseIncident Action"): it gets the status, and an activity that
tells how it was resolved. That a plain update may not do the same is inferred, and is a switch
(`incident_by_action`)."""

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.messages.target import addressed
from connectors.emulator.request.exchange import Answer
from connectors.emulator.storage.writes import INCIDENT, RESOLVED

RESOLUTION = "incidentresolution"
DEFAULT_STATUS = -1  # of the state


def close_incident(call: Call) -> Answer:
    resolution, status = call.required("IncidentResolution"), call.required("Status")
    bound = resolution.get("incidentid@odata.bind") if isinstance(resolution, dict) else None
    if not isinstance(bound, str) or not isinstance(status, int):
        raise WebApiError(400, INVALID_ARGUMENT, "CloseIncident takes an IncidentResolution with its incident, and the number of a status.")
    target = addressed(call, bound)
    if target.table.name != INCIDENT:
        raise WebApiError(400, INVALID_ARGUMENT, "incidentid@odata.bind is not the address of an incident.")
    call.access.require(call.operation, "Write", target.table, target.row_id)
    if not call.tables.exists(target.table, target.row_id):
        raise no_such_row(target.table.name, target.row_id)
    with call.tables.transaction():
        chosen = target.table.default_status(RESOLVED) if status == DEFAULT_STATUS else status
        call.writer.write(call.operation, target.table, target.row_id, {"statecode": RESOLVED, "statuscode": chosen}, by_action=True)
        if (activity := call.environment.tables.get(RESOLUTION)) is not None:
            known = {name: value for name, value in resolution.items() if name in activity.by_wire or name.endswith("@odata.bind")}
            made = call.writer.create(call.operation, activity, known)
            call.writer.write(call.operation, activity, made, {"statecode": 1})
    return Answer(204, b"")
