"""Finds names that may be one person's among all the different names of a CRM, without an index of them.
Source: IDN-16, IDN-19."""

import re
from collections.abc import Collection, Iterable
from typing import Final

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


class NameSearch:
    """Looks for one person's names: all different ones roughly at first, and what is left properly."""

    def __init__(self, first: Name, last: Name) -> None:
        self._first, self._last = first, last

    def among(self, texts: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Return those that are like the first name, and those that are like the last name."""
        letters = _letters(texts)
        firsts = _worth_comparing(self._first, letters)
        lasts = _worth_comparing(self._last, letters)
        names = {text: name_of(text) for text in firsts | lasts}
        return (
            frozenset(text for text in firsts if first_names_alike(self._first, names[text]) is not Likeness.NONE),
            frozenset(text for text in lasts if last_names_alike(self._last, names[text]) is not Likeness.NONE),
        )

    def worth_comparing(self, texts: Collection[str]) -> frozenset[str]:
        """Return those in which the person's whole name, or a word of it, may occur."""
        letters = _letters(texts)
        return _worth_comparing(self._first, letters) | _worth_comparing(self._last, letters)


def nameless(texts: Collection[str]) -> frozenset[str]:
    """Return those that are not a name: nothing, or what is typed where no name is known."""
    letters = _letters(texts)
    return frozenset(text for text, key in letters.items() if _NAMELESS.fullmatch(key) and not name_of(text))


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
