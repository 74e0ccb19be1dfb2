"""The places of some keys among many that are in order. A search by halves waits for memory at every step,
and takes the more steps, the more keys there are. How an id begins is as good as drawn by lot: it is kept
where those stand that begin alike, and few have to be looked at from there on."""

from __future__ import annotations

from typing import Final

import polars as pl

from connectors.interface.id_numbers import ID
from jobs.reading.tables.parts import repeated

_ROW: Final = pl.UInt32
_NONE: Final = pl.Series([None], dtype=_ROW)
_WIDTH: Final = 128  # bits of a key
_STEPS: Final = 4  # so many that begin alike are passed one by one; of keys drawn by lot hardly any has more before it
_MANY: Final = 5_000  # from so many keys on that are looked for at once, it is worth to know how all begin


class KeySearch:
    """Finds keys; those that are searched are the same at each call."""

    def __init__(self) -> None:
        self._bits = 0
        self._first: pl.Series | None = None  # by how a key begins: the first place of those that begin so, or later

    def places(self, keys: pl.Series, asked: pl.Series) -> pl.Series:
        """Return the places at which keys, which are in order, are what is asked for; null where none is."""
        if not len(keys):
            return repeated(None, len(asked), _ROW)
        if len(asked) < _MANY:
            return places_among(keys, asked)
        last = len(keys) - 1
        if self._first is None:
            self._bits = len(keys).bit_length()
            self._first = self._firsts(keys)
        place = self._first[self._begin(asked)].clip(upper_bound=last)
        late = (keys[place] < asked).arg_true()
        for _ in range(_STEPS):
            if not len(late):
                break
            place = place.scatter(late, (place[late] + 1).clip(upper_bound=last))
            late = late.filter(keys[place[late]] < asked[late])
        return _only_found(keys, asked, place.scatter(late, _first_not_before(keys, asked[late])))

    def _firsts(self, keys: pl.Series) -> pl.Series:
        """Return for each way to begin how many keys begin before: behind each the place after its last key,
        the last that is written there, and where there is none that of the one before."""
        behind = pl.int_range(1, len(keys) + 1, dtype=_ROW, eager=True)
        return repeated(0, (1 << self._bits) + 1, _ROW).scatter(self._begin(keys) + 1, behind).cum_max()

    def _begin(self, keys: pl.Series) -> pl.Series:
        return (keys // pl.Series([2 ** (_WIDTH - self._bits)], dtype=ID)).cast(_ROW)


def places_among(keys: pl.Series, asked: pl.Series) -> pl.Series:
    """Return the places at which keys, of which there are any and which are in order, are what is asked for;
    null where none is."""
    return _only_found(keys, asked, _first_not_before(keys, asked))


def _first_not_before(keys: pl.Series, asked: pl.Series) -> pl.Series:
    """Return the place of the first key that is not before what is asked for, or of the last one."""
    return pl.select(pl.lit(keys).search_sorted(asked, side="left").clip(upper_bound=len(keys) - 1)).to_series()


def _only_found(keys: pl.Series, asked: pl.Series, places: pl.Series) -> pl.Series:
    return places.zip_with(keys[places] == asked, _NONE)
