"""In which order units go that have a row in common. One of them is written in a night, and another takes the
row along in a later one. Whoever was left before lets the others pass, since what the CRM refuses every night
would keep them for ever."""

from collections.abc import Iterable
from functools import cached_property
from itertools import chain

from jobs.model.run import AWAITS_TURN
from jobs.ports.store.journal import JournalStore


class Turns:
    """The order of units by what earlier runs made of them, which is read when it is first asked for."""

    def __init__(self, journal: JournalStore) -> None:
        self._journal = journal

    def first_to_last(self, units: Iterable[str]) -> list[str]:
        """Return these ids, each once. Last come those whose last run left them for another reason than their
        turn. A hold or an absence keeps a unit out of the plan, so what is left again is mostly refused."""
        return sorted({*units}, key=lambda unit: (unit in self._left, unit))

    @cached_property
    def _left(self) -> frozenset[str]:
        journal = self._journal
        left = chain(journal.last_skips(), journal.failures(), journal.partials())
        return frozenset(action.id for _, action in left if action.code != AWAITS_TURN)
