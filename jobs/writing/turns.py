"""In which order units are written that have a row in common, and which wait for others. One of them is
written in a night, and another takes the row along in a later one. Whatever was tried comes behind those that
were not, since what the CRM refuses every night would keep them for ever; to wait for a turn is not a try."""

from collections import defaultdict
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


class Waits(set[str]):
    """The units that wait for others with which they have a row in common, by id. One order serves all these
    rows, so that no two units wait for each other: the first of them waits for none. A unit is written after
    those before which it must not be: an owner of such a row is in long-term retention with it, and not with
    them."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.after: set[tuple[str, str]] = set()  # a unit and one before which it must not go
        self._turns = turns
        self._known, self._numbers = 0, dict[str, int]()  # how many go before each, of as many pairs

    def in_turn(self, units: Iterable[str]) -> list[str]:
        """Return these ids in the order in which they are written, each once. Turns decide where none of two
        must come after the other, or each of them must: in such a circle whoever comes first breaks it, so
        that being in one puts nobody behind what the CRM refuses."""
        if len(self.after) != self._known:  # it only grows
            before = _before(self.after)
            one_way = _before((unit, other) for unit, other in self.after if unit not in before.get(other, ()))
            self._known, self._numbers = len(self.after), {unit: len(those) for unit, those in one_way.items()}
        return sorted(self._turns.first_to_last(units), key=lambda unit: self._numbers.get(unit, 0))


def _before(after: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return for each unit that must not go before another one all that go before it."""
    next_to: defaultdict[str, set[str]] = defaultdict(set)
    for unit, other in after:
        next_to[unit].add(other)
    found: dict[str, set[str]] = {}
    for unit in next_to:
        before, fresh = set[str](), [unit]
        while fresh:
            more = next_to.get(fresh.pop(), set()) - before
            before |= more
            fresh += more
        found[unit] = before
    return found


def in_turn(units: Iterable[str], waits: Waits | None) -> list[str]:
    """Return units in the order in which they go, each once."""
    return waits.in_turn(units) if waits is not None else sorted({*units})
