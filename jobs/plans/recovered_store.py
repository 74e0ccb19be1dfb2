"""The alarm of a store that was lost, or put back to an older day, and taken as it is (`recover`): it does
not know the holds, requests and words of since. Before anything is disposed of two people look, who may."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from jobs.ledger.heads import RUNS
from jobs.ledger.maintenance_runs import STARTED
from jobs.model.plan import Alarm
from jobs.ports.context import JobContext

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
