"""Jobs by which the CRM deletes rows by itself: started, followed to their end, their failures read, their
records removed.

A job names each row with the very version that was judged, which is to a job what If-Match is to a request,
and carries the hold guard (hold_guard.py). What it leaves behind (its name, its conditions) are GUIDs and
versions, never personal data, and is removed in the end. Source: the reference, sections 6.2 and 11.5;
Microsoft Learn, "Delete data in bulk"."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

import msgspec

from connectors.dynamics.bulk_delete.hold_guard import Guard
from connectors.dynamics.bulk_delete.query_expression import condition, expression, filter_of
from connectors.dynamics.http import faults
from connectors.dynamics.http.answers import UNREADABLE, Answer, NotDue, NotSent
from connectors.dynamics.http.query import guid, literal, query_string
from connectors.dynamics.http.retry import REPEATABLE, WHILE_THROTTLED
from connectors.dynamics.http.server_clock import ServerClock
from connectors.dynamics.http.transport import Transport
from connectors.interface.changes import IsDue
from connectors.interface.errors import ConnectorError, ReadIncomplete, Unauthorised
from rules.decoders import converted

PREFIX = "crm-compliance "  # of the name of every job of ours
# Rows in one query. It could be five times as many (500 conditions), but the service looks at all of them
# before it deletes them one by one, and a hold that comes in between would be late (HLD-07).
PAIRS = 50
FIRST_POLL_S, LONGEST_POLL_S, POLL_GROWTH = 0.5, 30.0, 1.5
FOLLOW_S = 1_800.0  # then the job is cancelled
CANCEL_S = 300.0
LATE_LOOKS = (1.0, 2.0, 4.0)  # a row about the job can appear later than the answer (section 6.2)
JOBS, RUNS, FAILURES = "asyncoperations", "bulkdeleteoperations", "bulkdeletefailures"
PAGE = 500
PAGES = 200  # of jobs that bear our name there are a few rows
BULK_DELETE = 13  # operationtype
COMPLETED = 3  # statecode
CANCEL = {"statecode": 3, "statuscode": 32}
_NOT_OFFERED = (400, 403, 404, 405, 501)


class NotStarted(Exception):
    """The CRM did not take the job and has done nothing; `is_lasting`: nor would it take the next one;
    `status` is that of its answer."""

    def __init__(self, reason: str, *, is_lasting: bool, status: int | None = None) -> None:
        super().__init__(reason)
        self.is_lasting, self.status = is_lasting, status


class Lost(Exception):
    """The answer to the request is lost and no job of this name is there; it may still come."""


class _Job(msgspec.Struct):
    id: str = msgspec.field(name="asyncoperationid")
    name: str | None = None
    statecode: int = 0


class _Run(msgspec.Struct):
    id: str = msgspec.field(name="bulkdeleteoperationid")
    successcount: int | None = None
    failurecount: int | None = None


class _Failure(msgspec.Struct):
    errornumber: int | None = None
    row: str | None = msgspec.field(name="_regardingobjectid_value", default=None)


T = TypeVar("T", _Job, _Run, _Failure)


@dataclass(frozen=True, slots=True)
class Report:
    """What a job reports: rows that it could not delete, with the CRM's code, and how many it did."""

    failures: Mapping[str, str]
    succeeded: int | None = None


def query_set(table: str, primary_id: str, versions: Sequence[tuple[str, int]], guard: Guard) -> list[dict[str, Any]]:
    """Return queries that find exactly these rows (id, version number), as long as they have that version and
    no hold covers them."""
    queries = []
    for at in range(0, len(versions), PAIRS):
        exact = [
            filter_of(
                "And",
                [
                    condition(primary_id, "Equal", [(guid(row), "System.Guid")]),
                    condition("versionnumber", "Equal", [(str(number), "System.Int64")]),
                ],
            )
            for row, number in versions[at : at + PAIRS]
        ]
        criteria = filter_of("And", [], [*guard.filters, filter_of("Or", [], exact)])
        queries.append(expression(table, primary_id, criteria, links=guard.links))
    return queries


def job_name() -> str:
    """Return a unique name that reveals nothing."""
    return f"{PREFIX}{uuid.uuid4()}"


EARLIER: Final = timedelta(minutes=5)


def start_of(clock: ServerClock) -> str:
    """Return a time from which a job may start: a few minutes ago by the CRM's own clock, or long past where
    it states no time. A time still in the future, by that server's clock, would delay it."""
    now = clock.now()
    return "2000-01-01T00:00:00Z" if now is None else (now - EARLIER).strftime("%Y-%m-%dT%H:%M:%SZ")


