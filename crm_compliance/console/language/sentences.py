"""What a job said of what it found, in the language of a page: by its name and its facts. What was stored
before there were any is shown as it was written, in English."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from crm_compliance.console.language.formats import Formats
from jobs.model.sentence import SENTENCES, Fact, Sentence

OF_SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {"sentence": SENTENCES}
_CODES: Final = {"kind", "role"}  # facts that are codes with words of their own


class Detail(NamedTuple):
    """A sentence; `language` is that of a text which is not in the language of the page, else empty."""

    text: str
    language: str = ""


def detail_in(word: Callable[[str, str], str], formats: Formats, said: Sentence | str) -> Detail:
    """Return a sentence with the words of `word` (a kind of code and a code) and numbers as `formats` has
    them; a text as it is."""
    if isinstance(said, str):
        return Detail(said, "en")
    return Detail(word("sentence", said.name) % {name: _fact(word, formats, name, fact) for name, fact in said.facts.items()})


def _fact(word: Callable[[str, str], str], formats: Formats, name: str, fact: Fact) -> str:
    if isinstance(fact, str):
        return word(name, fact) if name in _CODES else fact
    return formats.number(fact)
