"""The CRMs that the store has served, and what jobs have cost them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from connectors.interface.rows import ReadStats
    from jobs.model.crm_cost import CrmCost


class CrmStore(Protocol):
    """The CRMs that the store has served."""

    @property
    def current(self) -> str:
        """The CRM that the store was opened for; empty where it was opened without one."""

    def served(self) -> set[str]:
        """Return the CRMs in the table of those that the store has served. They are named as
        `rules.model.crm_addresses.organisation_at` does."""


class CrmUse(Protocol):
    """What each job has cost the CRM, in all its nights."""

    def add(self, job: str, stats: ReadStats) -> None:
        """Add what one night has cost."""

    def all(self) -> dict[str, CrmCost]:
        """Return the sums by job."""
