"""Where the people of a file are named in a text, in any spelling that shows who is meant. Source: EXP-06,
R-118; IDN-13 to IDN-16."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from typing import Final

import ahocorasick
import msgspec

from rules.people.name_words import JOINING, ORDINARY
from rules.people.slips import Slips
from rules.people.spellings import Part, Spelling, spellings
from rules.texts.folding import Squeezed, fold

_LOWER_TYPO_FROM: Final = 8  # the same without a capital: `matin` is not Martin
_LONGEST_ENDING: Final = 4
_LONGEST_GAP: Final = 6
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_WITH_LOST = re.compile(r"(?:[^\W\d_]|[?\ufffd])+")
_LOST = re.compile(r"[?\ufffd]+")
_LONGEST_WITH_LOST: Final = 40
_LEFT_OF_A_NAME: Final = 3  # letters that are still there
_POSSESSIVE = re.compile(r"'s?$")
_ENDING = re.compile(r"(?:s|se|es|en|ke|je|tje)(?=\W|\d|_|$)", re.IGNORECASE)
_NO_PART = re.compile(r"[^\w\s.,'’‘`´·‐‑–—\u00ad\u200b-\u200f\u2060\ufeff-]")
_PARTICLES_BEFORE = re.compile(rf"(?:(?<!\w)(?:{'|'.join(sorted(JOINING, key=len, reverse=True))})[\s'-]+)+$", re.IGNORECASE)
_PARTICLES_WITHIN: Final = 30
_ANY_PARTICLE: Final = tuple(JOINING)
_BETWEEN: Final = "'-" + "".join(filter(str.isspace, map(chr, range(0x3001))))


class Named(msgspec.Struct, frozen=True):
    """Somebody is named at `begin` to `end` of a text. `keys` are those whom the name fits; more than one
    where it is shared."""

    begin: int
    end: int
    keys: frozenset[str]
    part: Part


class KnownNames:
    """A search for the names of several people at once. First and last name in any order, one of them alone,
    or with the other's initial; particles joined or dropped; possessives and plurals; broken lines; one slip
    of the pen in six letters or more. A name that is also a word is one only with a capital."""

    def __init__(self, people: Sequence[tuple[str, str, str]], without: Set[str] = frozenset()) -> None:
        """Prepare the search. `people` are key, first and last name. `without` are spellings, squeezed, that
        are not searched: the person's own."""
        self._spellings: dict[str, dict[Spelling, set[str]]] = {}
        for key, first, last in people:
            for spelling in spellings(first, last):
                if spelling.letters not in without and len(spelling.letters) > 1:
                    self._spellings.setdefault(spelling.letters, {}).setdefault(spelling, set()).add(key)
        self._search = ahocorasick.Automaton()
        for letters in self._spellings:
            self._search.add_word(letters, letters)
        self._search.make_automaton()
        self._slips = Slips(letters for letters, known in self._spellings.items() if any(s.part in (Part.FIRST, Part.LAST) for s in known))
        self._without = without
        self._by_length: dict[int, list[str]] = {}
        for letters, known in self._spellings.items():
            if any(spelling.is_word for spelling in known):
                self._by_length.setdefault(len(letters), []).append(letters)

    def may_be_in(self, letters: str) -> bool:
        """Return whether letters, squeezed, have any of the names in them, slips of the pen aside."""
        return bool(self._spellings and letters) and next(self._search.iter(letters), None) is not None

    def find(self, text: str, squeezed: Squeezed, barred: Sequence[tuple[int, int]] = ()) -> list[Named]:
        """Find the names in a text, which is given squeezed too; none crosses a place in `barred` (begin,
        end; in their order)."""
        if not self._spellings:
            return []
        # Where nobody used a capital, as in a chat, a missing one says nothing.
        named = [*self._exact(text, squeezed, is_lower=text.islower() and not barred), *self._slipped(text), *self._with_lost_letters(text)]
        ends = [end for _, end in barred]

        def is_across(one: Named) -> bool:
            at = bisect_right(ends, one.begin)
            return at < len(barred) and barred[at][0] < one.end

        return [one for one in named if not is_across(one)]

    def _exact(self, text: str, squeezed: Squeezed, *, is_lower: bool) -> Iterator[Named]:
        for last, letters in self._search.iter(squeezed.text) if squeezed.text else ():
            begin = last + 1 - len(letters)
            stop = min(len(squeezed.text), last + 1 + _LONGEST_ENDING)
            starts = {place for place in range(begin, stop) if squeezed.starts[place]}
            written = text[squeezed.at[begin] : squeezed.at[last] + 1]
            if not all(after - before <= _LONGEST_GAP for before, after in pairwise(squeezed.at[begin : last + 1])):
                continue
            for spelling, keys in self._spellings[letters].items():
                if not spelling.is_at(squeezed.text, starts, begin):
                    if spelling.is_inside(starts, begin):
                        yield from self._inside(text, squeezed.at[begin], squeezed.at[last] + 1, frozenset(keys))
                    continue
                if spelling.needs_capital and not _has_capitals(written, spelling) and not (is_lower and spelling.is_word):
                    continue
                for first_at, end_at in _pieces(text, squeezed.at[begin : last + 1]):
                    yield Named(
                        _with_particles(text, first_at, spelling), _with_ending(text, end_at, spelling), frozenset(keys), spelling.part
                    )

    def _inside(self, text: str, begin: int, end: int, keys: frozenset[str]) -> Iterator[Named]:
        """Yield the whole of a word that contains a surname, unless it is the person's own."""
        while begin and text[begin - 1].isalpha():
            begin -= 1
        while end < len(text) and text[end].isalpha():
            end += 1
        if fold(text[begin:end]) not in self._without:
            yield Named(begin, end, keys, Part.LAST)

    def _slipped(self, text: str) -> Iterator[Named]:
        for match in _WORD.finditer(text):
            written = _POSSESSIVE.sub("", match[0])
            word = fold(written)
            if written.islower() and (len(word) < _LOWER_TYPO_FROM or word in ORDINARY):
                continue
            particles = _particles_before(text, match.start())
            joined = self._slip_of(fold(particles[0]) + word) if particles is not None else set()
            keys = joined or self._slip_of(word)
            if keys:
                begin = particles.start() if joined and particles is not None else _with_particles(text, match.start(), None)
                yield Named(begin, match.start() + len(written), frozenset(keys), Part.LAST)

    def _with_lost_letters(self, text: str) -> Iterator[Named]:
        """Yield names whose letters with accents became question marks: `M?ller`. One at an end of a word is
        one, unless it is of those that only stand for something lost."""
        if "?" not in text and "\ufffd" not in text:
            return
        seen: dict[str, frozenset[str]] = {}
        for match in _WITH_LOST.finditer(text):
            written = match[0].strip("?")
            if len(written) > _LONGEST_WITH_LOST or _LOST.search(written) is None:
                continue
            if written not in seen:
                seen[written] = frozenset(self._lost_of(written))
            if seen[written]:
                begin = match.start() + match[0].index(written)
                yield Named(begin, begin + len(written), seen[written], Part.LAST)

    def _lost_of(self, written: str) -> Iterator[str]:
        """Yield the people whose name a word with lost letters may be; one of two bytes may have left two
        marks, and stand for two letters."""
        pieces = [fold(piece) for piece in _LOST.split(written)]
        left, lost = sum(map(len, pieces)), [len(run) for run in _LOST.findall(written)]
        is_marked = "\ufffd" in written  # of a word in letters and a mark of nothing else
        if left < _LEFT_OF_A_NAME - is_marked or not (is_marked or any(map(str.isupper, written))):
            return
        pattern = re.compile("".join(f"{re.escape(piece)}.{{1,{run + 1}}}" for piece, run in zip(pieces, lost, strict=False)) + pieces[-1])
        if any(pattern.fullmatch(own) for own in self._without):
            return
        for length in range(left + len(lost), left + sum(lost) + len(lost) + 1):
            for letters in self._by_length.get(length, ()):
                if pattern.fullmatch(letters) is not None:
                    for spelling, who in self._spellings[letters].items():
                        yield from who if spelling.is_word else ()

    def _slip_of(self, word: str) -> set[str]:
        """Return the people whose name a word nearly is. A correctly written name is found as such, and the
        person's own is nobody else's."""
        if word in self._spellings or {word, word.removesuffix("s")} & self._without:
            return set()
        names = self._slips.of(word)
        return {key for name in names for spelling, who in self._spellings[name].items() if spelling.is_word for key in who}


