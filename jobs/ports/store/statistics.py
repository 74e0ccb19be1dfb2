"""Counts that wait to become statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.model.run import Action, Run


class StatisticsStore(Protocol):
    """What was counted and waits for its month to be over, without identifiers (ERA-16)."""

    def waiting(self, crm: str) -> dict[tuple[str, str], int]:
        """Return what was counted and waits for its month to be over. That is how many units, by month
        (2026-11) and facts (JSON), without identifiers."""

    def fix(
        self,
        run: Run,
        entries: Sequence[Entry],
        *,
        crm: str,
        taken: Collection[str],
        counted: Mapping[tuple[str, str], int],
        forgotten: Sequence[Action],
    ) -> None:
        """Save the run with the statistics that it is to write, at once with what else becomes of counts:
        `taken` months wait no longer, `counted` units begin to, and `forgotten` are actions whose facts have
        left the journal."""

    def check(self) -> None:
        """Raise StoreAltered where the statistics that wait for their month are not those that waited when
        the head of the ledger was signed (ERA-16)."""
