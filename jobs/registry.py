"""The jobs that the command line, the scheduler, the settings and the documents know, in the order of the
night. A new job is its own file and one line here. A job without a plan writes its beginning and its end into
the ledger (`jobs.proof.job_record`); the history and the health of the service read it there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jobs.checks.drift.references import References
from jobs.model.outcome import Outcome
from jobs.model.plan import Kind
from jobs.nightly.housekeeping import run_housekeeping
from jobs.nightly.requests import run_requests
from jobs.nightly.retention import carried_out
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from jobs.register.maintenance import maintain_register
from rules.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Job:
    """`cron` is when the service runs it, by the clock of the schedule, unless the setting `NAME_CRON` says
    otherwise; `purpose` is said by `run --help` and in the documents.

    `kind` is that of the plan which the job makes and carries out: an hour of such a job that was missed is
    caught up. `without_crm` is what is done all the same where the CRM cannot be reached: it takes the store,
    the schedule, the moment and the references of rows. `verifies`: after this job, however it ended, the
    desk verifies the whole ledger (ACC-06)."""

    name: str
    cron: str
    run: Callable[[JobContext], Outcome]
    purpose: str
    kind: Kind | None = None
    without_crm: Callable[[Store, Policy, datetime, References], object] | None = None
    verifies: bool = False

    @property
    def setting(self) -> str:
        """The setting that moves its hour, as a key of the settings file."""
        return f"{self.name}_cron"

    @property
    def hour(self) -> str:
        """Its hour as a clock shows it, unless the settings say otherwise."""
        minute, hour = self.cron.split()[:2]
        return f"{int(hour):02}:{int(minute):02}" if (minute + hour).isdigit() else self.cron


_JOBS = (
    Job(
        "requests",
        "30 1 * * *",
        run_requests,
        "cares for subject requests: what expires, what they keep, what is due",
        without_crm=maintain_register,
    ),
    Job("recordings", "0 2 * * *", carried_out(Kind.RECORDINGS), "plans and applies at once: recordings", Kind.RECORDINGS),
    Job("retention", "30 2 * * *", carried_out(Kind.RETENTION), "plans and applies at once: dossiers, fiches, people", Kind.RETENTION),
    Job(
        "housekeeping",
        "30 5 * * *",
        run_housekeeping,
        "finds recordings and objects in storage that have lost each other; removes what has expired in our own store; "
        "then verifies the ledger",
        verifies=True,
    ),
)
JOBS: dict[str, Job] = {job.name: job for job in _JOBS}
