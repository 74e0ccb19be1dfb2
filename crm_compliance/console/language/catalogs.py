"""The words of the interface in each language: English stands in code and templates, the others in catalogs.

A catalog is a `.po` file as gettext has it, one a room of pages and one for codes, read as it is: there is
nothing to compile. A message in several catalogs has the same translation in each."""

import re
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from crm_compliance.console.language.own_words import NONE, OwnWords, Reworded
from rules.model.languages import UI_LANGUAGES, UiLanguage

_BEFORE: Final = re.compile(r" (?=[;:?!»])")
_AFTER: Final = re.compile("« ")


@cache
def translations(language: UiLanguage, own: OwnWords = NONE) -> NullTranslations:
    """Return the words of a language, those for records as the organisation has them; English says what the
    code says."""
    if own.nouns:
        return Reworded(language, translations(language), own)
    if language == "en":
        return NullTranslations()
    joined: NullTranslations | None = None
    for catalog in catalogs(language).values():
        if language == "fr":
            _tie(catalog)
        content = BytesIO()
        write_mo(content, catalog)
        content.seek(0)
        read = Translations(content)
        if joined is None:
            joined = read
        else:
            joined.merge(read)  # type: ignore[attr-defined]  # a Translations has it
    return joined or NullTranslations()


def _tie(catalog: Catalog) -> None:
    """Have no line begin with a sign before which French has a space; catalogs are written with spaces that
    everybody can type."""
    for message in catalog:
        said = message.string
        message.string = _tied(said) if isinstance(said, str) else tuple(_tied(each) for each in said or ())


def _tied(text: str) -> str:
    return _AFTER.sub("«\u00a0", _BEFORE.sub("\u00a0", text))


def catalogs(language: UiLanguage) -> dict[str, Catalog]:
    """Return the catalogs of a language by the name of their file, in the order of the alphabet."""
    folder = files("crm_compliance.console") / "language" / "catalogs" / language
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".po")), key=lambda each: each.name)
    return {each.name.removesuffix(".po"): read_po(BytesIO(each.read_bytes()), locale=language) for each in found}


def language_for(chosen: str, accepted: str) -> UiLanguage:
    """Return the language that somebody chose, else the first of theirs that we speak; `accepted` is what the
    browser says (Accept-Language)."""
    for language in UI_LANGUAGES:
        if chosen == language:
            return language
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, tag.strip().lower()[:2]))
        except ValueError:
            continue
    for _, _, tag in sorted(weighed):
        for language in UI_LANGUAGES:
            if tag == language:
                return language
    return "en"
