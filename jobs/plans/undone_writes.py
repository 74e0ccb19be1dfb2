"""The alarm of a restore of the CRM that has undone what was written for requests. The nightly maintenance of
requests looks (`jobs/nightly/requests.py`); a plan goes by what it saw last."""

from collections.abc import Iterator
from typing import Final

from jobs.ledger.maintenance_runs import REQUESTS
from jobs.model.plan import Alarm, Kind
from jobs.model.run import REQUEST_UNDONE
from jobs.ports.store.store import Store

UNDONE: Final = "undone"  # what the maintenance counts the rows under


def undone_writes(store: Store, kind: Kind) -> Iterator[Alarm]:
    """Yield the alarm of a plan. A birth date may be the one from before its correction, by which a unit
    would go too early, and nobody here knows the other; no field that is corrected decides on a recording."""
    counts = (run.counts for run in store.runs.newest_maintenance(REQUESTS) if UNDONE in run.counts)
    if kind is not Kind.RECORDINGS and (rows := next(counts, {UNDONE: 0})[UNDONE]):
        yield alarm_of(int(str(rows)))


def alarm_of(rows: int) -> Alarm:
    return Alarm.of(REQUEST_UNDONE, "request_undone", rows=rows)
