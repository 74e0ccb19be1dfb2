"""The ending of a file's name chooses its format."""

from collections.abc import Collection
from pathlib import PurePath
from typing import Final

from rules.errors import UsageError

# Endings by which a program opens a file as something of its own.
TELLING: Final = frozenset(
    [".csv", ".docx", ".htm", ".html", ".ics", ".json", ".jsonl", ".md", ".pdf", ".pem", ".xlsx", ".yaml", ".yml", ".zip"]
)


def refuse_other_format(path: str | PurePath, own: Collection[str]) -> None:
    """Refuse the ending of another format for a file that has one format alone; any other name will do.
    Raises UsageError."""
    if PurePath(path).suffix.lower() in TELLING:
        ending_of(path, own)


def ending_of(path: str | PurePath, known: Collection[str]) -> str:
    """Return the ending of a file that will be written, in lower case. Call it before any work in the CRM, so
    that a typing error costs no time. Raises UsageError: there is no format for it."""
    path = PurePath(path)
    ending = path.suffix.lower()
    if ending not in known:
        raise UsageError(
            f"no format for {ending or 'a file without suffix'}", hint=f"use one of {' '.join(sorted(known))}", where=path.name
        )
    return ending
