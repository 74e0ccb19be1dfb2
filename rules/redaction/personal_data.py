"""What may tell of anybody at all in a text, as the organisation's own settings read it: numbers of its
country, its national numbers, and never its own name. Redaction and the look at a reviewer's text ask here
alike. Source: EXP-06."""

from collections.abc import Iterator

from rules.model.home import Home
from rules.redaction.addresses import street_lines
from rules.redaction.name_guesses import guess_names
from rules.redaction.own_name import without_own_name
from rules.redaction.patterns import Found, detect


def data_of_anybody(text: str, home: Home) -> list[Found]:
    """Return the numbers, dates, accounts, links and addresses in a tidy text."""
    return [*detect(text, home), *street_lines(without_own_name(text, home))]


def names_of_anybody(text: str, home: Home) -> Iterator[Found]:
    """Yield what is likely a name in a tidy text."""
    yield from guess_names(without_own_name(text, home))
