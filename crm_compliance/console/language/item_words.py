"""Why something waits, in a sentence, where its code has one: for pages, and for messages to people who see
nothing else."""

from collections.abc import Callable

from crm_compliance.console.language.catalogs import translations
from crm_compliance.console.language.codes import words_of
from jobs.inbox.item import InboxItem, ItemKind
from jobs.registry import JOBS
from rules.model.languages import UiLanguage


def why_of(item: InboxItem, language: UiLanguage) -> str:
    """Return what the code of an alarm, or of what is not well, means; empty for all else, and where a code
    has no words."""
    word, say = words_of(language), translations(language).ugettext
    if item.kind is ItemKind.NOT_WELL:
        said = health_words(item.code, word, say)
    elif item.kind in (ItemKind.ALARM, ItemKind.TABLES_UNACCOUNTED):
        said = word("alarm", item.code)
    else:
        return ""
    if said == item.code:
        return ""
    return say("%s: %s") % (word("kind", item.subject), said) if item.subject else said  # of which of the nights


def health_words(code: str, word: Callable[[str, str], str], say: Callable[[str], str]) -> str:
    """Return in words what is not well with the service; the code where it has none."""
    job, _, end = code.rpartition("_")
    if job.lower() in JOBS and (said := word("health", end)) != end:
        return say("%s: %s") % (word("kind", job.lower()), said)
    return word("health", code)
