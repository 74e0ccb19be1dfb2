"""What somebody probably meant by an unknown word: the nearest of the known ones. One function for every file
and setting."""

from collections.abc import Iterable
from typing import Final

_LIKE: Final = 0.7  # of 1: one letter more, less, other or swapped in a word of four
_SHORT, _LIKE_SHORT = 3, 0.66  # in a word of so many letters one of them


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one; None where none is like it. A word is compared
    without case, and `-` is `_`."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    choices, least = sorted(known), _LIKE if len(word) > _SHORT else _LIKE_SHORT
    found = process.extractOne(
        word, choices, scorer=OSA.normalized_similarity, processor=lambda text: text.casefold().replace("-", "_"), score_cutoff=least
    )
    return None if found is None else str(found[0])


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return what was probably meant by an unknown word, or nothing."""
    found = nearest(word, known)
    return found if found is not None and found != word else ""


def meant(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: what was probably meant, or nothing."""
    return asked(suggestion(word, known))


def asked(found: str) -> str:
    """Return the end of a message that suggests a word; nothing where there is none."""
    return f"; did you mean {found}?" if found else ""
