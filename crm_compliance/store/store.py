"""The state store: what `jobs.ports.store.store.Store` asks, answered over one database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crm_compliance.store.files.written_files import remove_written
from crm_compliance.store.right_to_run import Leases
from crm_compliance.store.rows.alerts import ToldAlerts
from crm_compliance.store.rows.certificates import Certificates
from crm_compliance.store.rows.console.colleagues import Colleagues
from crm_compliance.store.rows.console.sent_forms import SentForms
from crm_compliance.store.rows.console.sessions import Sessions
from crm_compliance.store.rows.console.works import Works
from crm_compliance.store.rows.crms import Crms, CrmUse
from crm_compliance.store.rows.erasures import Erasures
from crm_compliance.store.rows.expired_rows import OwnData
from crm_compliance.store.rows.heads import Heads, Witness
from crm_compliance.store.rows.holds import Holds
from crm_compliance.store.rows.journal import Journal
from crm_compliance.store.rows.kill_switch import KillSwitch
from crm_compliance.store.rows.ledger import Checkpoints, Ledger, Verifications
from crm_compliance.store.rows.plans import Plans
from crm_compliance.store.rows.policies import Policies
from crm_compliance.store.rows.requests import Requests, Sealer
from crm_compliance.store.rows.runs import Runs
from crm_compliance.store.rows.statistics import Statistics
from crm_compliance.store.rows.transactions import Transactions
from crm_compliance.store.rows.waiting_units import Quarantine, WorkQueue
from crm_compliance.store.sql.database import Database
from jobs.ports.store.store import Store

if TYPE_CHECKING:
    from jobs.ports.context import Clock


@dataclass(frozen=True, slots=True)
class SqlStore(Store):
    """Plans, runs, journal and ledger in SQLite or PostgreSQL. Safe to share between threads. A full disk, a
    folder that may not be written and a database that cannot be reached raise a UsageError (exit 2) and leave
    nothing half-written: what a method writes and the ledger entries about it are one transaction."""

    certificates: Certificates
    crms: Crms
    erasures: Erasures
    ledger: Ledger
    journal: Journal
    leases: Leases
    sent_forms: SentForms
    colleagues: Colleagues
    sessions: Sessions
    told: ToldAlerts
    works: Works
    database: Database

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Clock,
        sealer: Sealer | None = None,
        folder: Path | None = None,
        witness: Witness | None = None,
    ) -> Self:
        """Open the store of a SQLAlchemy URL; tables are made or brought up to date.

        `clock` dates the ledger entries, `sealer` seals the working areas of subject requests: without one,
        none can be opened. `folder` is for locks if the database is not a file; `witness` signs the head of
        the ledger."""
        database = Database.open(url)
        within = Transactions(database, Heads(witness), clock)
        ledger = Ledger(within)
        return cls(
            certificates=Certificates(within),
            checkpoints=Checkpoints(within),
            crm_use=CrmUse(within),
            crms=Crms(within),
            database=database,
            erasures=Erasures(within),
            holds=Holds(within),
            journal=Journal(within, ledger),
            kill_switch=KillSwitch(within),
            leases=Leases(within, folder),
            ledger=ledger,
            own_data=OwnData(within),
            plans=Plans(within),
            policies=Policies(within),
            quarantine=Quarantine(within),
            requests=Requests(within, sealer, remove_written),
            runs=Runs(within),
            sent_forms=SentForms(within),
            colleagues=Colleagues(within),
            sessions=Sessions(within),
            statistics=Statistics(within),
            told=ToldAlerts(within),
            verifications=Verifications(within),
            work_queue=WorkQueue(within),
            works=Works(within),
        )

    @property
    def place(self) -> str:
        """The file or the address of the database, without a password."""
        return self.database.place

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
