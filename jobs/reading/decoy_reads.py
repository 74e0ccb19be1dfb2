"""Reads that ask for nobody, so that the CRM receives the same queries whatever is found. A person who counts
requests, or measures how long they take, must not learn whether there was something to find (SUS-04,
SUS-07)."""

from collections.abc import Iterable

from connectors.interface.rows import NOBODY, Among


def ids_or_nobody(ids: Iterable[str]) -> list[str]:
    """Return the ids in order, each once; if there are none, one that no row has."""
    return sorted(set(ids)) or [NOBODY]


def always(field: str, ids: Iterable[str]) -> Among:
    """Return a condition that is sent even if nothing can be found by it."""
    return Among(field, ids_or_nobody(ids))
