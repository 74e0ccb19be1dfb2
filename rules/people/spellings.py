"""In how many ways a person may be named in a text: order, particles, initials, double names, spelling of the
country. Source: IDN-13 to IDN-16."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec

from rules.people.name_words import JOINING, OFFICES, ORDINARY, PLACEHOLDERS
from rules.people.names import unjoined
from rules.texts.folding import fold, squeeze

_BETWEEN_WORDS = re.compile(r"[\s,;/\-‐‑–_]+")
_LOOSE_FROM: Final = 6  # letters from which a word is known although it is broken by spaces; below, `em ma` would be Emma
_ANYWHERE_FROM: Final = 8  # letters from which a surname, or both names in one word, are known inside a longer one, as in a user name
_FIRST_WORD_FROM: Final = 2
_DISTINCTIVE_FROM: Final = 4
_SUFFIXED_FROM: Final = 3
POSSESSIVE: Final = ("s",)
ENDINGS: Final = (*POSSESSIVE, "se", "es", "en", "ke", "je", "tje")

# Before names are folded: how the same name is written elsewhere (IDN-16). Both ways, each by itself.
_RESPELT: Final = (
    (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")),
    (("ae", "a"), ("oe", "o"), ("ue", "u")),
    (("ij", "y"), ("IJ", "Y"), ("Ij", "Y")),
    (("y", "ij"), ("Y", "IJ")),
)
_NO_PROOF: Final = ORDINARY | JOINING


class Part(StrEnum):
    """Which part of a name a spelling is."""

    FULL = "full"
    FIRST = "first"
    LAST = "last"
    INITIALS = "initials"


class Spelling(msgspec.Struct, frozen=True):
    """One way to write a name: its letters, squeezed; `inner` are the places where a further word begins."""

    letters: str
    part: Part
    inner: frozenset[int] = frozenset()

    @property
    def needs_capital(self) -> bool:
        """Whether it is a name only with a capital: it is also a word, or too short to be certain."""
        if self.part is Part.INITIALS:
            return True
        return self.part is not Part.FULL and (len(self.letters) <= 2 or self._words() <= _NO_PROOF)

    @property
    def is_word(self) -> bool:
        """Whether it is one name by itself, and not so short that it is a syllable."""
        return self.part in (Part.FIRST, Part.LAST) and len(self.letters) > 2

    @property
    def ends_in_initial(self) -> bool:
        """Whether its last word is an initial."""
        return self.part is Part.INITIALS and len(self.letters) - 1 in self.inner

    @property
    def is_distinctive(self) -> bool:
        """Whether finding it proves that someone is named: no word, no three letters (section 7.2)."""
        if self.part is Part.FULL:
            return len(self.letters) >= _LOOSE_FROM
        return self.part is Part.LAST and len(self.letters) >= _DISTINCTIVE_FROM and not self._words() <= _NO_PROOF

    def _words(self) -> set[str]:
        return {self.letters[a:b] for a, b in pairwise([0, *sorted(self.inner), len(self.letters)])} - {""}

    def is_at(self, letters: str, starts: Set[int], begin: int, endings: Sequence[str] = ENDINGS) -> bool:
        """Return whether the spelling, which was found at `begin` of squeezed letters, is a name there.
        `starts` are the places near it where a word begins, in the whole text; one of `endings` may
        follow."""
        end = begin + len(self.letters)
        if self.part is Part.FULL and len(self.letters) >= _ANYWHERE_FROM and not any(begin < place < end for place in starts):
            return True
        if begin not in starts and not (begin and letters[begin - 1].isdigit()):
            return False
        if not self._ends_at(letters, starts, end, endings):
            return False
        if len(self.letters) >= _LOOSE_FROM:
            return True
        if self.part is not Part.INITIALS and all(place in starts for place in range(begin, end)):  # letter by letter: `K-A-R-I-N`
            return True
        return all(place - begin in self.inner for place in starts if begin < place < end)

    def is_inside(self, starts: Set[int], begin: int) -> bool:
        """Return whether it shows who is meant although it is at `begin` inside a longer word:
        `bartquaghebeur`, `Kowalczykowa`."""
        end = begin + len(self.letters)
        return (
            self.part is Part.LAST
            and len(self.letters) >= _ANYWHERE_FROM
            and self.is_distinctive
            and not any(begin < place < end for place in starts)
        )

    def _ends_at(self, letters: str, starts: Set[int], end: int, endings: Sequence[str]) -> bool:
        if _is_word_end(letters, starts, end):
            return True
        if self.ends_in_initial or len(self.letters) < _SUFFIXED_FROM:
            return False
        return any(letters.startswith(suffix, end) and _is_word_end(letters, starts, end + len(suffix)) for suffix in endings)


def _is_word_end(letters: str, starts: Set[int], end: int) -> bool:
    return end >= len(letters) or end in starts or letters[end].isdigit()


def words_of(name: str) -> list[str]:
    """Return the words of a name, folded. What only says that no name is known has none."""
    words = [word for word in (fold(part) for part in _BETWEEN_WORDS.split(name)) if word]
    return [] if all(word in PLACEHOLDERS for word in words) else words


def spellings(first: str, last: str) -> frozenset[Spelling]:
    """Return every way in which a person with this first and last name may be named; either may be empty."""
    if set(words_of(first) + words_of(last)) <= OFFICES:
        return frozenset()
    found: set[Spelling] = set()
    for one, other in _respelt(first, last):
        parted = {
            letters.text: letters.starts for part in _BETWEEN_WORDS.split(f"{one} {other}") if any((letters := squeeze(part)).starts[1:])
        }
        found.update(_parted(spelling, parted) for spelling in _plainly(words_of(one), words_of(other)))
    return frozenset(found)


def _parted(spelling: Spelling, parted: Mapping[str, Sequence[bool]]) -> Spelling:
    """Return a short name with the places where it is parted as it is written: `Sa'id`, `N'Golo`. A longer
    one is known however it is parted."""
    if len(spelling.letters) >= _LOOSE_FROM or spelling.part is Part.INITIALS:
        return spelling
    edges = [0, *sorted(spelling.inner), len(spelling.letters)]
    inner = {
        a + place for a, b in pairwise(edges) for place, is_start in enumerate(parted.get(spelling.letters[a:b], ())) if place and is_start
    }
    written = msgspec.structs.replace(spelling, inner=spelling.inner | inner)
    return written if written.is_distinctive == spelling.is_distinctive else spelling


def _respelt(first: str, last: str) -> Iterator[tuple[str, str]]:
    yield first, last
    for changes in _RESPELT:
        one, other = first, last
        for old, new in changes:
            one, other = one.replace(old, new), other.replace(old, new)
        if (one, other) != (first, last):
            yield one, other


def _plainly(first: list[str], last: list[str]) -> Iterator[Spelling]:
    core = [word for word in last if word not in JOINING] or last
    particles = [word for word in last if word in JOINING] if core != last else []
    whole = next((place for place, word in enumerate(last) if word not in JOINING), 0)
    lasts = {*(tuple(last[place:]) for place in range(whole + 1)), tuple(core), *((word,) for word in core if len(word) > 2)} - {()}
    if last[:1] in (["el"], ["al"]) and len(last) > 1:
        lasts.add(("al" if last[0] == "el" else "el", *last[1:]))
    firsts = {tuple(first), *((word,) for word in first if len(word) >= _FIRST_WORD_FROM and word not in JOINING)} - {()}
    yield from (_spelt(name, Part.FIRST) for name in firsts)
    yield from (_spelt(name, Part.LAST) for name in lasts)
    for one in firsts:
        for other in {*lasts, *((unjoined(core[0]), *core[1:]) for _ in core[:1])}:
            yield _spelt(one + other, Part.FULL)
            yield _spelt(other + one, Part.FULL)
    if first and particles:
        for one in firsts:
            yield _spelt((*core, *particles, *one), Part.FULL)
            yield _spelt((*core, *one, *particles), Part.FULL)
    if first and last:
        yield from _with_initials(first, last, core, lasts)


def _with_initials(first: list[str], last: list[str], core: list[str], lasts: set[tuple[str, ...]]) -> Iterator[Spelling]:
    for letters in {tuple(word[0] for word in first), (first[0][0],)}:
        for name in lasts:
            yield _spelt(letters + name, Part.INITIALS)
            yield _spelt(name + letters, Part.INITIALS)
    for letters in {tuple(word[0] for word in last), (core[0][0],), (last[0][0],)}:
        for given in {tuple(first), (first[0],)}:
            yield _spelt(given + letters, Part.INITIALS)


def _spelt(words: tuple[str, ...], part: Part) -> Spelling:
    inner: set[int] = set()
    place = 0
    for word in words[:-1]:
        place += len(word)
        inner.add(place)
    return Spelling("".join(words), part, frozenset(inner))
