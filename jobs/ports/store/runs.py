"""Runs of plans and of maintenance, as the jobs ask for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.ledger.maintenance_runs import MaintenanceRun
    from jobs.model.plan import Kind
    from jobs.model.run import Run, RunLine


class RunStore(Protocol):
    """The runs, and the maintenance runs, which carry out no plan."""

    def start(self, run: Run, entry: Entry) -> None:
        """Add a run. Raises Refused: its plan was rejected meanwhile."""

    def save(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        """Replace the run; where it is over, its plan counts as applied."""

    def get(self, run: str) -> Run:
        """Return a run. Raises UsageError for an unknown id."""

    def all(self) -> list[Run]:
        """Return all runs, newest first."""

    def line(self, run: str) -> RunLine | None:
        """Return the line of a run, or of a job without a plan; None where there is none."""

    def newest(self) -> Iterator[Run]:
        """Yield the runs, newest first. A few are read at a time, as they are asked for."""

    def unfinished(self) -> list[Run]:
        """Return the runs that have not ended, newest first."""

    def some(self, runs: Collection[str]) -> list[Run]:
        """Return these runs, newest first; unknown ones are left out."""

    def lines(self) -> Sequence[RunLine]:
        """Return a line for every run and every job without a plan, newest first. They are kept in memory:
        who asks again has those read that were added or went on since."""

    def of_plan(self, plan: str) -> Run | None: ...

    def maintenance(self) -> list[MaintenanceRun]:
        """Return the maintenance jobs that were done, newest first: runs that carry out no plan."""

    def newest_maintenance(self, kind: str = "") -> Iterator[MaintenanceRun]:
        """Yield the same, of one kind where it is named, a few read at a time."""

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        """Return what the last completed applying runs of this kind disposed of, newest first. `counter` is
        units or recordings (RET-24)."""
