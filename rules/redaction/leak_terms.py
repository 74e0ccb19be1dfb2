"""What must occur in no file of a package: other people's names, numbers and addresses, in any way they are
written. Source: EXP-06, R-118, R-119, R-142."""

import re
from collections.abc import Iterable, Iterator, Set
from functools import cached_property, lru_cache
from typing import Final

import ahocorasick
import msgspec
import phonenumbers

from rules.people.spellings import POSSESSIVE, Part, Spelling, spellings
from rules.redaction.labels import LABEL
from rules.redaction.near_names import NearNames
from rules.texts.disguises import readings
from rules.texts.folding import fold, plain_letters, squeeze_quickly

NAME: Final = "name"
PHONE: Final = "phone"
EMAIL: Final = "email"
NATIONAL_NUMBER: Final = "national_number"
ADDRESS: Final = "address"
ACCOUNT: Final = "account"
TEXT: Final = "text"
OWN: Final = "own"  # the person's own address or number: whatever is found inside it is theirs
OWN_NAME: Final = "own_name"
GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)  # an id of the CRM (EXP-13)
CLASSES: Final = (NAME, PHONE, EMAIL, NATIONAL_NUMBER, ADDRESS, ACCOUNT, TEXT)

_BETWEEN_NAMES: Final = "|"
_GAP: Final = r"[\W_]{0,4}"
_LONGEST_ENDING: Final = 4


def leak_term(what: str, value: str) -> str:
    """Return one leak-check term as a string that can be stored."""
    return f"{what}:{value}"


def name_leak_term(first: str, last: str, *, own: bool = False) -> str:
    """Return the leak-check term for a person's first and last name."""
    return leak_term(OWN_NAME if own else NAME, _BETWEEN_NAMES.join(part.replace(_BETWEEN_NAMES, " ") for part in (first, last)))


class Hit(msgspec.Struct, frozen=True):
    """A leak-check term that was found: its letters, squeezed, and its class. A report of what was found
    states the class alone."""

    letters: str
    what: str


class LeakTerms:
    """A search for all leak-check terms at once, made from their stored form. It reports what class was
    found, never what.

    A name is found in either order, in any case, with or without accents, hyphens and particles, and broken
    over lines; a surname alone where it is distinctive and not the person's own; a number in any spelling.
    The labels of `labels.py` are never a name."""

    def __init__(self, values: Iterable[str]) -> None:
        """Prepare the search. `values` are as `leak_term` writes them; without a class, a plain string."""
        own: set[Spelling] = set()
        names: set[Spelling] = set()
        people: list[tuple[str, str]] = []
        self._searched: dict[str, tuple[str, Spelling | re.Pattern[str]]] = {}
        for value in values:
            what, colon, rest = value.partition(":")
            if not colon or what not in (*CLASSES, OWN, OWN_NAME):
                what, rest = TEXT, value
            if what in (NAME, OWN_NAME):
                first, _, last = rest.partition(_BETWEEN_NAMES)
                (own if what == OWN_NAME else names).update(spellings(first, last))
                if what == NAME:
                    people.append((first, last))
            else:
                self._searched.update(_searches(what, rest))
        theirs = {spelling.letters for spelling in own}
        self._people, self._theirs = people, theirs
        for spelling in names:
            if spelling.is_distinctive and spelling.letters not in theirs:
                self._searched.setdefault(spelling.letters, (NAME, spelling))
        for spelling in own:
            if spelling.part is Part.FULL:
                self._searched.setdefault(spelling.letters, (OWN, spelling))
        self._search = _automaton(self._searched)

    def found_in(self, text: str, besides: Set[Hit] = frozenset()) -> tuple[str, ...]:
        """Return the classes of what a text contains besides some hits, in a fixed order; empty if clean."""
        classes = {hit.what for hit in self.hits_in(text) - besides}
        return tuple(what for what in CLASSES if what in classes)

    def hits_in(self, text: str, *, is_ours: bool = False) -> Set[Hit]:
        """Return everything that a text contains. The text may be plain, HTML, JSON, CSV, metadata or a file
        name: what they escape is read as it is meant. A text of our own words, the same in answer after
        answer (`is_ours`), is parsed once."""
        if not self._searched:
            return frozenset()
        views: Iterable[tuple[str, str]] = _our_views(text) if is_ours else ((view, squeeze_quickly(view)) for view in _views(text))
        return {Hit(letters, what) for view, capitals in views for letters, what in self._hits(view, capitals) if what != OWN}

    @cached_property
    def _near(self) -> NearNames:
        return NearNames(self._people, self._theirs)

    def are_nearly_in(self, text: str) -> bool:
        """Return whether a text contains what is nearly the name of somebody (`near_names`). This makes a
        person look and proves nothing."""
        return any(self._near.are_in(view) for view in _views(text))

    def _hits(self, text: str, capitals: str) -> set[tuple[str, str]]:
        """Return what is in a text, with its class, once each; `capitals` is the text squeezed."""
        letters = capitals.lower()
        plain: str | None = None
        found: set[tuple[str, str]] = set()
        written: dict[str, bool] = {}
        places: list[tuple[int, int, str, str]] = []
        own: list[tuple[int, int]] = []
        for last, searched in self._search.iter(letters):
            if not written.get(searched, True):
                continue
            what, test = self._searched[searched]
            begin = last + 1 - len(searched)
            is_apart = True
            if isinstance(test, Spelling):
                starts = _starts(capitals, begin, last + 1)
                if not test.is_at(letters, starts, begin, POSSESSIVE):
                    continue
                is_apart = any(begin < place <= last for place in starts)
            # In one word a name is proved; else its words must stand together, not at either end of a table:
            # that is asked of the whole text, and once.
            if is_apart and searched not in written:
                plain = plain_letters(text) if plain is None else plain
                written[searched] = (test if isinstance(test, re.Pattern) else re.compile(_GAP.join(searched))).search(plain) is not None
                if not written[searched]:
                    continue
            if what == OWN:
                own.append((begin, last + 1))
            else:
                places.append((begin, last + 1, searched, what))
        for begin, end, searched, what in places:
            if not any(a <= begin and end <= b for a, b in own):
                found.add((searched, what))
        return found