def _has_capitals(written: str, spelling: Spelling) -> bool:
    """Return whether a word that may not be a name is written as one. Initials have a capital each, or a
    dot."""
    if spelling.part is not Part.INITIALS:
        return any(character.isupper() for character in written)
    words = re.findall(r"[^\W\d_]+\.?", written)
    return all(len(word.rstrip(".")) > 2 or word.endswith(".") or any(character.isupper() for character in word) for word in words) and (
        any(character.isupper() for character in written) or "." in written
    )


def _with_particles(text: str, begin: int, spelling: Spelling | None) -> int:
    """Return the position before the particles of a surname that was found without them."""
    if spelling is not None and spelling.part not in (Part.LAST, Part.FULL):
        return begin
    before = _particles_before(text, begin)
    return before.start() if before is not None and any(character.isupper() for character in before[0]) else begin


def _particles_before(text: str, begin: int) -> re.Match[str] | None:
    """Find the particles before a word; a look at what stands there first costs less than the pattern."""
    before = text[max(0, begin - _PARTICLES_WITHIN) : begin]
    word = before.rstrip(_BETWEEN)
    if len(word) == len(before) or not word.casefold().endswith(_ANY_PARTICLE):
        return None
    return _PARTICLES_BEFORE.search(text, max(0, begin - _PARTICLES_WITHIN), begin)


def _with_ending(text: str, end: int, spelling: Spelling) -> int:
    """Return the position after the ending of a plural and the dot of an initial. A possessive with its
    apostrophe stays, for it reveals nothing."""
    if spelling.ends_in_initial:
        return end + 1 if text[end : end + 1] == "." else end
    ending = _ENDING.match(text, end)
    return end if ending is None else ending.end()


def _pieces(text: str, at: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the parts of a find with more between its words than belongs to a name: `Peeters (Els)`."""
    begin = at[0]
    for before, after in pairwise(at):
        if _NO_PART.search(text, before + 1, after) is not None:
            yield begin, before + 1
            begin = after
    yield begin, at[-1] + 1
