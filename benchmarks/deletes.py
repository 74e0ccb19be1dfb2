"""Deletes of recordings in batches and by bulk-delete jobs, side by side, and the number of rows from which
the code then picks a job.

The emulator deletes at once, so what a real CRM adds is given: how long each batch takes besides, and how
long a job waits and shows as running. Seconds are those of the clock, ratios are what counts.

    python -m benchmarks.deletes [--rows 100 400] [--batch-ms 1500] [--queue-s 4] [--run-s 1] [--rounds 2]
"""

import argparse
import statistics
import time
import uuid
from typing import Any

import requests

from connectors.dynamics.bulk_delete.crossover import Crossover
from connectors.dynamics.bulk_delete.deletes import BulkDelete
from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.pace.governor import Pace
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.rows import Among
from rules.model.records import Recording
from tests.drivers.connecting import connect

TOKEN = "bench"


def client(emulator: RunningEmulator, mode: BulkDelete) -> DynamicsConnector:
    return connect(
        url=emulator.url,
        tokens=StaticToken(TOKEN, emulator.url),
        mapping_text=REFERENCE.read_text("utf-8"),
        mapping_source="reference.yaml",
        pace=Pace(concurrency=4),
        bulk_delete=mode,
    )


def recordings(emulator: RunningEmulator, connector: DynamicsConnector, number: int) -> list[ChangeSet]:
    ids = [str(uuid.uuid4()) for _ in range(number)]
    emulator.load([("cf_recording", {"cf_recordingid": each, "cf_name": "R", "createdon": "2018-03-01T11:00:00Z"}) for each in ids])
    rows = [row for page in connector.read(Recording, (), among=Among("id", ids)) for row in page]
    return [ChangeSet(row.id, (Operation(OperationKind.DELETE, Recording, row.id, row.etag),)) for row in rows]


def seconds_of(emulator: RunningEmulator, mode: BulkDelete, number: int) -> float:
    """Each time by a client of its own, that has learnt nothing yet."""
    with client(emulator, mode) as connector:
        change_sets = recordings(emulator, connector, number)
        began = time.perf_counter()
        results = connector.change(change_sets)
        seconds = time.perf_counter() - began
    assert {result.status for result in results} == {ChangeStatus.DONE}
    return seconds


def control(emulator: RunningEmulator, what: str, document: Any) -> None:
    requests.put(f"{emulator.root}/_emulator/{what}", json=document, timeout=60).raise_for_status()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 400, 1000])
    parser.add_argument("--batch-ms", type=int, default=1500)
    parser.add_argument("--queue-s", type=float, default=4.0)
    parser.add_argument("--run-s", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    crossover = Crossover()
    with running(token=TOKEN, limits=False) as emulator:
        control(emulator, "switches", {"bulk_delete_queue_s": given.queue_s, "bulk_delete_run_s": given.run_s})
        control(emulator, "faults", [{"match": {"method": "POST", "path": "$batch"}, "do": "latency", "ms": given.batch_ms}])
        print(f"{'rows':>6}{'batches s':>12}{'job s':>10}{'job/batches':>13}")
        for number in given.rows:
            both: dict[BulkDelete, list[float]] = {BulkDelete.OFF: [], BulkDelete.ALWAYS: []}
            for _ in range(given.rounds):
                for mode, taken in both.items():
                    taken.append(seconds_of(emulator, mode, number))
            for seconds in both[BulkDelete.OFF]:
                crossover.saw_batches(number, seconds)
            for seconds in both[BulkDelete.ALWAYS]:
                crossover.saw_job(number, seconds)
            batches_s, job_s = (statistics.median(each) for each in both.values())
            print(f"{number:6}{batches_s:12.2f}{job_s:10.2f}{job_s / batches_s:13.2f}")
    rows = crossover.rows
    print("the code now picks a job " + (f"from {rows} rows on" if rows is not None else "never"))


if __name__ == "__main__":
    main()
