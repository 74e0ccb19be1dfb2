"""A job that carries out no plan, in the ledger: that it began, and how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.checks.same_clock import refuse_other_clock
from jobs.ledger.maintenance_runs import ENDED, STARTED
from jobs.model.run import RunState
from jobs.ports.context import JobContext
from jobs.proof.checkpoint import make_checkpoint
from rules.errors import ComplianceError


@dataclass(slots=True)
class Recorded:
    """The run that is going on. The job sets its `state`, and `counts`, which the ledger keeps for ever:
    numbers and codes, nothing about anybody."""

    id: str
    state: RunState = RunState.DONE
    counts: dict[str, object] = field(default_factory=dict)


@contextmanager
def recorded(context: JobContext, job: str) -> Iterator[Recorded]:
    """Write down that a job began and, at the end of the block, how it ended; an error ends it with failures.
    Others see meanwhile that it is at work. Nothing was begun where it raises ClocksDiffer: this machine's
    clock is not the CRM's, so that what has expired by it is not known; or Refused, with code `another_run`:
    the same job is at work already."""
    refuse_other_clock(context)
    run = Recorded(context.new_id("run"))
    with context.store.leases.exclusive(job) as lease:
        lease.work_on(run.id)
        context.store.ledger.append([(STARTED, {"kind": job, "software": context.software_version})], run.id)
        try:
            with context.logged_as(run.id):
                yield run
        except ComplianceError as error:
            context.store.ledger.append([(ENDED, {"kind": job, "state": RunState.DONE_WITH_FAILURES.value, "code": error.code})], run.id)
            raise
        context.store.ledger.append([(ENDED, {"kind": job, "state": run.state.value, **run.counts})], run.id)
    make_checkpoint(context.store, context.notary, context.clock)
