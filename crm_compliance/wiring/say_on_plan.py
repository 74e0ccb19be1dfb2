"""What a person says on a plan, by a command, on a page or by a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_compliance.wiring.clock import refuse_approval_by_another_clock
from jobs.plans.approve import approve_plan

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.model.plan import Plan
    from jobs.ports.context import Clock


def say_on_plan(settings: Settings, store: SqlStore, clock: Clock, plan: str, who: str, role: str, comment: str, *, approves: bool) -> Plan:
    """Approve a plan, once the CRM was asked what time it is, or reject it; return it as it then stands.
    Raises ClocksDiffer; KeysMissing; what `approve_plan` raises."""
    from crm_compliance.keys.store_and_keys import open_keys

    if approves:
        refuse_approval_by_another_clock(settings, clock)
    ring = open_keys(settings, store, clock)
    return approve_plan(
        store, plan, who, role, comment, approves=approves, now=clock(), reference=ring.reference, references=ring.references
    )
