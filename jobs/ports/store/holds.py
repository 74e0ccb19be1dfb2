"""Holds, as the jobs ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.model.hold_query import HoldPage, HoldQuery
    from rules.holds.placements import PlacedHold


class HoldStore(Protocol):
    """The holds: placed once, restated in other words or as a look has shown it, released once."""

    def all(self, *, unreleased: bool = False) -> list[PlacedHold]:
        """Return all holds, or the unreleased ones, in the order in which they were placed."""

    def page(self, query: HoldQuery, *, offset: int = 0, limit: int | None = None) -> HoldPage:
        """Return some of the holds that are asked for, the newest first; of those past their review, what has
        waited longest. `limit` None: all from `offset` on."""

    def number(self, query: HoldQuery) -> int:
        """Return how many holds are asked for."""

    def get(self, hold: str) -> PlacedHold:
        """Return a hold. Raises UsageError for an unknown id."""

    def place(self, hold: PlacedHold, entry: Entry) -> None:
        """Add a hold. Raises Refused with code `exists`: there is one of this id."""

    def release(self, hold: PlacedHold, entry: Entry) -> None:
        """Replace a hold by its released self. Raises Refused with code `released`: it was before."""

    def restate(self, before: PlacedHold, hold: PlacedHold, entry: Entry) -> None:
        """Replace a hold by the same one, said or seen otherwise, unless it has changed meanwhile."""
