"""Finds names that may be one person's among all the different names of a CRM, without an index of them.
Source: IDN-16, IDN-19."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final, NamedTuple

from rapidfuzz import fuzz, process

from rules.people.name_words import NAMELESS
from rules.people.names import ADDED, Likeness, Name, comparison_key, first_names_alike, last_names_alike, name_of
from rules.texts.folding import plain_letters

# So much of a name has to be there, in per cent, that it is worth comparing properly. The tests hold it to
# losing nobody.
_WORTH_IT: Final = 60
_MOST_INITIALS: Final = 4
_NAMELESS: Final = re.compile(f"(?:{'|'.join(sorted(NAMELESS))})*")
_NOT_KEPT: Final = {code: None for code in range(128) if not (chr(code).isalnum() or chr(code) == "\n")}


class Names:
    """The names that many rows have, one a row: each different one with its letters, which are made once, and
    the rows that have it."""

    def __init__(self, texts: Iterable[str | None]) -> None:
        self._places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            self._places.setdefault(text or "", []).append(place)

    def at(self, names: Iterable[str]) -> set[int]:
        """Return the positions of the rows that have one of these."""
        return {place for name in names for place in self._places[name]}

    @cached_property
    def letters(self) -> dict[str, str]:
        """The letters and digits of each."""
        return _letters(self._places)

    @cached_property
    def nameless(self) -> frozenset[str]:
        """Those that are not a name: nothing, or what is typed where no name is known."""
        return frozenset(text for text, key in self.letters.items() if _NAMELESS.fullmatch(key) and not name_of(text))


class Near(NamedTuple):
    """Which of many names are like a person's first name, which like the last name, and in which of them the
    whole name, or a word of it, may occur."""

    first: frozenset[str]
    last: frozenset[str]
    worth_comparing: frozenset[str]


def near_names(names: Names, first: Name, last: Name) -> Near:
    """Look for a person's names: among all different ones roughly, then properly among those left."""
    firsts, lasts = _worth_comparing(first, names.letters), _worth_comparing(last, names.letters)
    read = {text: name_of(text) for text in firsts | lasts}
    return Near(
        frozenset(text for text in firsts if first_names_alike(first, read[text]) is not Likeness.NONE),
        frozenset(text for text in lasts if last_names_alike(last, read[text]) is not Likeness.NONE),
        firsts | lasts,
    )


def _letters(texts: Iterable[str]) -> dict[str, str]:
    """Return the letters and digits of each name. Those in ASCII, nearly all, are taken together: one by one
    is ten times slower."""
    plain = [text for text in texts if text.isascii() and "\n" not in text]
    folded = plain_letters(ADDED.sub("", "\n".join(plain))).translate(_NOT_KEPT).split("\n") if plain else []
    found = dict(zip(plain, folded, strict=True))
    found.update((text, comparison_key(ADDED.sub("", text)).replace(" ", "")) for text in texts if text not in found)
    # What stands in brackets is the name where there is nothing else.
    found.update((text, comparison_key(text).replace(" ", "")) for text in plain if not found[text])
    return found


def _worth_comparing(name: Name, letters: dict[str, str]) -> frozenset[str]:
    if not name:
        return frozenset()
    found: set[str] = set()
    for query in {name.key, *name.cores, *(word for word in name.words if len(word) > 2)}:
        hits = process.extract(query, letters, scorer=fuzz.partial_ratio, score_cutoff=_WORTH_IT, limit=None, processor=None)
        found.update(text for _, _, text in hits)
    # Initials have too little in common with the name that they stand for.
    initial = name.words[0][0]
    found.update(text for text, key in letters.items() if key.startswith(initial) and (name.is_initials or len(key) <= _MOST_INITIALS))
    return frozenset(found)
