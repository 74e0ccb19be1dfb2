"""The journal of the runs: what became of each unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.model.run import Action, ActionState


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
