"""What is nearly the name of somebody who is known: a surname with a slip of the pen, or a first name with
the initial of the surname.

It may be an ordinary word or somebody else, so it proves nothing by itself: it makes a person look (EXP-07).
To find few words that are not names, a surname has a capital, and a short one is beside the first name or its
initial. Source: EXP-06, EXP-07, R-118; IDN-15."""

import re
from collections.abc import Iterable, Set
from typing import Final

from rules.people.name_words import JOINING, ORDINARY
from rules.people.slips import Slips
from rules.people.spellings import Part, spellings, words_of
from rules.texts.folding import fold

_ALONE_FROM: Final = 8  # letters from which a surname with a slip tells who is meant without a first name
_FIRST_FROM: Final = 3  # letters of a first name that an initial is looked for behind
_MOST_PARTICLES: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_POSSESSIVE: Final = re.compile(r"['’]s?$")
_FURTHEST: Final = 60  # characters before a word in which the one before it is looked for
_BEFORE: Final = re.compile(r"(?<!\w)([^\W\d_]+(?:['’-][^\W\d_]+)*)[\s,.]{1,4}$")
_BEHIND: Final = re.compile(r"[\s,.]{1,4}([^\W\d_]+(?:['’-][^\W\d_]+)*)")
_INITIAL: Final = re.compile(r"[\s,.]{1,4}([^\W\d_])\.")  # one letter with a dot, right behind a first name


class NearNames:
    """A search for what is nearly one of some names. Correctly written names are for `LeakTerms` to find."""

    def __init__(self, names: Iterable[tuple[str, str]], own: Set[str]) -> None:
        """`names` are first and last names; `own` are spellings, folded, of the person whom the answer is
        about: nobody else is meant by them."""
        self._own = own
        self._beside: dict[str, set[str]] = {}  # surname -> first names and initials of those who are called so
        self._initials: dict[str, set[str]] = {}  # first name -> initials of the surnames
        known: set[str] = set()
        for first, last in names:
            firsts = {word for word in (fold(first), *words_of(first)) if word}
            for spelling in spellings(first, last):
                known.add(spelling.letters)
                if spelling.part is Part.LAST and spelling.is_distinctive and spelling.letters not in own:
                    self._beside.setdefault(spelling.letters, set()).update(firsts, {word[0] for word in firsts})
            lasts = words_of(last)
            initials = {word[0] for word in lasts}
            for word in firsts:
                if len(word) >= _FIRST_FROM and word not in ORDINARY and lasts:
                    self._initials.setdefault(word, set()).update(initials)
        self._known = known
        self._slips = Slips(self._beside)
        self._met: dict[str, bool] = {}  # words as they were written, and whether one has to be looked at

    def are_in(self, text: str) -> bool:
        """Return whether something in a text is nearly one of the names."""
        if not self._beside and not self._initials:
            return False
        is_lower = text.islower()  # where nobody used a capital, a missing one says nothing
        for match in _WORD.finditer(text):
            written = _POSSESSIVE.sub("", match[0])
            is_met = self._met.get(written)
            if is_met is None:
                is_met = self._met[written] = self._is_met(fold(written))
            if is_met and self._names_somebody(text, match.start(), match.end(), written, has_capital=is_lower or not written.islower()):
                return True
        return False

    def _is_met(self, letters: str) -> bool:
        return letters in self._initials or bool(self._near(letters))

    def _near(self, letters: str) -> tuple[str, ...]:
        """Return the surnames that a word nearly is."""
        if letters in ORDINARY or letters in self._known or {letters, letters.removesuffix("s")} & self._own:
            return ()
        return tuple(self._slips.of(letters))

    def _names_somebody(self, text: str, begin: int, end: int, written: str, *, has_capital: bool) -> bool:
        letters = fold(written)
        if initials := self._initials.get(letters):
            initial = _INITIAL.match(text, end)
            if initial is not None and initial[1].isupper() and fold(initial[1]) in initials:
                return True
        if not has_capital:
            return False
        near = self._near(letters)
        return any(len(name) >= _ALONE_FROM for name in near) or any(
            not self._beside[name].isdisjoint(_around(text, begin, end)) for name in near
        )


def _around(text: str, begin: int, end: int) -> set[str]:
    """Return the word before a surname and its particles, and the word behind it, where only a blank, a comma
    or a dot stands between."""
    found: set[str] = set()
    for _ in range(_MOST_PARTICLES + 1):
        before = _BEFORE.search(text, max(0, begin - _FURTHEST), begin)
        if before is None:
            break
        begin = before.start()
        if fold(before[1]) not in JOINING:
            found.add(fold(before[1]))
            break
    if (behind := _BEHIND.match(text, end)) is not None:
        found.add(fold(behind[1]))
    return found
