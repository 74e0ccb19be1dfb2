"""Custom logic of the organisation: synchronous plug-in steps that refuse a write, and the headers that skip
them.

A step is a row of `sdkmessageprocessingstep`; its configuration is JSON: `{"table", "message":
"Create"|"Update"|"Delete", "when": {column: value}, "do": "refuse", "text"}`. `when` looks at the row as it
was before the write, or at the new row. A delete meets the steps of every row that it takes along. Source:
section 1.8 of the wire reference; Microsoft Learn, "Bypass custom business logic"."""

import uuid
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Environment, Table
from connectors.emulator.schema.privileges import BYPASS_LOGIC, BYPASS_PLUGINS
from connectors.emulator.security.privileges_on_rows import Access
from connectors.emulator.storage.cascades import Fall
from connectors.emulator.storage.load import load_rows
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Guard, Row

ABORTED = "0x80040265"
BYPASS = "mscrm.bypassbusinesslogicexecution"
BYPASS_STEPS = "mscrm.bypassbusinesslogicexecutionstepids"
BYPASS_OLD = "mscrm.bypasscustompluginexecution"
MAX_STEP_IDS = 3
MESSAGES = ("Create", "Update", "Delete")
_STEPS = "SELECT sdkmessageprocessingstepid, configuration FROM sdkmessageprocessingstep WHERE statecode = 0 AND mode = 0 ORDER BY rank, 1"


class StepProblem(Exception):
    """A configuration that describes no step."""


@dataclass(frozen=True)
class Step:
    """What one configuration says."""

    table: str
    message: str
    when: dict[str, Any]
    text: str


def read_step(environment: Environment, document: Any) -> Step:
    """Check a configuration. Raises StepProblem: naming what is wrong with it."""
    if not isinstance(document, dict) or set(document) - {"table", "message", "when", "do", "text"}:
        raise StepProblem("a step is an object with table, message, when, do and text")
    table = environment.tables.get(str(document.get("table")))
    if table is None:
        raise StepProblem(f"there is no table {document.get('table')!r}")
    if document.get("message") not in MESSAGES or document.get("do", "refuse") != "refuse":
        raise StepProblem(f"a step is for one of {', '.join(MESSAGES)}, and refuses")
    when = document.get("when", {})
    if not isinstance(when, dict) or set(when) - set(table.columns):
        raise StepProblem(f"when takes columns of {table.name} and their values")
    return Step(table.name, document["message"], when, str(document.get("text", "The operation was refused by custom logic.")))


class CustomLogic(Guard):
    def __init__(self, tables: Tables, access: Access) -> None:
        self.tables, self.access = tables, access

    def check_headers(self, operation: Operation) -> None:
        """Check that the caller has the privilege to request any bypass. Raises WebApiError: 403 naming the
        privilege, 400 for an invalid value."""
        headers = operation.headers
        if BYPASS in headers:
            self.access.require_named(operation, BYPASS_LOGIC)
            if not _items(headers[BYPASS]) or set(_items(headers[BYPASS])) - {"CustomSync", "CustomAsync"}:
                raise WebApiError(400, INVALID_ARGUMENT, f"Invalid value '{headers[BYPASS][:60]}' for BypassBusinessLogicExecution.")
        if BYPASS_STEPS in headers:
            self.access.require_named(operation, BYPASS_LOGIC)
            if len(_items(headers[BYPASS_STEPS])) > MAX_STEP_IDS:
                raise WebApiError(400, INVALID_ARGUMENT, f"BypassBusinessLogicExecutionStepIds takes {MAX_STEP_IDS} step ids at most.")
        if headers.get(BYPASS_OLD, "").strip().lower() == "true":
            self.access.require_named(operation, BYPASS_PLUGINS)

    def replace(self, steps: list[Step]) -> list[str]:
        """Replace all steps by these and return their ids."""
        table = self.tables.environment.tables["sdkmessageprocessingstep"]
        self.tables.delete_where(table, {"mode": 0})
        ids = [str(uuid.uuid4()) for _ in steps]
        rows = [
            {
                table.key: step_id,
                "name": f"{step.message} of {step.table}",
                "configuration": msgspec.json.encode({"do": "refuse", **asdict(step)}).decode(),
                "stage": 20,
                "mode": 0,
                "rank": rank,
            }
            for rank, (step_id, step) in enumerate(zip(ids, steps, strict=True), start=1)
        ]
        load_rows(self.tables, ((table.name, row) for row in rows))
        return ids

    def creating(self, operation: Operation, table: Table, values: Row, asked: Row) -> None:
        for step in self._steps(operation, table, "Create"):
            self._judge(step, values)

    def updating(self, operation: Operation, table: Table, row_id: str, values: Row) -> None:
        for step in self._steps(operation, table, "Update"):
            self._judge(step, self.tables.whole(table, row_id))

    def deleting(self, operation: Operation, table: Table, row_id: str, fall: Fall) -> None:
        steps: dict[str, list[Step]] = {}
        for name in {name for name, _ in fall.deleted}:
            steps[name] = self._steps(operation, self.tables.environment.tables[name], "Delete")
        for name, deleted_id in fall.deleted:
            for step in steps[name]:
                self._judge(step, self.tables.whole(self.tables.environment.tables[name], deleted_id))

    def _steps(self, operation: Operation, table: Table, message: str) -> list[Step]:
        """Return the steps that this write triggers."""
        headers = operation.headers
        if headers.get(BYPASS_OLD, "").strip().lower() == "true" or "CustomSync" in _items(headers.get(BYPASS, "")):
            return []
        skipped = {each.lower() for each in _items(headers.get(BYPASS_STEPS, ""))}
        found: list[Step] = []
        for step_id, configuration in self.tables.connection.execute(_STEPS).fetchall():
            if step_id not in skipped and (step := self._step(configuration)) and (step.table, step.message) == (table.name, message):
                found.append(step)
        return found

    def _step(self, configuration: str | None) -> Step | None:
        """Return the step of a configuration; None for a row without a valid one, which does nothing."""
        try:
            return read_step(self.tables.environment, msgspec.json.decode((configuration or "").encode()))
        except (msgspec.DecodeError, StepProblem):
            return None

    @staticmethod
    def _judge(step: Step, row: Row) -> None:
        if all(row.get(column) == (int(value) if isinstance(value, bool) else value) for column, value in step.when.items()):
            raise WebApiError(400, ABORTED, step.text)


def _items(header: str) -> list[str]:
    return [item.strip() for item in header.split(",") if item.strip()]
