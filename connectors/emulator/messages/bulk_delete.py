"""`BulkDelete`: deletes by query, as a job of the organisation (reference, section 6.2)."""

from typing import Any

from connectors.emulator.background.bulk_delete_jobs import FAILURE, BulkDeleteJobs, check_privileges
from connectors.emulator.background.recurrence import parse_recurrence
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_payload, message_not_supported
from connectors.emulator.messages.call import Call
from connectors.emulator.querying.query_expression import read_query
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import POINTER
from connectors.emulator.schema.values import parse_instant

_REQUIRED: dict[str, type] = {
    "QuerySet": list,
    "JobName": str,
    "SendEmailNotification": bool,
    "ToRecipients": list,
    "CCRecipients": list,
    "RecurrencePattern": str,
}
_OPTIONAL: dict[str, type] = {"StartDateTime": str, "SourceImportId": str, "RunNow": bool, "Options": dict}
_OPTIONS = ("CanRecoverDeletedRecords", "RunJobForSandbox", "IsSolutionAware")
_NEVER_DELETED = ("activityparty", FAILURE)
MAX_NAME = 256


def bulk_delete(call: Call) -> Answer:
    """Check everything that can be checked now, then let the job wait for its time."""
    for name in _REQUIRED:
        call.required(name)
    for name, value in call.parameters.items():
        expected = (_REQUIRED | _OPTIONAL).get(name)
        if expected is None and "@" not in name:
            raise bad_payload(call.name, f"The parameter '{name[:60]}' in the request payload is not a valid parameter for '{call.name}'.")
        if expected is not None and not isinstance(value, expected) and not (value is None and name in _OPTIONAL):
            raise bad_payload(call.name, f"The parameter '{name}' of '{call.name}' has a value of the wrong type.")
    if not 0 < len(call.parameters["JobName"]) <= MAX_NAME:
        raise WebApiError(400, INVALID_ARGUMENT, f"The parameter 'JobName' takes 1 to {MAX_NAME} characters.")
    parse_recurrence(call.parameters["RecurrencePattern"])
    _check_options(call, call.parameters.get("Options") or {})
    jobs = BulkDeleteJobs(call.tables, call.stats, call.reader.gate)
    _check_queries(call, jobs)
    now = call.tables.clock.now()
    start = parse_instant(call.parameters["StartDateTime"]) if call.parameters.get("StartDateTime") else now
    if start is None:
        raise bad_payload(call.name, "Cannot convert the literal of 'StartDateTime' to the expected type 'Edm.DateTimeOffset'.")
    if call.parameters.get("RunNow"):
        start = now
    return call.answer({"JobId": jobs.add(call.parameters, start, call.operation.user)})


def _check_options(call: Call, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if "@" in name:
            continue
        if name not in _OPTIONS or not isinstance(value, bool | None):
            raise bad_payload(call.name, f"The property '{name[:60]}' does not exist on the type of 'Options', or is not a boolean.")


def _check_queries(call: Call, jobs: BulkDeleteJobs) -> None:
    queries = call.parameters["QuerySet"]
    if not queries:
        raise WebApiError(400, INVALID_ARGUMENT, "The parameter 'QuerySet' must hold at least one query.")
    for document in queries:
        table = read_query(call.environment, document, call.tables.clock.now(), call.operation.user).table
        if table.name in _NEVER_DELETED or table.intersect or (table.view and table.name != POINTER):
            raise message_not_supported("BulkDelete", table.name)
        check_privileges(jobs.gate.access, call.operation, table)
