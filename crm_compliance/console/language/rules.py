"""The rules that the product keeps to, in plain words: a title and a sentence or two for each identifier, in
the languages of the console. They explain; what decides is the text that the organisation has approved."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from rules.model.languages import UiLanguage

FAMILIES: Final = ("ret", "dat", "hld", "era", "rgt", "sus", "rf", "idv", "exp", "ddl", "acc", "idn")
IDENTIFIER: Final = re.compile(rf"\b(?:{'|'.join(each.upper() for each in FAMILIES)})-[0-9]{{2}}\b")

NAMED: Final = re.compile(rf"{IDENTIFIER.pattern}|\bR-[0-9]{{3}}\b")  # with the requirements that a sentence names


class Rule(NamedTuple):
    """One rule in one language."""

    id: str
    title: str
    text: str


class Family(NamedTuple):
    """Rules of one subject; `prefix` is what their identifiers begin with."""

    prefix: str
    name: str
    rules: tuple[Rule, ...]


@cache
def families(language: UiLanguage) -> tuple[Family, ...]:
    """Return all rules in a language, by subject, in the order of a record's life."""
    folder = files("crm_compliance.console") / "language" / "rules"
    found = []
    for prefix in FAMILIES:
        read = tomllib.loads((folder / f"{prefix}.toml").read_text(encoding="utf-8"))
        name = read.pop("family")[language]
        found.append(Family(prefix.upper(), name, tuple(Rule(key, *said[language]) for key, said in read.items())))
    return tuple(found)


def with_links(text: str, language: UiLanguage) -> Markup:
    """Return a text in which each rule that is named leads to its own."""
    known = titles(language)

    def link(found: re.Match[str]) -> str:
        rule = found[0]
        if rule not in known:
            return rule
        return str(Markup('<a class="rule" href="/rules#{}" title="{}">{}</a>').format(rule, known[rule], rule))

    return Markup(NAMED.sub(link, str(escape(text))))  # escaped before; what is added is escaped too


@cache
def titles(language: UiLanguage) -> Mapping[str, str]:
    """Return the title of each rule by its identifier."""
    return {rule.id: rule.title for family in families(language) for rule in family.rules}
