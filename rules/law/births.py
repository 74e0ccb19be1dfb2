"""The latest day on which the children of a file can have been born. Source: RET-08, RET-09, A-05, A-24."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from rules.law.bits import bit, bits
from rules.law.codes import CODES, together, where
from rules.law.facts import CHILDREN
from rules.model.decisions import Flag
from rules.model.records import Contact
from rules.people.birthdates import recorded_birth
from rules.retention.schedule import Schedule

_RECORDED = tuple(name for name in CHILDREN if name != "row")
_BIRTH = pl.col("birth_on")
_OF_CHILD = ("row", "child", "first_fiche_on", _BIRTH.alias("earliest"), _BIRTH.alias("latest"), pl.lit(0, CODES).alias("recorded_flags"))


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


def births_of(units: pl.DataFrame, children: pl.DataFrame, schedule: Schedule, day: date) -> pl.DataFrame:
    """Return a row for each child of a file that has an age-based category: `row`, its file; `child`, its
    place among all; `born`, the latest day on which it can have been born, null where there is no date at all
    (RET-09); `told`, what a person should look at."""
    asked = units.filter("needs_birth").select("row", "first_fiche_on")
    concerned = children.with_row_index("child").join(asked, on="row").with_columns(is_plain=_is_plain(schedule.sentinel_days, day))
    births = concerned.filter("is_plain").select(_OF_CHILD)
    if births.height < concerned.height:
        births = pl.concat([births, _weighed(concerned.filter(~pl.col("is_plain")), schedule, day)])
    return births.select("row", "child", born=LATEST_BIRTH, told=TOLD_OF_BIRTH)


def with_births(units: pl.DataFrame, births: pl.DataFrame) -> pl.DataFrame:
    """Add `born_on` to each file that has an age-based category, the latest birth of all its children, null
    where one of them has none; with `birth_flags`. A file without a child counts as having one of whom
    nothing is known (A-24)."""
    of_files = births.group_by("row").agg(youngest=pl.col("born").max(), unknown=pl.col("born").null_count())
    told = births.filter(pl.col("told") != 0).group_by("row").agg(pl.col("told").bitwise_or())  # few children have something to tell
    found = units.join(of_files, on="row", how="left", maintain_order="left").join(told, on="row", how="left", maintain_order="left")
    return found.with_columns(born_on=BORN_ON, birth_flags=BIRTH_FLAGS).drop("youngest", "unknown", "told")


@lru_cache(maxsize=16)
def _is_plain(sentinels: frozenset[date], day: date) -> pl.Expr:
    """Return whether a birth date counts by itself: no number that could say otherwise, no sentinel, not to
    come."""
    is_usable = _BIRTH.is_not_null() & (day >= _BIRTH) & ~_BIRTH.is_in(sorted(sentinels))
    return (pl.col("national_number").is_null() & is_usable).fill_null(False)


def _weighed(children: pl.DataFrame, schedule: Schedule, day: date) -> pl.DataFrame:
    """Weigh what else is recorded: numbers, years and months, stated ages. Few children have as much."""
    found = [recorded_birth(Contact(**facts), schedule.sentinels, day) for facts in children.select(_RECORDED).iter_rows(named=True)]
    return children.select(
        "row",
        "child",
        "first_fiche_on",
        pl.Series("earliest", [earliest for earliest, _, _ in found], dtype=pl.Date),
        pl.Series("latest", [latest for _, latest, _ in found], dtype=pl.Date),
        pl.Series("recorded_flags", [bits(flags) for _, _, flags in found], dtype=CODES),
    )
