"""A round of housekeeping: the JSON answer of `run housekeeping`, and the same in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crm_compliance.reports.parts.sentences import ALARMS
from jobs.housekeeping import Upkeep

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20  # recordings that are named one by one; `--json` has them all


def upkeep_document(done: Upkeep, file: Path | None) -> dict[str, object]:
    """What `run housekeeping` answers: counts, the recordings that have lost their object, and where the
    addresses of lost objects lie."""
    return {
        "run": done.id,
        "state": done.state.value,
        "objects": done.lost.counts,
        "rows_without_object": [{"table": table, "id": row} for table, row in done.lost.rows],
        "expired_plans": done.expired.plans,
        "expired": msgspec.to_builtins(done.expired),
        "alarms": [msgspec.structs.asdict(alarm) for alarm in done.alarms],
        "files": [str(file)] if file is not None else [],
    }


def print_upkeep(done: Upkeep, document: Mapping[str, object], console: Console) -> None:
    """Print what was found and removed. Addresses of objects are never printed: they can hold names; the file
    has them."""
    from rich.text import Text

    from crm_compliance.reports.parts.paper import Paper

    paper, lost = Paper(console), done.lost
    paper.line(
        f"{paper.number(lost.recordings)} recordings have content outside the CRM; the storages hold {paper.number(lost.listed)} objects."
    )
    if lost.not_reached:
        paper.line(f"{paper.number(lost.not_reached)} of the recordings name a storage that no setting reaches.")
    gone = done.expired
    paper.line(
        f"Our own data that have had their day: lines of {paper.number(gone.plans)} plans, journals of {paper.number(gone.journals)} runs "
        f"with {paper.number(gone.units)} units, {paper.number(gone.holds)} holds."
    )
    for alarm in done.alarms:
        paper.line(Text.assemble((f"Alarm {alarm.code}: ", "bold red"), f"{alarm.message}. {ALARMS.get(alarm.code, '')}"))
    for table, row in lost.rows[:SHOWN]:
        paper.line(f"  {table} {row}")
    if len(lost.rows) > SHOWN:
        paper.line(f"  and {paper.number(len(lost.rows) - SHOWN)} more: --json lists them all")
    files = document["files"]
    for file in files if isinstance(files, list) else ():
        paper.line(f"Their addresses, for nobody else: {file}")
    if not done.alarms:
        paper.line(Text("Nothing has lost its other half.", style="green"))