class Jobs:
    """The bulk-delete jobs of one account. `unfinished`: one of them may not have ended, so that `sweep`
    comes before any other write."""

    def __init__(self, transport: Transport, warnings: list[str]) -> None:
        self._transport, self._warnings = transport, warnings
        self.unfinished = False

    # -- one job ---------------------------------------------------------------------------------------------

    def start(self, name: str, queries: Sequence[dict[str, Any]], *, start_at: str, options: Mapping[str, bool], is_due: IsDue) -> str:
        """Have the CRM start a job and return its id; where that has to wait, only if it is still due
        (HLD-07). Raises NotStarted: nothing is done, nor will be; Lost: it cannot be determined whether it
        started."""
        body = {
            "QuerySet": queries,
            "JobName": name,
            "SendEmailNotification": False,
            "ToRecipients": [],
            "CCRecipients": [],
            "RecurrencePattern": "",
            "StartDateTime": start_at,
            **({"Options": options} if options else {}),
        }
        self.unfinished = True  # until the opposite is known, also where this process is interrupted
        try:
            answer = self._transport.send("POST", "BulkDelete", body, where="BulkDelete", again=WHILE_THROTTLED, is_due=is_due)
        except (NotSent, NotDue, Unauthorised) as failure:
            self.unfinished = False
            raise NotStarted(str(failure), is_lasting=False) from None
        except ConnectorError:
            return self._found(name)
        if answer.status == 200:
            return self._started(answer) or self._found(name)
        if (answer.status == 408 or answer.status >= 500) and answer.status != 501:
            return self._found(name)
        self.unfinished = False
        found = faults.fault(answer.status, answer.body)
        told = ", ".join(filter(None, (str(answer.status), found.code, found.privilege)))
        raise NotStarted(f"the CRM refuses the job ({told})", is_lasting=answer.status != 429, status=answer.status)

    def end(self, job: str, must_stop: Callable[[], bool] = lambda: False) -> bool:
        """Wait until a job has ended and return whether it has. After half an hour, once it must stop, or
        where a watcher ends waits for the CRM, it is cancelled. Raises ConnectorError: the CRM cannot be
        queried."""
        if self._follow(job, FOLLOW_S, must_stop):
            return True
        # Refused where it has just ended: the next look tells.
        self._transport.send("PATCH", f"{JOBS}({guid(job)})", CANCEL, if_match="*", where=JOBS, again=REPEATABLE)
        return self._follow(job, CANCEL_S)

    def report(self, job: str) -> Report:
        """Return what an ended job reports of itself; "succeeded" does not mean that nothing failed (section
        6.2). Raises ConnectorError: the CRM cannot be queried."""
        of_job = f"_asyncoperationid_value eq {guid(job)}"
        runs = self._late(lambda: self._list(RUNS, _Run, "successcount,failurecount", of_job), bool)
        failed = runs[0].failurecount if runs else None
        rows = self._late(
            lambda: self._list(FAILURES, _Failure, "errornumber,_regardingobjectid_value", of_job),
            lambda found: len(found) >= (failed or 0),
        )
        codes = {
            each.row.strip("{}").lower(): f"0x{each.errornumber & 0xFFFFFFFF:08x}" if each.errornumber else "" for each in rows if each.row
        }
        return Report(codes, runs[0].successcount if runs else None)

    def clean(self, job: str, name: str) -> None:
        """Remove the records of a job that has ended: its own row, and with it its run and failures. What
        cannot be removed becomes a warning."""
        self.unfinished = False
        try:
            self._remove(f"{JOBS}({guid(job)})")
            for run in self._list(RUNS, _Run, "failurecount", f"name eq {literal(name)}"):
                self._remove(f"{RUNS}({guid(run.id)})")
            left = len(self._list(JOBS, _Job, "name,statecode", f"name eq {literal(name)}"))
            left += len(self._list(RUNS, _Run, "failurecount", f"name eq {literal(name)}"))
            left += len(self._list(FAILURES, _Failure, "errornumber", f"_asyncoperationid_value eq {guid(job)}"))
            if left:
                self._warn(f"{left} rows of the bulk delete {job} are still there although they were removed")
        except ConnectorError as failure:
            self._warn(f"the rows of the bulk delete {job} could not be removed: {failure} They hold ids and versions only.")

    # -- earlier jobs ----------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Follow every job of ours to its end and remove the records they left, also those of a process that
        was killed. Raises ConnectorError, also for a cancelled job that has not ended."""
        ours = f"startswith(name,{literal(PREFIX)})"
        try:
            jobs = self._list(JOBS, _Job, "name,statecode", f"operationtype eq {BULK_DELETE} and {ours}")
        except ConnectorError as failure:
            if failure.status not in _NOT_OFFERED or self.unfinished:  # one of ours may be under way, unseen
                raise
            return  # who may not see jobs has never started one that could be followed
        for job in jobs:
            if job.statecode != COMPLETED and not self.end(job.id):
                raise ConnectorError(
                    "A bulk delete of an earlier run has not ended, although it was cancelled.",
                    hint="Look at the system jobs, then apply again.",
                    where=JOBS,
                )
            self.clean(job.id, job.name or PREFIX)
        self._sweep_runs(ours)
        self.unfinished = False

    def _sweep_runs(self, ours: str) -> None:
        """Remove runs whose job somebody else has removed."""
        try:
            for run in self._list(RUNS, _Run, "failurecount", f"_asyncoperationid_value eq null and {ours}"):
                self._remove(f"{RUNS}({guid(run.id)})")
        except ConnectorError as failure:
            self._warn(f"what earlier bulk deletes left could not be removed: {failure}")

    # -- wire ------------------------------------------------------------------------------------------------

    def _started(self, answer: Answer) -> str | None:
        try:
            return guid(msgspec.json.decode(answer.body)["JobId"])
        except UNREADABLE:
            return None

    def _found(self, name: str) -> str:
        """Return the job of this name, after an answer that was inconclusive."""
        try:
            jobs = self._late(lambda: self._list(JOBS, _Job, "name,statecode", f"name eq {literal(name)}"), bool)
        except ConnectorError:
            jobs = []
        if not jobs:
            raise Lost
        return jobs[0].id

    def _follow(self, job: str, limit_s: float, must_stop: Callable[[], bool] = lambda: False) -> bool:
        waited_s, wait_s = 0.0, FIRST_POLL_S
        while not self._has_ended(job):
            if waited_s >= limit_s or must_stop():
                return False
            try:
                self._transport.gate.timeline.wait(wait_s, is_told=False)
            except Exception:  # noqa: BLE001  raised again at the next step: what the job has done is noted first
                return False
            waited_s += wait_s
            wait_s = min(wait_s * POLL_GROWTH, LONGEST_POLL_S)
        return True

    def _has_ended(self, job: str) -> bool:
        try:
            answer = self._transport.get(f"{JOBS}({guid(job)})?$select=statecode,statuscode", where=JOBS)
        except ConnectorError as failure:
            if failure.status == 404:  # only a job that has ended can be removed
                return True
            raise
        with answer.readable("The CRM's answer about a job is not readable.", where=JOBS):
            return bool(msgspec.json.decode(answer.body)["statecode"] == COMPLETED)

    def _late(self, look: Callable[[], list[T]], is_whole: Callable[[list[T]], bool]) -> list[T]:
        """Return what `look` finds, looking again for a while until it is complete."""
        found = look()
        for wait_s in LATE_LOOKS:
            if is_whole(found):
                break
            self._transport.gate.timeline.sleep(wait_s)
            found = look()
        return found

    def _list(self, set_name: str, row: type[T], columns: str, condition: str) -> list[T]:
        """Return all rows of all pages. Raises ReadIncomplete: they are not readable, or have no end."""
        key = {JOBS: "asyncoperationid,", RUNS: "bulkdeleteoperationid,"}.get(set_name, "")
        query = query_string({"$select": key + columns, "$filter": condition})
        link = f"{set_name}?{query}"
        rows: list[T] = []
        for _ in range(PAGES):
            answer = self._transport.get(link, prefer=f"odata.maxpagesize={PAGE}", where=set_name)
            with answer.readable("The CRM's rows about jobs are not readable.", where=set_name):
                content = msgspec.json.decode(answer.body)
                rows += converted(content["value"], list[row])  # type: ignore[valid-type]
                following: str | None = converted(content.get("@odata.nextLink"), str | None)  # type: ignore[arg-type]
            if following is None:
                return rows
            link = following
        raise ReadIncomplete("The CRM's rows about jobs have no end.", where=set_name)

    def _remove(self, address: str) -> None:
        answer = self._transport.send("DELETE", address, where=address.partition("(")[0], again=REPEATABLE)
        if answer.status != 404 and answer.status >= 300:
            raise faults.error(faults.fault(answer.status, answer.body), request=answer.request_id, where=address.partition("(")[0])

    def _warn(self, message: str) -> None:
        self._warnings.append(message)
