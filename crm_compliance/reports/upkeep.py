"""A round of housekeeping in a terminal, from the JSON answer of `run housekeeping`."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from crm_compliance.reports.sentences import ALARMS
from crm_compliance.reports.terminal import Paper
from jobs.housekeeping import Upkeep

SHOWN = 20  # recordings that are named one by one; `--json` has them all


def print_upkeep(done: Upkeep, document: Mapping[str, object], console: Console) -> None:
    """Print what was found and removed. Addresses of objects are never printed: they can hold names; the file has them."""
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
