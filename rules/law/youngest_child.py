"""The youngest child of a file: of all its children the latest day of birth, for many files at once. How late
one child can have been born, where a year, a stated age or a national number is all that is known, is weighed
in rules/people/birthdates.py. Source: RET-08, RET-09, A-05, A-24."""

from datetime import date
from functools import lru_cache
from typing import Any, Final

import polars as pl

from rules.law.bits import bit, bits
from rules.law.codes import CODES, surely, together, where
from rules.law.days import is_none_of
from rules.law.row_numbers import beside
from rules.model.decisions import Flag
from rules.model.number_schemes import BELGIAN
from rules.people.birthdates import Recorded, recorded_birth
from rules.retention.compiled_schedule import Schedule

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


_BIRTH = pl.col("birth_on")


LATEST_BIRTH: Final = pl.coalesce("latest", "first_fiche_on")  # line 4 of RET-09
TOLD_OF_BIRTH: Final = together(
    pl.col("recorded_flags"),
    where(pl.col("latest").is_null(), Flag.BIRTHDATE_UNKNOWN),
    where(pl.col("earliest") > pl.col("first_fiche_on"), Flag.BIRTHDATE_AFTER_FIRST_FICHE),
)
YOUNGEST: Final = pl.when(pl.col("unknown") == 0).then("youngest")  # RET-08, A-05: the latest birth gives the latest end
HAS_NO_CHILD: Final = pl.col("unknown").is_null()
BORN_ON: Final = pl.when("needs_birth").then(pl.when(HAS_NO_CHILD).then("first_fiche_on").otherwise(YOUNGEST))
_NOBODY: Final = pl.lit(bit(Flag.BIRTHDATE_UNKNOWN), CODES)  # a child of whom nothing is known
BIRTH_FLAGS: Final = pl.when(pl.col("needs_birth") & HAS_NO_CHILD).then(_NOBODY).otherwise(pl.col("told").fill_null(0))
_NO_BIRTHS: Final = pl.DataFrame(schema={"row": pl.UInt32, "child": pl.UInt32, "born": pl.Date, "told": CODES})


def births_of(units: pl.DataFrame, children: pl.DataFrame, schedule: Schedule, day: date) -> pl.DataFrame:
    """Return a row for each child of a file that has an age-based category: `row`, its file; `child`, its
    place among all; `born`, the latest day on which it can have been born, null where there is no date at all
    (RET-09); `told`, what a person should look at."""
    if not units["needs_birth"].any():
        return _NO_BIRTHS
    of = children["row"]
    asked = children.with_row_index("child").hstack(units[["first_fiche_on", "needs_birth"]][of])
    if not asked["needs_birth"].all():
        asked = asked.filter("needs_birth")
    return _recorded(asked, schedule, day).select_seq("row", "child", born=LATEST_BIRTH, told=TOLD_OF_BIRTH)


def with_births(units: pl.DataFrame, births: pl.DataFrame) -> pl.DataFrame:
    """Add `born_on` to each file that has an age-based category, the latest birth of all its children, null
    where one of them has none; with `birth_flags`. A file without a child counts as having one of whom
    nothing is known (A-24)."""
    if not units["needs_birth"].any():
        return units.with_columns_seq(born_on=pl.lit(None, pl.Date), birth_flags=pl.lit(0, CODES))
    of_files = births.group_by("row").agg(youngest=pl.col("born").max(), unknown=pl.col("born").null_count())
    told = births.filter(pl.col("told") != 0).group_by("row").agg(pl.col("told").bitwise_or())  # few children have something to tell
    asked = beside(beside(units[["row", "needs_birth", "first_fiche_on"]], of_files), told)
    return units.hstack(asked.select_seq(born_on=BORN_ON, birth_flags=BIRTH_FLAGS))


@lru_cache(maxsize=16)
def _is_plain(sentinels: frozenset[date], day: date) -> pl.Expr:
    """Return whether a birth date counts by itself where no number says otherwise: no sentinel, not to
    come."""
    return surely((day >= _BIRTH) & is_none_of(_BIRTH, sentinels))


def _recorded(children: pl.DataFrame, schedule: Schedule, day: date) -> pl.DataFrame:
    """Add to each child the `earliest` and the `latest` day on which it can have been born by what is
    recorded, with `recorded_flags`. Few have more than a birth date, or one that their number shows too:
    other numbers, years and months, stated ages are weighed one by one."""
    earliest, latest = children["birth_on"], children["birth_on"]  # which are set in their place
    flags = pl.Series([0], dtype=CODES).new_from_index(0, children.height)
    is_plain = _is_plain(schedule.sentinel_days, day)
    others = children.with_row_index("place").filter(~is_plain | pl.col("national_number").is_not_null())
    if others["national_number"].null_count() < others.height:
        others = others.filter(~(is_plain & says_no_more(others, schedule.sentinels.scheme)))
    if others.height:
        places, weighed = others["place"], _Weighed(schedule, day)
        found = [weighed[facts] for facts in zip(*(others[name].to_list() for name in Recorded._fields), strict=True)]
        earliest.scatter(places, pl.Series([each for each, _, _ in found], dtype=pl.Date))
        latest.scatter(places, pl.Series([each for _, each, _ in found], dtype=pl.Date))
        flags.scatter(places, pl.Series([each for _, _, each in found], dtype=CODES))
    return children.with_columns_seq(earliest=earliest, latest=latest, recorded_flags=flags)


class _Weighed(dict[tuple[Any, ...], tuple[date | None, date | None, int]]):
    """What is recorded of births, weighed; of many children the same is."""

    def __init__(self, schedule: Schedule, day: date) -> None:
        self._sentinels, self._day = schedule.sentinels, day

    def __missing__(self, facts: tuple[Any, ...]) -> tuple[date | None, date | None, int]:
        earliest, latest, flags = recorded_birth(Recorded(*facts), self._sentinels, self._day)
        found = self[facts] = (earliest, latest, bits(flags))
        return found
