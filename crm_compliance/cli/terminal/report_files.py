"""What reports need from the desk: labels, and files that are written whole."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import write_whole
from crm_compliance.reports.parts.sentences import table_name
from crm_compliance.reports.plan.formats import Source, write_report
from rules.policy.policy import Policy


def labels_of(policy: Policy) -> dict[str, str]:
    """Return the English names of categories."""
    return {key: category.labels.en for key, category in policy.categories.items()}


def unit_names(settings: Settings) -> Callable[[str], str]:
    """Return what says in English what the organisation calls a unit of a table."""
    if settings.organisation is None and settings.mapping is None:  # nobody waits for the words of pages to be read
        return table_name
    from crm_compliance.console.language.codes import words_of
    from crm_compliance.console.language.own_words import own_words_of

    return partial(words_of("en", own_words_of(settings)), "table")


def write_files(paths: Sequence[Path], source: Source) -> None:
    """Write each file whole, in the format that its ending names. Raises UsageError: an unknown ending, a
    missing folder, a full disk; the old file is then still there."""
    for path in paths:
        with write_whole(path) as out:
            write_report(path.suffix, source, out)
