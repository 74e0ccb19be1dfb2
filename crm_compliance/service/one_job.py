"""One job at the desk, the same for the command line and the scheduler: the job itself, and the files that it
leaves for an admin."""

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import disk_errors, write_whole
from crm_compliance.reports.requests.written_files import removing_files
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.desk import Desk
from crm_compliance.wiring.keys import register_key
from crm_compliance.wiring.schedule import policy_of
from crm_compliance.wiring.store import store_of
from jobs.checks.same_clock import ClocksDiffer
from jobs.checks.same_zone import refuse_other_zone
from jobs.model.outcome import Outcome
from jobs.registry import Job
from rules.errors import ComplianceError


def carry_out(opened: Desk, job: Job) -> Outcome:
    """Run one job; what it raises is what is raised here. The answer names the files that were written."""
    context = opened.context
    try:
        with removing_files(context.store) if job.kind is None else nullcontext():
            done = job.run(context)
    finally:  # also what a night has cost that failed; that it cannot be counted ends none
        with suppress(ComplianceError):
            context.store.crm_use.add(job.name, context.connector.stats)
    if not done.private_files:
        return done
    folder = opened.settings.make_data_dir()
    written = [str(folder / name) for name, lines in done.private_files.items() if _write(folder / name, lines)]
    return replace(done, document={**done.document, "files": written})


def without_crm(settings: Settings, job: Job, why: ComplianceError) -> None:
    """Do what a job does without the CRM, where the CRM cannot be reached: what has expired is removed all
    the same, unless the clock by which it has is doubted."""
    if job.without_crm is None or isinstance(why, ClocksDiffer):
        return
    clock, policy = clock_of(settings), policy_of(settings)
    with store_of(settings, clock) as store, removing_files(store):
        refuse_other_zone(store, policy)
        job.without_crm(store, policy, clock(), register_key(settings).references)


def _write(file: Path, lines: Sequence[str]) -> bool:
    """Write the lines with mode 0600; remove the file where there are none."""
    if not lines:
        with disk_errors(file):
            file.unlink(missing_ok=True)
        return False
    with write_whole(file, text=True) as out:
        out.writelines(f"{line}\n" for line in lines)
    return True
