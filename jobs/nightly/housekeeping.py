"""The housekeeping job: looks for recordings and objects that have lost each other, and removes what has
expired in our own store. It never removes an object: one of unknown origin may be needed, so a person has to
look. Nothing is written to the CRM."""

from collections.abc import Sequence

import msgspec

from connectors.interface.objects import Stored
from jobs.checks.same_clock import refuse_other_clock
from jobs.ledger.maintenance_runs import HOUSEKEEPING
from jobs.model.outcome import Outcome
from jobs.model.plan import Alarm
from jobs.model.run import RunState
from jobs.ports.context import JobContext
from jobs.proof.checkpoint import make_checkpoint
from jobs.proof.own_data_expiry import expire_own_data
from jobs.writing.outside_objects import Outside
from rules.model.records import Recording

WITHOUT_ROW, WITHOUT_OBJECT = "OBJECTS_WITHOUT_ROW", "ROWS_WITHOUT_OBJECT"
FILE = "lost-objects.txt"


class Lost(msgspec.Struct, frozen=True):
    """What the hunt found. `objects` are addresses, which can hold names: for the file that an admin reads,
    and for nothing else. `rows` are recordings, as (table, id), of which the object is missing; `not_reached`
    those that name a storage which no setting reaches."""

    listed: int
    recordings: int
    objects: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    not_reached: int

    @property
    def counts(self) -> dict[str, int]:
        return {
            "listed": self.listed,
            "recordings": self.recordings,
            "without_row": len(self.objects),
            "rows_without_object": len(self.rows),
            "not_reached": self.not_reached,
        }


def run_housekeeping(context: JobContext) -> Outcome:
    """Hunt for what has lost its other half, expire what is ours, and write both down in the ledger: in one
    entry, at the end, and not as `recorded` does, for what the last round has found waits for people until
    another one has looked again, and one that could not look has found nothing.

    Addresses of objects can hold names: they stand in the file of an admin, and nowhere else.

    Raises:
        ObjectError: a storage cannot be listed, so that nothing is known.
        Refused: a run is going on: its objects go before their rows.
        ClocksDiffer: what has expired is not known; nothing was removed."""
    refuse_other_clock(context)
    run = context.new_id("run")
    with context.store.leases.exclusive(), context.logged_as(run):
        expired = expire_own_data(context)
        lost = hunt(context)
        alarms = tuple(_alarms(lost))
        state = RunState.DONE_WITH_FAILURES if alarms else RunState.DONE
        data = {"objects": lost.counts, "expired_plans": expired.plans, "state": state.value}
        context.store.ledger.append([(HOUSEKEEPING, data)], run)
    make_checkpoint(context.store, context.notary, context.clock)  # also for a run of this night that was killed before its own
    document = {
        "run": run,
        "state": state.value,
        "objects": lost.counts,
        "rows_without_object": [{"table": table, "id": row} for table, row in lost.rows],
        "expired_plans": expired.plans,
        "expired": msgspec.to_builtins(expired),
        "alarms": [alarm.document for alarm in alarms],
    }
    return Outcome(run, state, document, alarms, private_files={FILE: lost.objects})


def hunt(context: JobContext) -> Lost:
    """Compare what the storages list with what the recordings name, in both directions (ERA-12). The storages
    are read first: a recording that arrives meanwhile has its object, and that object is checked again."""
    outside = Outside(context)
    context.progress("objects", 0)
    stored = [item for store in context.objects for item in store.listing()]
    there = {item.address for item in stored}
    named: set[str] = set()
    rows: list[tuple[str, str]] = []
    recordings = not_reached = 0
    for page in context.connector.read(Recording, ("storage_uri",)):
        for row in page:
            if not row.storage_uri:
                continue
            recordings += 1
            place = outside.place(row.storage_uri)
            if place is None:
                not_reached += 1
                continue
            store, address = place
            named.add(address)
            if address not in there and not store.is_there(address):
                rows.append((context.connector.table(type(row)), row.id))
        context.progress("recordings with an object", recordings)
    return Lost(len(stored), recordings, tuple(sorted(_nameless(stored, named))), tuple(sorted(rows)), not_reached)


def _nameless(stored: Sequence[Stored], named: set[str]) -> list[str]:
    return [item.address for item in stored if item.address not in named and named.isdisjoint(item.made_of)]


def _alarms(lost: Lost) -> list[Alarm]:
    found = []
    if lost.objects:
        found.append(Alarm(WITHOUT_ROW, f"{len(lost.objects)} objects in storage belong to no recording of the CRM"))
    if lost.rows:
        found.append(Alarm(WITHOUT_OBJECT, f"{len(lost.rows)} recordings of the CRM name an object that is missing"))
    return found
