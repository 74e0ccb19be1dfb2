"""What a client may do with a system job: cancel, pause, resume it, and delete a completed one."""

from collections.abc import Sequence
from typing import Any

from connectors.emulator.background.bulk_delete_jobs import CANCELED, COMPLETED, JOB, LOCKED, READY, RUN, SUSPENDED
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Row


class JobRules:
    """A write listener that follows what happens to `asyncoperation` rows and refuses what the platform would
    (reference, sections 6.2 and 11.5)."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def wants(self, table: Table) -> bool:
        return table.name == JOB

    def created(self, table: Table, row_id: str, values: Row, user: str) -> None:
        """Accept any new job."""

    def updated(self, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        """Apply a change of a job's state: 3 with status 32 cancels, 1 pauses a job that waits, 0 resumes it
        at once. Rows deleted by then stay deleted."""
        state = after.get("statecode")
        if state is None:
            return
        if before["statecode"] == COMPLETED:
            raise _refused(row_id, "it has completed")
        open_job = self.tables.connection.execute("SELECT started FROM _jobs WHERE id = ?", (row_id,)).fetchone()
        if open_job is None:  # no bulk delete: some other job, which nobody runs here
            return
        if state == COMPLETED and after["statuscode"] == CANCELED:
            self._cancel(table, row_id)
        elif state in (READY, SUSPENDED) and open_job[0] is None:
            scheduled = self.tables.clock.timestamp() if state == READY else None
            self.tables.connection.execute("UPDATE _jobs SET scheduled = ? WHERE id = ?", (scheduled, row_id))
            self.tables.rewrite(table, row_id, {"postponeuntil": None})
        else:
            raise _refused(row_id, f"a client does not bring it to the state {state}")

    def _cancel(self, table: Table, row_id: str) -> None:
        self.tables.connection.execute("DELETE FROM _jobs WHERE id = ?", (row_id,))
        now = self.tables.clock.text()
        self.tables.rewrite(table, row_id, {"completedon": now, "postponeuntil": None, "message": "Canceled."})
        run = self.tables.environment.tables[RUN]
        running = self.tables.find(run, {"asyncoperationid": row_id, "statecode": LOCKED})
        if running is not None:
            values: dict[str, Any] = {"statecode": COMPLETED, "statuscode": CANCELED, "modifiedon": now}
            self.tables.rewrite(run, running, {**values, "versionnumber": self.tables.next_version()})

    def deleted(self, rows: Sequence[tuple[Table, Row]], user: str, *, recoverable: bool) -> None:
        for table, row in rows:
            if row["statecode"] != COMPLETED:
                raise WebApiError(
                    400,
                    INVALID_ARGUMENT,
                    f"The system job with Id = {row[table.key]} cannot be deleted: only a job in the state Completed can be.",
                )


def _refused(row_id: str, why: str) -> WebApiError:
    return WebApiError(400, INVALID_ARGUMENT, f"The state of the system job with Id = {row_id} cannot be changed: {why}.")
