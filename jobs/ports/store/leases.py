"""The right to run, and the kill switch."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol

from jobs.ports.store.ledger import Entry

RUNNER: Final = "runner"  # who applies plans


class Lease(Protocol):
    """The right to run, as long as it is held."""

    def check(self) -> None:
        """Raise Refused with code `lease_lost` once another process has taken over. It is checked before each
        request that leaves the machine."""

    def work_on(self, run: str) -> None:
        """Show others which run is being worked on."""


class LeaseStore(Protocol):
    """The right to run, which one process has at a time."""

    def exclusive(self, name: str = RUNNER) -> AbstractContextManager[Lease]:
        """Hold the right to run, or to do the maintenance job of this name, which one process has at a time.
        What a run writes is written with its right or not at all. Raises Refused with code `another_run` when
        somebody else holds it."""

    def runs_at_work(self) -> frozenset[str]:
        """Return the runs that some process is working on now, jobs without a plan among them."""


class KillSwitch(Protocol):
    """Whether anything is applied at all."""

    def stopped_since(self) -> datetime | None:
        """Return since when the kill switch is set, None while it is not."""

    def stop(self, since: datetime, entry: Entry) -> datetime:
        """Set the kill switch, and give the instant since when it is set: setting it twice changes nothing
        and adds no entry."""

    def resume(self, entry: Entry) -> bool:
        """Lift the kill switch; return whether it was set. If it was not, no entry is added."""
