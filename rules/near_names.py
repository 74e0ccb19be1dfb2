"""What is nearly the name of somebody who is known: a surname with a slip of the pen, or a first name with the initial of the surname.

It may be an ordinary word or somebody else, so it proves nothing by itself: it makes a person look (EXP-07). To meet few words that are
none, a surname has a capital, and one that is short stands beside the first name or its initial.

Source: EXP-06, EXP-07, R-118; IDN-15.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Final

import msgspec

from rules.folding import fold
from rules.ordinary_words import ORDINARY, PARTICLES
from rules.slips import Slips
from rules.spellings import Part, spellings, words_of

_ALONE_FROM: Final = 8  # letters from which a surname with a slip tells who is meant without a first name
_FIRST_FROM: Final = 3  # letters of a first name that an initial is looked for behind
_MOST_PARTICLES: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_POSSESSIVE: Final = re.compile(r"['’]s?$")
_BETWEEN: Final = re.compile(r"[\s,.]{1,4}")


class _Word(msgspec.Struct, frozen=True):
    written: str
    letters: str
    begin: int
    end: int


class NearNames:
    """A search for what is nearly one of some names. Those that are written as they should be are for `Needles` to find."""

    def __init__(self, names: Iterable[tuple[str, str]], own: Set[str]) -> None:
        """`names` are first and last names; `own` are spellings, folded, of whoever the answer is about: nobody else is meant by them."""
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
        self._nears: dict[str, tuple[str, ...]] = {}

    def are_in(self, text: str) -> bool:
        """Say whether something in a text is nearly one of the names."""
        if not self._beside and not self._initials:
            return False
        is_lower = text.islower()  # where nobody used a capital, a missing one says nothing
        words: list[_Word] = []
        wanted: list[int] = []
        for match in _WORD.finditer(text):
            written = _POSSESSIVE.sub("", match[0])
            letters = fold(written)
            if self._is_looked_at(written, letters, is_lower=is_lower):
                wanted.append(len(words))
            words.append(_Word(written, letters, match.start(), match.end()))
        return any(self._names_somebody(text, words, place) for place in wanted)

    def _is_looked_at(self, written: str, letters: str, *, is_lower: bool) -> bool:
        if letters in self._initials:
            return True
        return (is_lower or not written.islower()) and letters not in ORDINARY and bool(self._near(letters))

    def _near(self, letters: str) -> tuple[str, ...]:
        """The surnames that a word nearly is."""
        if letters not in self._nears:
            is_other = letters in self._known or bool({letters, letters.removesuffix("s")} & self._own)
            self._nears[letters] = () if is_other else tuple(self._slips.of(letters))
        return self._nears[letters]

    def _names_somebody(self, text: str, words: list[_Word], place: int) -> bool:
        word = words[place]
        if initials := self._initials.get(word.letters):
            after = words[place + 1 : place + 2]
            if after and _is_initial(text, word, after[0]) and after[0].letters in initials:
                return True
        if word.letters in ORDINARY:
            return False
        around = _around(text, words, place)
        return any(len(name) >= _ALONE_FROM or not self._beside[name].isdisjoint(around) for name in self._near(word.letters))


def _is_initial(text: str, first: _Word, word: _Word) -> bool:
    """Say whether a word is one capital letter with a dot, right behind a first name."""
    return (
        len(word.written) == 1
        and word.written.isupper()
        and text[word.end : word.end + 1] == "."
        and _BETWEEN.fullmatch(text, first.end, word.begin) is not None
    )


def _around(text: str, words: list[_Word], place: int) -> set[str]:
    """The word before a surname and its particles, and the word behind it, where nothing but a blank, a comma or a dot stands between."""
    found: set[str] = set()
    before = place
    for _ in range(_MOST_PARTICLES + 1):
        if before == 0 or _BETWEEN.fullmatch(text, words[before - 1].end, words[before].begin) is None:
            break
        before -= 1
        if words[before].letters not in PARTICLES:
            found.add(words[before].letters)
            break
    if place + 1 < len(words) and _BETWEEN.fullmatch(text, words[place].end, words[place + 1].begin) is not None:
        found.add(words[place + 1].letters)
    return found
