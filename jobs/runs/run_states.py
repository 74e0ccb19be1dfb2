"""How people are told of the state of a run: as interrupted where it has not ended and nobody works on it."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from jobs.ledger.maintenance_runs import MaintenanceRun
from jobs.model.run import INTERRUPTED, Run, RunLine, RunState
from jobs.ports.store.store import Store

_Any = TypeVar("_Any", Run, RunLine, MaintenanceRun)


def state_of(run: Run | RunLine | MaintenanceRun, at_work: Collection[str]) -> str:
    """Return how people are told of the state of a run; `at_work` are those that a process is working on."""
    return INTERRUPTED if run.state is RunState.RUNNING and run.id not in at_work else run.state.value


def run_and_state(store: Store, run: Run) -> tuple[Run, str]:
    """Return a run that was read, with its state."""
    return _of_one_moment(store, run, lambda: store.runs.get(run.id))


def line_and_state(store: Store, line: RunLine) -> tuple[RunLine, str]:
    """Return what a list says of a run, as it was read, with the state of the run."""
    return _of_one_moment(store, line, lambda: store.runs.line(line.id) or line)


def maintenance_and_state(store: Store, made: MaintenanceRun) -> tuple[MaintenanceRun, str]:
    """Return a job without a plan that was read, with its state."""
    return _of_one_moment(store, made, lambda: next(each for each in store.runs.newest_maintenance() if each.id == made.id))


def _of_one_moment(store: Store, run: _Any, again: Callable[[], _Any]) -> tuple[_Any, str]:
    """Return a run with its state. One that nobody works on may have ended since it was read, and is read
    again: what is told of it is told of one moment."""
    at_work = store.leases.runs_at_work() if run.state is RunState.RUNNING else frozenset()
    if state_of(run, at_work) == INTERRUPTED:
        run = again()
    return run, state_of(run, at_work)


def lines_and_runs_at_work(store: Store) -> tuple[Sequence[RunLine], frozenset[str]]:
    """Return a line for each run and job, and the runs that a process is working on, by which none that has
    just ended, or just begun, is called interrupted."""
    lines, at_work = store.runs.lines(), store.leases.runs_at_work()
    if any(state_of(line, at_work) == INTERRUPTED for line in lines):
        again = {line.id: line for line in store.runs.lines()}
        lines = [again.get(line.id, line) for line in lines]  # none that has begun since
    return lines, at_work
