"""The alarms of what was put back to an older day. A store that was lost, or put back, and taken as it is
(`recover`), does not know the holds, requests and words of since: before anything is disposed of two people
look, who may. A restore of the CRM has undone what was written for requests: the nightly maintenance of
requests looks (`jobs/nightly/requests.py`), and a plan goes by what it saw last."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from jobs.ledger.heads import RUNS
from jobs.ledger.maintenance_runs import REQUESTS, STARTED
from jobs.model.plan import Alarm, Kind
from jobs.model.run import REQUEST_UNDONE
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store

STORE_RECOVERED: Final = "STORE_RECOVERED"
_BEGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)


def recovered_store(context: JobContext) -> Iterator[Alarm]:
    """Yield the alarm until a plan that had it, which two people had to approve, was carried out."""
    store, now = context.store, context.clock()
    told = store.ledger.between({"recovered"}, _BEGIN, now + timedelta(days=1))
    if not told:
        return
    begun = (entry for entry in store.ledger.strand(RUNS) if entry.seq > told[-1].seq and entry.kind == STARTED)
    plans = dict.fromkeys(str(entry.data["plan"]) for entry in begun if entry.data.get("plan"))
    if any(STORE_RECOVERED in store.plans.get(plan).why for plan in plans):
        return
    since = datetime.fromisoformat(told[-1].at)
    yield Alarm.of(STORE_RECOVERED, "store_recovered", day=context.day(since).isoformat())


UNDONE: Final = "undone"  # what the maintenance counts the rows under


def undone_writes(store: Store, kind: Kind) -> Iterator[Alarm]:
    """Yield the alarm of a plan. A birth date may be the one from before its correction, by which a unit
    would go too early, and nobody here knows the other; no field that is corrected decides on a recording."""
    counts = (run.counts for run in store.runs.newest_maintenance(REQUESTS) if UNDONE in run.counts)
    if kind is not Kind.RECORDINGS and (rows := next(counts, {UNDONE: 0})[UNDONE]):
        yield undone_alarm(int(str(rows)))


def undone_alarm(rows: int) -> Alarm:
    return Alarm.of(REQUEST_UNDONE, "request_undone", rows=rows)
