"""The answer of a round of housekeeping, and the file that names the objects which no recording knows."""

from __future__ import annotations

from pathlib import Path

import msgspec

from crm_compliance.files import disk_errors, write_whole
from crm_compliance.settings import Settings
from jobs.housekeeping import Upkeep

FILE = "lost-objects.txt"


def write_lost(settings: Settings, done: Upkeep) -> Path | None:
    """Write the addresses of lost objects into the data folder, for an admin to look at; remove the file where there are none.

    Addresses can hold names: the file has mode 0600, and the addresses stand nowhere else.
    """
    file = settings.make_data_dir() / FILE
    if not done.lost.objects:
        with disk_errors(file):
            file.unlink(missing_ok=True)
        return None
    with write_whole(file, text=True) as out:
        out.writelines(f"{address}\n" for address in done.lost.objects)
    return file


def upkeep_document(done: Upkeep, file: Path | None) -> dict[str, object]:
    """What `run housekeeping` answers: counts, the recordings that have lost their object, and where the addresses of lost objects lie."""
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
