"""In which order units are written that have a row in common. One of them is written in a night, and another
takes the row along in a later one. Whatever was tried comes behind those that were not, since what the CRM
refuses every night would keep them for ever; to wait for a turn is not a try."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from itertools import chain

import msgspec

from jobs.model.run import AWAITS_TURN, Action, ActionState
from jobs.ports.store.runs import JournalStore
from rules.dates.instants import instant

LEFT = frozenset({ActionState.SKIPPED, ActionState.PARTIAL, ActionState.FAILED})
SOME_TIME = "0"  # sorts before every instant: earlier journals do not say when a unit was tried


class Turns:
    """The order of units by what earlier runs made of them, which is read when it is first asked for."""

    def __init__(self, journal: JournalStore) -> None:
        self._journal = journal

    def first_to_last(self, units: Iterable[str]) -> list[str]:
        """Return these ids, each once: first those that no run has tried and left, then whichever was tried
        longest ago. A hold or an absence keeps a unit out of the plan, so what is left again is mostly
        refused."""
        return sorted({*units}, key=lambda unit: (self._tried.get(unit, ""), unit))

    def noted(self, actions: Iterable[Action], started: datetime) -> list[Action]:
        """Return the same outcomes of a run that `started` then. Those that it leaves say when they were last
        tried: by this run, or, where they await their turn, by the run before."""
        at = instant(started, "seconds")
        return [msgspec.structs.replace(each, tried=self._tried_now(each, at)) if each.state in LEFT else each for each in actions]

    def _tried_now(self, action: Action, at: str) -> str:
        return self._tried.get(action.id, "") if action.code == AWAITS_TURN else at

    @cached_property
    def _tried(self) -> dict[str, str]:
        journal = self._journal
        left = chain(journal.partials(), journal.last_skips(), journal.failures())  # what is half done may have been skipped since
        return {action.id: action.tried or ("" if action.code == AWAITS_TURN else SOME_TIME) for _, action in left}
