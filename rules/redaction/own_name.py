"""The name of the organisation itself in texts and rows: whoever is called so is nobody, and no name is
guessed from it."""

import re

from rules.model.home import Home
from rules.people.name_words import OFFICES
from rules.people.spellings import words_of
from rules.redaction.patterns import hidden


def is_own_name(first: str, last: str, home: Home) -> bool:
    """Return whether a row is called like the organisation, perhaps with words of an office: all words of its
    name are there, and no other. Part of it may be the surname of somebody after whom it is called."""
    own, words = set(words_of(home.called)), set(words_of(f"{first} {last}"))
    return bool(own) and own <= words <= own | OFFICES


def without_own_name(text: str, home: Home) -> str:
    """Return a text with the organisation's name hidden, at the same length."""
    words = home.called.split()
    if not words:
        return text
    name = r"\s+".join(map(re.escape, words))
    pattern = re.compile(rf"(?<!\w){name}(?!\w)", re.IGNORECASE)
    return hidden(text, (match.span() for match in pattern.finditer(text)))
