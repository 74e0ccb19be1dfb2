"""Reads that ask for nobody, so that the CRM is asked the same whatever is found.

Whoever counts requests, or how long they take, must not learn whether there was something to find (SUS-04,
SUS-07).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connectors.interface import Among

NOBODY: Final = "00000000-0000-0000-0000-000000000000"  # no row has this id


def ids_or_nobody(ids: Iterable[str]) -> list[str]:
    """The ids in order, each once; one that no row has where there are none."""
    return sorted(set(ids)) or [NOBODY]


def always(field: str, ids: Iterable[str]) -> Among:
    """A condition that is sent also where nothing is to be found by it."""
    return Among(field, ids_or_nobody(ids))
