"""Deletes by a job of the CRM what plain requests do not reach: audit rows, the recycle bin, rows in
long-term retention.

One job takes thousands of rows. It never deletes a row that is still in use: its queries name rows by id, in
places that hold only residual data. Whatever it reports, the caller looks again. Source: the reference,
sections 6.2, 6.4 and 11.3."""

from collections.abc import Callable, Collection, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import Any

from connectors.dynamics.bulk_delete.jobs import Jobs, Lost, NotStarted, job_name, start_of
from connectors.dynamics.bulk_delete.query_expression import condition, expression, filter_of
from connectors.dynamics.http.query import guid
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.privileges import LackingForJobs, lacking_for_jobs
from connectors.dynamics.schema.unmapped_tables import REFUSED, Directory
from connectors.interface.changes import IsDue, always_due

IDS_OF_A_QUERY = 500


class Ended(Enum):
    """How a job ended."""

    RAN = auto()
    NOT_ALLOWED = auto()  # clearly: nothing was begun, nor would it be next time
    FAILED = auto()


def queries_for(table: str, primary_id: str, column: str, ids: Collection[str], datasource: str | None = None) -> list[dict[str, Any]]:
    """Return queries that find the rows of a table whose column is one of these ids; never an empty
    condition, which would be the whole table."""
    named = sorted({guid(one) for one in ids})
    return [
        expression(
            table,
            primary_id,
            filter_of("And", [condition(column, "In", [(one, "System.Guid") for one in named[at : at + IDS_OF_A_QUERY]])]),
            datasource=datasource,
        )
        for at in range(0, len(named), IDS_OF_A_QUERY)
    ]


class Purging:
    """The jobs by which residual rows are removed, as far as this account may start and follow any."""

    def __init__(self, transport: Transport, directory: Directory, user: Callable[[], str], warnings: list[str]) -> None:
        self._transport, self._directory, self._user, self._warnings = transport, directory, user, warnings
        self._jobs = Jobs(transport, warnings)

    @cached_property
    def lacking(self) -> LackingForJobs:
        """The privileges without which no job can be started and followed, or may delete audit rows."""
        return lacking_for_jobs(self._transport, self._directory, self._user())

    def run(self, what: str, queries: Sequence[dict[str, Any]], is_due: IsDue = always_due) -> Ended:
        """Have one job delete what these queries find, follow it to its end and remove its records; where it
        has to wait before it starts, only if it is still due. Raises ConnectorError: the job cannot be
        followed; the next run waits for it."""
        if self.lacking.bulk_delete:
            return Ended.NOT_ALLOWED
        job = told = ""
        for attempt, _ in enumerate(self._transport.retry.tries()):
            # A second job of the same queries finds what the first has left, which is nothing.
            if attempt and not is_due():
                return Ended.FAILED
            name = job_name()
            start_at = start_of(self._transport.clock)
            try:
                job = self._jobs.start(name, queries, start_at=start_at, options={}, is_due=is_due)
                break
            except NotStarted as failure:
                if failure.status in REFUSED:
                    return Ended.NOT_ALLOWED
                told = str(failure)
                if failure.is_lasting or failure.status is not None:
                    break
            except Lost:
                told = "whether the CRM has begun a job is not known; the next run looks again"
        if not job:
            self._warnings.append(f"{what} could not be cleaned: {told}")
            return Ended.FAILED
        if not self._jobs.end(job):
            self._warnings.append(f"{what} could not be cleaned: the job of the CRM does not end")
            return Ended.FAILED
        self._jobs.clean(job, name)
        return Ended.RAN
