"""The right to run."""

from contextlib import AbstractContextManager
from typing import Protocol


class Lease(Protocol):
    """The right to run, as long as it is held."""

    def check(self) -> None:
        """Raise Refused with code `lease_lost` once another process has taken over. It is checked before each
        request that leaves the machine."""

    def work_on(self, run: str) -> None:
        """Show others which run is being worked on."""


class LeaseStore(Protocol):
    """The right to run, which one process has at a time."""

    def exclusive(self) -> AbstractContextManager[Lease]:
        """Hold the right to run, which one process has at a time. What a run writes is written with it or not
        at all. Raises Refused with code `another_run` when somebody else holds it."""

    def run_at_work(self) -> str | None:
        """Return the run that some process is working on now; None if there is none."""
