"""The lines of a large plan that no columns are kept of: to open them takes longer than a page waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_compliance.console.work.work import Work


class Opening(Exception):
    """The lines of a plan are being opened by a process of its own; `work` says how far it is."""

    def __init__(self, plan: str, work: Work) -> None:
        super().__init__(plan)
        self.plan, self.work = plan, work


def subject_of(plan: str) -> str:
    """Return what the opening of a plan is known by."""
    return f"lines of {plan}"
