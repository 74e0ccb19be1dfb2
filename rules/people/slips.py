"""One slip of the pen in a name: a letter too many, one too few, another one, or two that changed places.
Source: IDN-15, EXP-06."""

from collections.abc import Iterable, Iterator
from typing import Final

from rapidfuzz.distance import OSA

SLIP_FROM: Final = 6  # letters from which a name with one slip still tells who is meant


class Slips:
    """Finds the names that a word is one slip away from: two words at distance one share what remains of them
    without one letter."""

    def __init__(self, names: Iterable[str]) -> None:
        """Index `names`, which are folded (`folding.fold`). Those that are too short are left out."""
        self._names: dict[str, set[str]] = {}
        self._longest = 0  # anything longer is not a slip of any of them, and would cost its square
        for name in names:
            if len(name) >= SLIP_FROM:
                self._longest = max(self._longest, len(name))
                for rest in _without_one_letter(name):
                    self._names.setdefault(rest, set()).add(name)

    def of(self, word: str) -> Iterator[str]:
        """Yield the names that a folded word nearly is, or is."""
        if SLIP_FROM - 1 <= len(word) <= self._longest + 1:
            near = {name for rest in _without_one_letter(word) for name in self._names.get(rest, ())}
            yield from (name for name in near if OSA.distance(word, name) <= 1)


def _without_one_letter(word: str) -> set[str]:
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
