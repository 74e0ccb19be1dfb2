"""The state of the service, all nouns together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.ports.store.crms import CrmStore, CrmUse
    from jobs.ports.store.erasures import ErasureStore
    from jobs.ports.store.holds import HoldStore
    from jobs.ports.store.leases import KillSwitch, LeaseStore
    from jobs.ports.store.ledger import CertificateStore, CheckpointStore, LedgerStore, VerificationStore
    from jobs.ports.store.own_data import OwnData
    from jobs.ports.store.plans import PlanStore
    from jobs.ports.store.policies import PolicyStore
    from jobs.ports.store.requests import RequestStore
    from jobs.ports.store.runs import JournalStore, RunStore
    from jobs.ports.store.statistics import StatisticsStore
    from jobs.ports.store.waiting_units import Quarantine, WorkQueue


@dataclass(frozen=True, slots=True)
class Store:
    """The state of the service, by noun. Each method is one transaction: what it writes is there whole, with
    its ledger entries, or not at all."""

    certificates: CertificateStore
    checkpoints: CheckpointStore
    crm_use: CrmUse
    crms: CrmStore
    erasures: ErasureStore
    holds: HoldStore
    journal: JournalStore
    kill_switch: KillSwitch
    leases: LeaseStore
    ledger: LedgerStore
    own_data: OwnData
    plans: PlanStore
    policies: PolicyStore
    quarantine: Quarantine
    requests: RequestStore
    runs: RunStore
    statistics: StatisticsStore
    verifications: VerificationStore
    work_queue: WorkQueue
