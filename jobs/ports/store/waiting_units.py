"""Units that wait: on which nothing in force decides, or that are due and in their days of notice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.model.work_queue import Waiting
    from rules.retention.quarantine import Mark


class WorkQueue(Protocol):
    """The units on which nothing in force decides."""

    def undecided(self, crm: str) -> dict[str, Waiting]:
        """Return the units of a CRM on which nothing in force decides, by reference. They are as the last
        plans that looked at them left the queue."""


class Quarantine(Protocol):
    """The units that are due and left alone until their days have passed, or a person keeps them longer."""

    def marks(self) -> list[Mark]:
        """Return the units in quarantine, in the order in which they were first marked."""

    def put(self, marks: Sequence[Mark], entries: Sequence[Entry] = ()) -> None:
        """Put units into quarantine, or replace what stands there, by (table, id)."""

    def tell(self, units: Collection[tuple[str, str]]) -> None:
        """Note that the owners of units, as (table, id), were told. What a person has said of one meanwhile
        stays."""

    def drop(self, units: Collection[tuple[str, str]], entries: Sequence[Entry] = ()) -> None:
        """Take units, as (table, id), out of quarantine."""
