"""The queue of units on which nothing in force decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.model.work_queue import Waiting


class WorkQueue(Protocol):
    """The units on which nothing in force decides."""

    def undecided(self, crm: str) -> dict[str, Waiting]:
        """Return the units of a CRM on which nothing in force decides, by reference. They are as the last
        plans that looked at them left the queue."""
