"""The ending of a file's name chooses its format."""

from collections.abc import Collection
from pathlib import PurePath

from rules.errors import UsageError


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
