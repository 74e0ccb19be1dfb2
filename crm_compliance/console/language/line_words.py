"""What the codes of a plan line mean, column by column, in the language of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from crm_compliance.console.language.catalogs import translations
from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.own_words import NONE, OwnWords
from jobs.model.plan import PlanLine
from rules.model.languages import UiLanguage

KINDS: Final[Mapping[str, str]] = {
    "table": "table",
    "outcome": "outcome",
    "disposition": "outcome",
    "reason": "reason",
    "reasons": "reason",
    "flags": "flag",
    "rule": "rule",
}


def line_words(language: UiLanguage, category: Callable[[str], str], own: OwnWords = NONE) -> Callable[[PlanLine, str], str]:
    """Return what says a column of a line in words, several values after one another; `category` names a
    category by its key."""
    word = cache(words_of(language, own))
    trimmed = translations(language).ugettext("Nothing that stays refers to it any more.")

    def said(line: PlanLine, column: str) -> str:
        value = getattr(line, column)
        codes = value if isinstance(value, tuple) else (value,) if value else ()
        if column == "categories":
            return "; ".join(category(code) for code in codes)
        if KINDS[column] == "reason" and not line.retention_end:  # as the page of the plan says it
            return "; ".join(trimmed if code == "EXPIRED" else word("reason", code) for code in codes)
        return "; ".join(word(KINDS[column], code) for code in codes)

    return said
