"""Bulk deletes as they progress: waiting, in progress, completed, according to the emulator's clock.

Nothing runs by itself: before each request every open job is brought to where it should be by now. Its rows
are deleted at the moment at which it starts, each in a transaction of its own; after that it only shows as in
progress for a while. A recurring job keeps its `asyncoperation`, which waits again after each run; every run
has a `bulkdeleteoperation`. That the operation is deleted with its job and the failures with their operation
is section 6.2 and 11.5 of the reference; how a recurring job waits is inferred."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import msgspec

from connectors.emulator.background.recurrence import parse_recurrence
from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.conditions.stats import Stats
from connectors.emulator.errors import WebApiError
from connectors.emulator.querying.query_expression import ROW, Selection, read_query
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Table
from connectors.emulator.security.admission import Gate
from connectors.emulator.security.custom_logic import BYPASS
from connectors.emulator.security.privileges_on_rows import Access
from connectors.emulator.storage.cascades import Row
from connectors.emulator.storage.new_rows import Values
from connectors.emulator.storage.own_rows import add_own_row
from connectors.emulator.storage.remains.audit import AUDIT, AuditTrail
from connectors.emulator.storage.remains.long_term import RetainedRows
from connectors.emulator.storage.remains.recycle_bin import RecycleBin
from connectors.emulator.storage.sources import BIN, RETAINED
from connectors.emulator.storage.tables import Tables

JOB, RUN, FAILURE = "asyncoperation", "bulkdeleteoperation", "bulkdeletefailure"
BULK_DELETE = 13  # operationtype
READY, SUSPENDED, LOCKED, COMPLETED = range(4)
WAITING_FOR_RESOURCES, WAITING, IN_PROGRESS, SUCCEEDED, FAILED, CANCELED = 0, 10, 20, 30, 31, 32
MAX_DESCRIPTION = 512


@dataclass
class Outcome:
    """What one run did."""

    deleted: int = 0
    failures: list[tuple[int, Table, str, WebApiError]] = field(default_factory=list)  # index of the query, row, why
    along: Counter[str] = field(default_factory=Counter)  # table -> rows that went with another
    purged_audit: int = 0
    refusal: WebApiError | None = None  # what ended the run early


class BulkDeleteJobs:
    """Every bulk delete of the organisation."""

    def __init__(self, tables: Tables, stats: Stats, gate: Gate) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.stats = stats
        self.recycle_bin = RecycleBin(tables)
        self.retained = RetainedRows(tables)
        self.audit = AuditTrail(tables)
        self.gate = gate

    # -- what is due -----------------------------------------------------------------------------------------

    def add(self, parameters: dict[str, Any], start: datetime, user: str) -> str:
        """Add a job that waits until a moment, or for resources when that is past, and return its id."""
        now = self.tables.clock.now()
        scheduled = max(now, start)
        values: Values = {
            "name": parameters["JobName"],
            "operationtype": BULK_DELETE,
            "messagename": "BulkDelete",
            "primaryentitytype": parameters["QuerySet"][0]["EntityName"],
            "data": msgspec.json.encode(parameters).decode(),
            "recurrencepattern": parameters["RecurrencePattern"] or None,
            "recurrencestarttime": instant_text(scheduled) if parameters["RecurrencePattern"] else None,
            **self._waiting(scheduled, now),
        }
        job_id = add_own_row(self.tables, JOB, user, values)
        self.tables.connection.execute("INSERT INTO _jobs VALUES (?, ?, NULL)", (job_id, scheduled.timestamp()))
        return job_id

    @staticmethod
    def _waiting(scheduled: datetime, now: datetime) -> Values:
        if scheduled > now:
            return {"statecode": SUSPENDED, "statuscode": WAITING, "postponeuntil": instant_text(scheduled)}
        return {"statecode": READY, "statuscode": WAITING_FOR_RESOURCES, "postponeuntil": None}

    def run_due(self) -> None:
        """Bring every open job to where the clock says it is. Costs next to nothing while there is none."""
        now = self.tables.clock.timestamp()
        switches = self.tables.switches
        for job_id, scheduled, started in self.tables.connection.execute("SELECT * FROM _jobs ORDER BY scheduled, id").fetchall():
            if scheduled is None or now < scheduled:  # None: paused
                continue
            with self.tables.transaction():
                if started is None:
                    self._change(job_id, self._waiting(_instant(scheduled), _instant(now)))
                    started = scheduled + switches.bulk_delete_queue_s
                    if now < started:
                        continue
                    self._start(job_id, started)
                if now >= started + switches.bulk_delete_run_s:
                    self._finish(job_id, started + switches.bulk_delete_run_s)

    def _change(self, job_id: str, values: Values) -> None:
        """Write columns of a job, if any of them changes."""
        table = self.environment.tables[JOB]
        if self.tables.stored(table, job_id, values) != values:
            self.tables.rewrite(
                table, job_id, {**values, "modifiedon": self.tables.clock.text(), "versionnumber": self.tables.next_version()}
            )

    # -- a run -----------------------------------------------------------------------------------------------

    def _start(self, job_id: str, started: float) -> None:
        job = self.tables.stored(self.environment.tables[JOB], job_id, ["name", "ownerid", "data"]) or {}
        parameters: dict[str, Any] = msgspec.json.decode(job["data"])
        moment, user = _instant(started), str(job["ownerid"])
        text = instant_text(moment)
        self.tables.connection.execute("UPDATE _jobs SET started = ? WHERE id = ?", (started, job_id))
        self._change(job_id, {"statecode": LOCKED, "statuscode": IN_PROGRESS, "startedon": text, "completedon": None, "errorcode": None})
        outcome = self._delete(parameters, moment, user)
        recurrence = parse_recurrence(parameters["RecurrencePattern"])
        values: Values = {
            "name": job["name"],
            "jobid": job_id,
            "asyncoperationid": job_id,
            "orderedquerysetxml": query_set_xml(parameters["QuerySet"]),
            "processingqeindex": len(parameters["QuerySet"]) - 1,
            "successcount": outcome.deleted,
            "failurecount": len(outcome.failures),
            "childrecordsdeletedcount": outcome.along.total(),
            "childrecordsdeletedbreakdown": msgspec.json.encode(dict(outcome.along)).decode(),
            "isrecurring": int(recurrence is not None),
            "nextrun": instant_text(recurrence.next(self._first(parameters, job_id), self.tables.clock.now())) if recurrence else None,
            "statecode": LOCKED,
            "statuscode": IN_PROGRESS,
        }
        run_id = add_own_row(self.tables, RUN, user, values, text)
        if outcome.refusal is not None:
            self._change(job_id, {"errorcode": signed(outcome.refusal.code), "message": outcome.refusal.message})
        for failure in outcome.failures:
            self._record(failure, job_id, run_id, text, user)

    def _delete(self, parameters: dict[str, Any], moment: datetime, user: str) -> Outcome:
        """Run the queries in their order, each over what the ones before it have left; the rows that the
        job's owner may not see stay."""
        options = parameters.get("Options") or {}
        fast = bool(options.get("RunJobForSandbox")) and self.tables.switches.sandbox
        recoverable = options.get("CanRecoverDeletedRecords") is not False and not fast
        headers = {BYPASS: "CustomSync"} if fast else {}
        operation = Operation("DELETE", "", headers, b"", "", user)
        outcome = Outcome()
        for index, document in enumerate(parameters["QuerySet"]):
            selection = read_query(self.environment, document, moment, user)
            try:
                check_privileges(self.gate.access, operation, selection.table)
                visible = self.gate.sight(operation).rows(selection.table, ROW)
            except WebApiError as error:
                outcome.refusal = error
                break
            for table, row_id in selection.ids(self.tables, until=instant_text(moment), visible=visible):
                try:
                    with self.tables.transaction():
                        gone = self._delete_row(operation, selection, table, row_id, recoverable=recoverable)
                except WebApiError as error:
                    outcome.failures.append((index, table, row_id, error))
                    continue
                outcome.deleted += 1
                outcome.along.update(name for name, each in gone if (name, each) != (table.name, row_id))
                outcome.purged_audit += table.name == AUDIT
                self.stats.count("delete")
        if outcome.purged_audit:
            self.audit.log_deletion(user)
        return outcome

    def _delete_row(self, operation: Operation, selection: Selection, table: Table, row_id: str, *, recoverable: bool) -> list[Row]:
        if selection.datasource == RETAINED:
            return self.retained.purge(table, row_id) if self.retained.holds(table, row_id) else []
        if selection.datasource == BIN:
            self.recycle_bin.discard(table, row_id)
            return []
        if not self.tables.exists(table, row_id):  # it went with an earlier one
            return []
        return self.tables.delete(table, row_id, operation.user, recoverable=recoverable, asked=operation).deleted

    def _record(self, failure: tuple[int, Table, str, WebApiError], job_id: str, run_id: str, text: str, user: str) -> None:
        index, regarding, row_id, error = failure
        values: Values = {
            "asyncoperationid": job_id,
            "bulkdeleteoperationid": run_id,
            "regardingobjectid": row_id,
            "regardingobjectid__type": regarding.name,
            "regardingobjecttypecode": regarding.name,
            "orderedqueryindex": index,
            "errornumber": signed(error.code),
            "errordescription": error.message[:MAX_DESCRIPTION],
        }
        add_own_row(self.tables, FAILURE, user, values, text)

    def _finish(self, job_id: str, ended: float) -> None:
        """End the run: the job is completed, or waits for its next run. Runs missed by a leap of the clock
        are not made up for."""
        text = instant_text(_instant(ended))
        run = self.environment.tables[RUN]
        run_id = self.tables.find(run, {"asyncoperationid": job_id, "statecode": LOCKED})
        stored = self.tables.stored(run, run_id, ["successcount", "failurecount"]) if run_id else None
        deleted, failed = (stored["successcount"], stored["failurecount"]) if stored else (0, 0)
        job = self.tables.stored(self.environment.tables[JOB], job_id, ["data", "errorcode", "message"]) or {}
        refused = job["errorcode"] is not None
        status = FAILED if refused else self.tables.switches.bulk_delete_status if failed else SUCCEEDED
        completed: Values = {"statecode": COMPLETED, "statuscode": status}
        if run_id:
            self.tables.rewrite(run, run_id, {**completed, "modifiedon": text, "versionnumber": self.tables.next_version()})
        message = job["message"] if refused else f"{deleted} record(s) deleted, {failed} failed."
        told: Values = {"message": message, "friendlymessage": message, "completedon": text}
        parameters: dict[str, Any] = msgspec.json.decode(job["data"])
        recurrence = parse_recurrence(parameters["RecurrencePattern"])
        if recurrence is None:
            self.tables.connection.execute("DELETE FROM _jobs WHERE id = ?", (job_id,))
            self._change(job_id, {**completed, **told})
            return
        now = self.tables.clock.now()
        following = recurrence.next(self._first(parameters, job_id), now)
        self.tables.connection.execute("UPDATE _jobs SET scheduled = ?, started = NULL WHERE id = ?", (following.timestamp(), job_id))
        self._change(job_id, {**self._waiting(following, now), **told})

    def _first(self, parameters: dict[str, Any], job_id: str) -> datetime:
        stored = self.tables.stored(self.environment.tables[JOB], job_id, ["recurrencestarttime"]) or {}
        return datetime.fromisoformat(stored["recurrencestarttime"])


