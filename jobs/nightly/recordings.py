"""The recordings job. Source: policy §6.2 (every day)."""

from jobs.model.plan import Kind
from jobs.model.run import Run
from jobs.nightly.plan_and_apply import plan_and_apply
from jobs.ports.context import JobContext


def run_recordings(context: JobContext) -> Run:
    """Delete recordings past their six months, once (`plan_and_apply`)."""
    return plan_and_apply(context, Kind.RECORDINGS)
