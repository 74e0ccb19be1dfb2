"""The order of ids by their letters, told by numbers: to sort these takes a third of the time that texts
take."""

from __future__ import annotations

from typing import Final

import polars as pl

from connectors.interface.id_numbers import numbers_of

_AT_ONCE: Final = 50_000  # ids that are one text together


def id_order(ids: pl.Series) -> pl.Series:
    """Return for each id what it sorts by as it would by its letters: its number, where all ids are GUIDs in
    lower case, else itself."""
    parts = [numbers_of(ids.slice(at, _AT_ONCE)) for at in range(0, len(ids), _AT_ONCE)]
    numbers = [part for part in parts if part is not None]
    return pl.concat(numbers, rechunk=True) if numbers and len(numbers) == len(parts) else ids
