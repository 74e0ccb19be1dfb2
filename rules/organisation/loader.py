"""YAML text -> Organisation; every error names file, line and field.

The caller reads the file. It is refused whole: nothing is guessed, and all its errors are reported at once.
"""

import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from rules.errors import OrganisationError
from rules.files.model import AN_EMAIL, EMAIL
from rules.files.suggestions import meant
from rules.files.yaml_lines import Path, Problem, read_yaml, refusal
from rules.files.yaml_models import read_strictly
from rules.organisation.organisation import Organisation, OrganisationFile
from rules.organisation.words import ONLY, OPEN_TABLES, Words

SHIPPED = "childfocus"  # the organisation that the product comes with: rules/organisation/shipped/childfocus.yaml
HINT = "Correct the file; docs/organisation.md tells what each key means."

# What a value is, by the pattern that it does not match.
_TEXTS = MappingProxyType(
    {
        EMAIL: AN_EMAIL,
        r"^[A-Z]{2}$": "a country is its ISO code, such as BE",
        r"^[A-Za-z][A-Za-z0-9_-]*$": "a key has letters, digits, - and _, and begins with a letter",
    }
)
Texts = Mapping[str, Mapping[str, str]]


def load_organisation(text: str, *, source: str, texts: Texts, is_shipped: bool) -> Organisation:
    """Read an organisation from the text of its file; `source` is what messages call the file, `texts` are
    the product's own sentences by table and key, which the file may reword.

    Raises:
        OrganisationError: the file is not usable. `where` is the place of the first error, the message lists
            them all: first what is wrong in a line, top down, then what is missing.
    """
    found = _read(text, is_shipped)
    if isinstance(found, Organisation):
        slips = list(_sentences(found, texts))
        if not slips:
            return found
        document = read_yaml(text)  # again, for the lines: an organisation without slips needs none
        found = sorted(document.problem(path, told) for path, told in slips)
    raise refusal(OrganisationError, "the organisation file is refused", found, source=source, hint=HINT)


@lru_cache(maxsize=4)
def _read(text: str, is_shipped: bool) -> Organisation | list[Problem]:
    """Return the organisation, or all that is wrong with it in the order in which it is reported."""
    document = read_yaml(text)
    read = read_strictly(document, OrganisationFile, "an organisation file", texts=_TEXTS)
    if isinstance(read, list):
        return read
    told = (*_twice(read.languages), *_untold(read, read.languages, ()))
    problems = sorted(document.problems + [document.problem(path, found) for path, found in told])
    return problems or Organisation.of(read, sha256(text.encode()).hexdigest(), is_shipped=is_shipped)


def _twice(languages: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Yield each language that stands in the list before: which is the usual one would not be sure."""
    for place, language in enumerate(languages):
        if language in languages[:place]:
            yield ("languages", place), f"this language stands twice: {language}"


def _untold(value: Any, languages: tuple[str, ...], path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the texts that lack a language in which the organisation writes."""
    if isinstance(value, Words):
        if lacking := [language for language in languages if not value.in_language(language)]:
            yield path, f"this text is missing in {', '.join(lacking)}: the organisation writes in {', '.join(languages)}"
        return
    parts: Any = ()
    if isinstance(value, BaseModel):
        parts = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, tuple):
        parts = enumerate(value)
    for name, each in parts:
        yield from _untold(each, languages, (*path, name))


def _sentences(found: Organisation, texts: Texts) -> Iterator[tuple[Path, str]]:
    """Yield the sentences of `words` that stand for none of the product's own, or lack what it puts in."""
    for table, sentences in found.words.items():
        known = texts.get(table, {})
        allowed = ONLY.get(table, frozenset(known))
        for key, words in sentences.items():
            path = ("words", table, key)
            if table not in OPEN_TABLES and key not in allowed:
                yield path, f"this sentence is not known, or is not the organisation's to word{meant(key, allowed)}"
                continue
            places = _places(known.get(key, ""))
            for language, text in words.by_language.items():
                try:
                    given = _places(text)
                except ValueError:
                    yield (*path, language), "a brace { or } stands alone here: one that is meant as such is written twice"
                    continue
                if given != places:
                    expected = " and ".join(f"{{{place}}}" for place in sorted(places))
                    told = f"write {expected} where the product puts something in, and nothing else in braces"
                    yield (*path, language), told if places else "the product puts nothing in here: write nothing in braces"


def _places(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
