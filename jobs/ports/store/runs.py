"""Runs of plans and of maintenance, and their journal: what became of each unit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.ledger.maintenance_runs import MaintenanceRun
    from jobs.model.plan import Kind
    from jobs.model.request import SubjectRequest
    from jobs.model.run import Action, ActionState, Run, RunLine


class RunStore(Protocol):
    """The runs, and the maintenance runs, which carry out no plan."""

    def start(self, run: Run, entry: Entry, request: SubjectRequest | None = None) -> None:
        """Add a run. What it carries out for a `request` is what was decided on that row: whoever has read it
        before takes no other step. Raises Refused: its plan was rejected meanwhile; with code `changed`, the
        request is another one by now."""

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


class JournalStore(Protocol):
    """What became of each unit in each run."""

    def record(
        self, run: str, actions: Sequence[Action], entries: Sequence[Entry] = (), erasures: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Add or replace actions of the journal, by (table, id), together with ledger entries and entries of
        the register of erasures."""

    def of_run(self, run: str, states: Collection[ActionState] = ()) -> list[Action]:
        """Return the actions of a run in the order in which they were first recorded; with `states`, those in
        one of them."""

    def of_unit(self, run: str, table: str, row: str) -> Action | None:
        """Return what became of a unit in a run; None where the run has not come to it."""

    def undone(self, table: str, among: Collection[str] | None = None) -> dict[str, str]:
        """Return the ids of this table, or those `among` a few of them, that some run should have written and
        that the last run to try has not. It skipped them, failed or was cut off. Each id comes with the
        disposition that was planned. A contact to which nothing led any more should not have been written."""

    def unfinished(self, run: str) -> list[tuple[str, Action]]:
        """Return what runs other than this one last left PARTIAL or FAILED, and none has done since. Each
        comes with that run."""

    def failures(self) -> list[tuple[str, Action]]:
        """Return the units whose last action, over all runs, has FAILED, each with that run."""

    def partials(self) -> list[tuple[str, Action]]:
        """Return the units half done, each with the run that tried last and left it PARTIAL (ERA-15). To skip
        one is not a try: nothing was written of it, so that it is as half done as before."""

    def last_skips(self) -> list[tuple[str, Action]]:
        """Return the units whose last action, over all runs, was skipped, each with its run, oldest first."""

    def last_done(self, limit: int) -> list[tuple[str, Action]]:
        """Return the units that were last done and verified, newest first, each with its run. Runs that are
        not over are left out."""

    def check(self, *, whole: bool = False) -> None:
        """Raise StoreAltered where the journal of the runs has not the rows, in the states and the order,
        that it had when the head of the ledger was signed; with `whole` each document is looked at, which
        else is done for those that are read."""