def check_privileges(access: Access, operation: Operation, table: Table) -> None:
    """Check the privileges (reference, section 13). Raises WebApiError: 403 naming the privilege missing."""
    access.require_named(operation, "prvBulkDelete")
    access.require(operation, "Read", table)
    access.require(operation, "Delete", table)


def signed(code: str) -> int:
    """Return a hexadecimal code as the signed 32-bit number of `errornumber` (reference, section 8.3)."""
    try:
        number = int(code, 16)
    except ValueError:
        return 0
    return number - 2**32 if number >= 2**31 else number


def query_set_xml(queries: list[Any]) -> str:
    """Return the queries with their values as XML, as `orderedquerysetxml` keeps them: which elements the
    real one has is inferred."""
    root = ElementTree.Element("ArrayOfQueryExpression")
    for query in queries:
        _append(root, "QueryExpression", query)
    return ElementTree.tostring(root, encoding="unicode")


def _append(parent: ElementTree.Element, name: str, value: Any) -> None:
    element = ElementTree.SubElement(parent, name)
    if isinstance(value, dict):
        for key, each in value.items():
            if "@" not in key and each is not None:
                _append(element, key, each)
    elif isinstance(value, list):
        for each in value:
            _append(element, name.removesuffix("s") if isinstance(each, dict) else "Value", each)
    else:
        element.text = str(value)


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
