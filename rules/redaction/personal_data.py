"""What may tell of anybody at all in a text, as the organisation's own settings read it: numbers of its
country, its national numbers, and never its own name: whoever is called so is nobody. Redaction and the look
at a reviewer's text ask here alike. Source: EXP-06."""

import re
from collections.abc import Iterator

from rules.model.home import Home
from rules.people.name_words import OFFICES
from rules.people.spellings import words_of
from rules.redaction.addresses import street_lines
from rules.redaction.name_guesses import guess_names
from rules.redaction.patterns import Found, detect, hidden


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


def data_of_anybody(text: str, home: Home) -> list[Found]:
    """Return the numbers, dates, accounts, links and addresses in a tidy text."""
    return [*detect(text, home), *street_lines(without_own_name(text, home))]


def names_of_anybody(text: str, home: Home) -> Iterator[Found]:
    """Yield what is likely a name in a tidy text."""
    yield from guess_names(without_own_name(text, home))
