"""How people are told of the state of a run: as interrupted where it has not ended and nobody works on it."""

from collections.abc import Sequence

from jobs.model.run import INTERRUPTED, Run, RunLine, RunState
from jobs.ports.store.store import Store


def state_of(run: Run | RunLine, at_work: str | None) -> str:
    """Return how people are told of the state of a run; `at_work` is the one that a process is working on."""
    return INTERRUPTED if run.state is RunState.RUNNING and run.id != at_work else run.state.value


def run_and_state(store: Store, run: Run) -> tuple[Run, str]:
    """Return a run that was read, with its state. One that nobody works on may have ended since it was read,
    and is read again: what is told of it is told of one moment."""
    at_work = store.leases.run_at_work() if not run.is_over else None
    if state_of(run, at_work) == INTERRUPTED:
        run = store.runs.get(run.id)
    return run, state_of(run, at_work)


def lines_and_run_at_work(store: Store) -> tuple[Sequence[RunLine], str | None]:
    """Return a line for each run and job, and the run that a process is working on, by which none that has
    just ended, or just begun, is called interrupted."""
    lines, at_work = store.runs.lines(), store.leases.run_at_work()
    if any(state_of(line, at_work) == INTERRUPTED for line in lines):
        again = {line.id: line for line in store.runs.lines()}
        lines = [again.get(line.id, line) for line in lines]  # none that has begun since
    return lines, at_work
