"""The retention job: dossiers, lone fiches and contacts."""

from jobs.model.plan import Kind
from jobs.model.run import Run
from jobs.nightly.plan_and_apply import plan_and_apply
from jobs.ports.context import JobContext


def run_retention(context: JobContext) -> Run:
    """Enforce the retention schedule on dossiers, lone fiches and contacts, once (`plan_and_apply`)."""
    return plan_and_apply(context, Kind.RETENTION)
