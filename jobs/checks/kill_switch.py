"""The kill switch. Setting it ends every run after the current batch, or where it waits for the CRM (`stop`),
until it is lifted (`resume`)."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from types import MappingProxyType

from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from rules.errors import Refused
from rules.hints import hint_to

STOPPED = "stopped"  # code of the refusal
NOBODY: Mapping[str, object] = MappingProxyType({})  # a command does not ask who types it


def refuse_if_stopped(store: Store) -> None:
    """Raise Refused with code `stopped` while the kill switch is set."""
    since = store.kill_switch.stopped_since()
    if since is not None:
        raise stopped(since)


def unless_stopped(context: JobContext) -> AbstractContextManager[None]:
    """Let the kill switch end a wait for the CRM too while the block runs, with the refusal of
    `refuse_if_stopped`. An outage is waited out for half an hour, and nobody who has said stop waits for
    that."""
    return context.connector.watched(lambda: refuse_if_stopped(context.store))


def stopped(since: datetime) -> Refused:
    """Return the refusal of anything that would write while the kill switch is set."""
    return Refused(f"everything is stopped since {since.isoformat(timespec='seconds')}", hint=hint_to("resume"), code=STOPPED)


def stop(store: Store, now: datetime, by: Mapping[str, object] = NOBODY) -> datetime:
    """Set the kill switch, and return since when it is set; setting it a second time changes nothing. `by`
    says who, as the ledger may keep it: the role, and a keyed reference."""
    return store.kill_switch.stop(now, ("stopped", dict(by)))


def resume(store: Store, by: Mapping[str, object] = NOBODY) -> bool:
    """Lift the kill switch; return whether it was set."""
    return store.kill_switch.resume(("resumed", dict(by)))
