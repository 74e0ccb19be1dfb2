"""One job at the desk, the same for the command line and the scheduler: the job itself, and the files that it
leaves for an admin."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import disk_errors, write_whole
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.desk import Desk
from crm_compliance.wiring.keys import register_key
from crm_compliance.wiring.schedule import policy_of
from crm_compliance.wiring.store import store_of
from jobs.checks.same_clock import ClocksDiffer
from jobs.checks.same_zone import refuse_other_zone
from jobs.model.outcome import Outcome
from jobs.model.run import RunState
from jobs.ports.context import JobContext
from jobs.registry import Job
from rules.errors import ComplianceError


def carry_out(opened: Desk, job: Job, warn: Callable[[str], None]) -> Outcome:
    """Run one job; what it raises is raised here. The answer names the files that were written. `warn` hears
    of each run that went before the job's own, also where its own plan is refused; if one of them ended with
    failures, the job did."""
    context, earlier = opened.context, _Earlier(opened.context)
    try:
        done = job.run(context)
        if job.kind is not None and earlier.told(warn, but=done.id):
            done = replace(done, state=RunState.DONE_WITH_FAILURES)
    except ComplianceError:
        if job.kind is not None:
            with suppress(ComplianceError):
                earlier.told(warn)
        raise
    finally:  # also what a night has cost that failed; that it cannot be counted ends none
        with suppress(ComplianceError):
            context.store.crm_use.add(job.name, context.connector.stats)
    if not done.private_files:
        return done
    folder = opened.settings.make_data_dir()
    written = [str(folder / name) for name, lines in done.private_files.items() if _write(folder / name, lines)]
    return replace(done, document={**done.document, "files": written})


class _Earlier:
    """Notices the runs that end between now and when they are told."""

    def __init__(self, context: JobContext) -> None:
        self._runs = context.store.runs
        self._open = {run.id for run in self._runs.unfinished()}
        self._last = next((run.id for run in self._runs.newest()), None)

    def told(self, warn: Callable[[str], None], *, but: str = "") -> bool:
        """Tell each of them, oldest first; return whether one has failures."""
        begun = {run.id for run in takewhile(lambda run: run.id != self._last, self._runs.newest())}
        ended = [run for run in reversed(self._runs.some((self._open | begun) - {but})) if run.is_over]
        for run in ended:
            counts = ", ".join(f"{run.counts.get(key, 0)} {key}" for key in ("deleted", "anonymised"))
            warn(f"before that, {run.id} carried out {run.plan} ({run.kind.value}): {run.state.value.replace('_', ' ')}, {counts}")
        return any(run.state is RunState.DONE_WITH_FAILURES for run in ended)


def without_crm(settings: Settings, job: Job, why: ComplianceError) -> None:
    """Do what a job does without the CRM, where the CRM cannot be reached: what has expired is removed all
    the same, unless the clock by which it has is doubted."""
    if job.without_crm is None or isinstance(why, ClocksDiffer):
        return
    clock, policy = clock_of(settings), policy_of(settings)
    with store_of(settings, clock) as store:
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
