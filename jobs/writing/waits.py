"""Which units wait for others with which they have a row in common."""

from collections import defaultdict
from collections.abc import Iterable

from jobs.writing.turns import Turns


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