def _automaton(words: Iterable[str]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return automaton


def _starts(capitals: str, begin: int, end: int) -> Set[int]:
    """Return the places near a find where a word begins."""
    stop = min(len(capitals), end + _LONGEST_ENDING)
    return {place for place in range(begin, stop) if not capitals[place].islower()}


def _searches(what: str, value: str) -> Iterator[tuple[str, tuple[str, Spelling | re.Pattern[str]]]]:
    """Yield the letters and digits to search for, each with what proves it."""
    if what == PHONE:
        digits, written = _phone(value)
        if digits:
            yield digits, (what, written)
        return
    letters = fold(value)
    if what == NATIONAL_NUMBER:
        yield from ((form, (what, _written(form))) for form in {letters, letters.lstrip("0")} if len(form) >= 9)
    elif what == ADDRESS or (what == TEXT and any(character.isdigit() for character in letters)):
        if letters:
            yield letters, (what, _written(letters))
    elif letters:
        yield letters, (what, Spelling(letters, Part.FULL))


def _phone(number: str) -> tuple[str, re.Pattern[str]]:
    """Return the digits that every spelling of an E.164 number has, and the pattern of all (IDN-10)."""
    code, national = "", re.sub(r"\D", "", number)
    if number.startswith("+"):
        parsed = phonenumbers.parse(number)
        code, national = str(parsed.country_code), phonenumbers.national_significant_number(parsed)
    prefix = rf"(?:(?:00|\+)?{_GAP}{_GAP.join(code)}{_GAP}0?{_GAP}|0{_GAP})?" if code else ""
    return national, re.compile(rf"(?<!\d){prefix}{_GAP.join(national)}(?!\d)")


def _written(letters: str) -> re.Pattern[str]:
    """Return the pattern of letters and digits with anything that may be between them."""
    before = r"(?<!\d)" if letters[0].isdigit() else r"(?<![^\W\d_])"
    after = r"(?!\d)" if letters[-1].isdigit() else r"(?![^\W\d_])"
    return re.compile(before + _GAP.join(map(re.escape, letters)) + after)


@lru_cache(maxsize=16)
def _our_views(text: str) -> tuple[tuple[str, str], ...]:
    """Return each view with its letters squeezed."""
    return tuple((view, squeeze_quickly(view)) for view in _views(text))


def _views(text: str) -> Iterator[str]:
    """Return a text in every way in which it can be read, without labels."""
    return (LABEL.sub(" | ", view) for view in readings(text))
