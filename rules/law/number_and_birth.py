"""Whether a national number shows the very birth date that is recorded beside it, for many children at once:
then it says nothing more of the birth. All other numbers are read one by one, in
rules/people/national_numbers.py. Source: IDN-01 to IDN-03, IDN-05, IDN-07."""

from typing import Final

import polars as pl

from rules.law.codes import surely, together
from rules.model.number_schemes import BELGIAN

_YEAR, _MONTH, _DAY = (
    part.cast(pl.Int64) for part in (pl.col("birth_on").dt.year(), pl.col("birth_on").dt.month(), pl.col("birth_on").dt.day())
)
_SHOWN: Final = _YEAR % 100 * 10_000 + _MONTH * 100 + _DAY
_WRITTEN: Final = pl.col("national_number").str.replace_all(r"[ ./\t-]", "")  # IDN-07
DIGITS: Final = pl.when(pl.col("written").str.contains(r"^[0-9]{11}$")).then(pl.col("written").cast(pl.Int64, strict=False))  # IDN-01
_BODY, _CHECK = pl.col("digits") // 100, pl.col("digits") % 100

SHOWS_ITS_DAY: Final = (_BODY // 1000 - pl.col("shown")).is_in([0, 2000, 4000])  # IDN-05: a BIS number raises the month by 20 or 40
HAS_A_SERIAL: Final = (_BODY % 1000).is_between(1, 998)
FITS_ITS_CENTURY: Final = together(  # IDN-02, IDN-03: a 2 stands before the others of whoever is born from 2000 on
    pl.col("year").is_between(1900, 1999) & (_BODY % 97 + _CHECK == 97),
    pl.col("year").is_between(2000, 2099) & ((_BODY + 2_000_000_000) % 97 + _CHECK == 97),
)
SHOWS_BIRTH: Final = surely(SHOWS_ITS_DAY & HAS_A_SERIAL & FITS_ITS_CENTURY)


def says_no_more(children: pl.DataFrame, scheme: str) -> pl.Series:
    """Return of each child whether its national number, by this scheme, says nothing of a birth that
    `birth_on` does not. One of another country is not read for it at all."""
    if scheme != BELGIAN:
        return pl.Series([True], dtype=pl.Boolean).new_from_index(0, children.height)
    told = children.select(year=_YEAR, shown=_SHOWN, written=_WRITTEN)
    return told.select("year", "shown", digits=DIGITS).select(SHOWS_BIRTH).to_series()
