"""Plans, as the jobs ask for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.model.plan import Approval, Kind, Plan
    from jobs.model.work_queue import QueueMoves


class PlanStore(Protocol):
    """The plans with their lines, and each person's approval or rejection of them."""

    def save(self, plan: Plan, pages: Iterable[bytes], entry: Entry, queue: QueueMoves | None = None) -> None:
        """Store a plan with its lines, encoded and compressed page by page, and what it changes in the queue
        of undecided units."""

    def get(self, plan: str) -> Plan:
        """Return a plan. Raises UsageError for an unknown id."""

    def saved(self, plan: str) -> tuple[str, Plan]:
        """Return the SHA-256 of a plan's stored head, in hex, and the plan with the approvals that it was
        stored with."""

    def all(self) -> list[Plan]:
        """Return all plans, newest first."""

    def newest(self, kinds: Collection[Kind] = (), *, is_applied: bool | None = None, before: str = "") -> Iterator[Plan]:
        """Yield the plans of these kinds, newest first; none named, of all. A few are read at a time, as they
        are asked for: who takes ten has ten read, out of however many. `is_applied` leaves out the others,
        and `before`, a plan's id, that plan and what is newer; none come before one that there is not."""

    def approvals(self, plans: Collection[str]) -> dict[str, list[Approval]]:
        """Return what people said on these plans, by plan, in the order in which they did."""

    def pages(self, plan: str) -> Iterator[bytes]:
        """Return the pages in the order of saving. Raises LinesRemoved once they have expired."""

    def approve(self, plan: str, approval: Approval, entry: Entry) -> Plan:
        """Add one person's approval or rejection, and return the plan as it is then."""
