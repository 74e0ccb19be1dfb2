"""One service alone answers over a store: what it has begun for people, what it shows once and how often
somebody may try are in its memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import structlog

from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from rules.errors import ComplianceError, Refused

if TYPE_CHECKING:
    from datetime import datetime

    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.ports.context import Clock
    from jobs.ports.store.leases import Lease

SERVER: Final = "server"  # the lease
FIRST: Final = "first server"  # when there was one for the first time; nobody holds it
LOOK_S: Final = 5.0
END_OTHER: Final = "end the other one first; a second service has a DATABASE_URL and a DATA_DIR of its own"
log = structlog.get_logger()


@contextmanager
def alone(settings: Settings, stop: threading.Event, *, look_s: float = LOOK_S) -> Iterator[datetime]:
    """Hold the lease of the one service of this store while the block runs; yield `service_since`. Raises
    Refused: with code `another_run`, another one is; with code `lease_lost`, at the end, another one has
    taken over and `stop` was set."""
    lost: list[Refused] = []
    clock = clock_of(settings)
    with store_of(settings, clock) as store, ExitStack() as held:
        since = service_since(store, clock)
        try:
            lease = held.enter_context(store.leases.exclusive(SERVER))
        except Refused as error:
            raise Refused(str(error), hint=END_OTHER, code=error.code) from None
        store.leases.note(FIRST, since)
        over = threading.Event()
        thread = threading.Thread(target=_watch, args=(lease, stop, over, lost, look_s), name="alone", daemon=True)
        thread.start()
        try:
            yield since
        finally:
            over.set()
            thread.join()
    if lost:
        raise Refused(str(lost[0]), hint=END_OTHER, code=lost[0].code)


def service_since(store: SqlStore, clock: Clock) -> datetime:
    """Return since when a service starts the jobs of this store, though not without a break: from then on a
    night that is missing is late. It is now where there was none."""
    there = store.leases.last_there
    return there(FIRST) or there(SERVER) or clock()


def _watch(lease: Lease, stop: threading.Event, over: threading.Event, lost: list[Refused], look_s: float) -> None:
    while not over.wait(look_s):
        with suppress(ComplianceError):  # a database that does not answer is told by whoever needs it
            try:
                lease.check()
            except Refused as error:
                log.error("another service has taken over", code=error.code)
                lost.append(error)
                stop.set()
                return
