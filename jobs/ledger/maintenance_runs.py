"""The maintenance jobs that were done, as the ledger records them: runs without a plan, beside those that
carry one out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from jobs.ledger.entries import LedgerEntry
from jobs.model.run import RunState

REQUESTS: Final = "requests"
HOUSEKEEPING: Final = "housekeeping"
STARTED, ENDED = "run_started", "run_ended"
OF_MAINTENANCE: Final = (STARTED, ENDED, HOUSEKEEPING)  # kinds of ledger entries
_ITS_OWN: Final = frozenset({"kind", "state", "software"})


class MaintenanceRun(msgspec.Struct, frozen=True):
    """One maintenance job. `counts` are what it counted and the codes of its alarms; `ended_at` is None while
    it is at work, or if it was cut off."""

    id: str
    kind: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None = None
    counts: dict[str, object] = {}
    software_version: str = ""


def maintenance_runs_of(entries: Iterable[LedgerEntry]) -> list[MaintenanceRun]:
    """Return the maintenance runs that these entries of the ledger record, in the order in which they began;
    entries of other runs are left out."""
    found: dict[str, MaintenanceRun] = {}
    for entry in entries:
        if entry.run is None:
            continue
        at, data = datetime.fromisoformat(entry.at), entry.data
        counts = {name: value for name, value in data.items() if name not in _ITS_OWN}
        if entry.kind == STARTED and not data.get("plan"):
            kind, software = str(data.get("kind")), str(data.get("software", ""))
            found[entry.run] = MaintenanceRun(entry.run, kind, RunState.RUNNING, at, software_version=software)
        elif entry.kind == ENDED and entry.run in found:
            state = RunState(str(data["state"]))
            found[entry.run] = msgspec.structs.replace(found[entry.run], state=state, ended_at=at, counts=counts)
        elif entry.kind == HOUSEKEEPING:  # one entry, at its end
            found[entry.run] = MaintenanceRun(entry.run, HOUSEKEEPING, RunState(str(data["state"])), at, at, counts)
    return list(found.values())
