"""Runs whose rows a job of the CRM deletes."""

from collections.abc import Callable
from typing import Any

from connectors.dynamics.bulk_delete.deletes import BulkDelete
from connectors.dynamics.http.auth import StaticToken
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.plan import Kind, Plan
from jobs.model.run import ActionState, Run
from jobs.runs.apply import apply_plan
from tests.connectors.emulator.client import stand_still
from tests.drivers.connecting import connect
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN

QUEUE_S = 3.0


class Bulk:
    """A night whose client deletes by jobs wherever it may; the emulator's clock goes on by what the client
    sleeps and by nothing else."""

    def __init__(self, night: Night, mode: BulkDelete = BulkDelete.ALWAYS) -> None:
        self.night = night
        self.on_sleep: Callable[[], object] = lambda: None
        text, source = mapping_text(Settings())
        night.connector.close()
        night.connector = connect(
            url=night.emulator.url,
            tokens=StaticToken(TOKEN, night.emulator.url),
            mapping_text=text,
            mapping_source=source,
            sleep=self.sleep,
            bulk_delete=mode,
        )
        stand_still(night.emulator)
        self.control("switches", {"bulk_delete_queue_s": QUEUE_S, "bulk_delete_run_s": QUEUE_S})

    def sleep(self, seconds: float) -> None:
        self.control("clock", {"advance_s": seconds})
        self.on_sleep()

    def control(self, what: str, document: Any) -> None:
        self.night.http.put(f"{self.night.emulator.root}/_emulator/{what}", json=document).raise_for_status()

    def plan(self) -> Plan:
        return self.night.plan(Kind.RECORDINGS)

    def apply(self, plan: Plan) -> Run:
        return apply_plan(self.night.context, plan.id)

    @property
    def job_rows(self) -> int:
        return sum(len(self.night.rows(name)) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures"))

    def left(self) -> set[str]:
        return {row["cf_recordingid"] for row in self.night.rows("cf_recordings?$select=cf_recordingid")}

    def states(self, run: Run) -> dict[str, tuple[ActionState, str]]:
        return {action.id: (action.state, action.code) for action in self.night.store.journal.of_run(run.id)}
