"""The places of some keys among many that are in order. A search by halves waits for memory at every step,
and takes the more steps, the more keys there are. How an id begins is as good as drawn by lot: it is kept
where those stand that begin alike, and few have to be looked at from there on."""

from __future__ import annotations

from typing import Final

import polars as pl

from jobs.reading.tables.compact_ids import ID

_ROW: Final = pl.UInt32
_WIDTH: Final = 128  # bits of a key
_MANY: Final = 5_000  # from so many keys on that are looked for at once, it is worth to know how all begin


class KeySearch:
    """Finds keys; those that are searched are the same at each call."""

    def __init__(self) -> None:
        self._bits = 0
        self._first: pl.Series | None = None  # by how a key begins: the first place of those that begin so, or later

    def places(self, keys: pl.Series, asked: pl.Series) -> pl.Series:
        """Return the places at which keys, which are in order, are what is asked for; null where none is."""
        if not len(keys):
            return pl.repeat(None, len(asked), dtype=_ROW, eager=True)
        last = len(keys) - 1
        if len(asked) < _MANY:
            place = keys.search_sorted(asked, side="left").clip(upper_bound=last)
        else:
            if self._first is None:
                self._bits = len(keys).bit_length()
                self._first = self._begin(keys).search_sorted(pl.int_range(1 << self._bits, dtype=_ROW, eager=True), side="left")
            place = self._first.gather(self._begin(asked)).clip(upper_bound=last)
            late = (keys.gather(place) < asked).arg_true()
            place = place.scatter(late, (place.gather(late) + 1).clip(upper_bound=last))  # the next, mostly
            late = late.filter(keys.gather(place.gather(late)) < asked.gather(late))
            place = place.scatter(late, keys.search_sorted(asked.gather(late), side="left").clip(upper_bound=last))
        return place.set(keys.gather(place).ne_missing(asked), None)

    def _begin(self, keys: pl.Series) -> pl.Series:
        return (keys // pl.Series([2 ** (_WIDTH - self._bits)], dtype=ID)).cast(_ROW)
