"""What a person should look at in a unit: its flags, beside those of its category (terms.py) and of the birth
dates of its children (youngest_child.py). A recording that nobody took over into the dossier gets a warning
some days before it ends. A flag never changes what becomes of a unit. A unit whose category has no term is to
be reviewed on a day of its own. Source: RET-06, RET-07, RET-13, RET-15, RET-21, HLD-03."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

import polars as pl

from rules.law.codes import surely, together, where
from rules.law.days import TODAY, add_months
from rules.law.kept_or_disposed import IS_HELD, KEEP
from rules.law.own_days import IS_RECORDING
from rules.law.terms import Terms
from rules.model.decisions import Flag
from rules.retention.clocks import RECORDING

REVIEW_DUE: Final = pl.col("review_due_on") <= TODAY


@lru_cache(maxsize=32)
def review_due_on(terms: frozenset[int]) -> pl.Expr:
    """Return the day as an expression: months after the last review, else after the opening, else, as for a
    lone fiche, after the first communication; a day that is still to come is that of none of them. `terms`
    are the numbers of months that a category of these units names."""
    since = pl.coalesce(*(pl.when(pl.col(name) <= TODAY).then(name) for name in ("reviewed_on", "opened_on", "first_fiche_on")))
    due_on = pl.lit(None, pl.Date)
    for months in terms:
        due_on = pl.when(pl.col("review_months") == months).then(add_months(since, months)).otherwise(due_on)
    return due_on


USES_CREATION: Final = pl.col("created_used") & pl.col("needs_activity")  # RET-07
USES_SECOND_CHOICE: Final = surely(pl.col("is_second_choice"))  # RET-06
OPEN_PAST_END: Final = pl.col("is_kept_open") & (pl.col("retention_end") < TODAY)  # RET-13
FLAGS: Final = together(
    pl.col("term_flags"),
    pl.col("birth_flags"),
    where(USES_CREATION | USES_SECOND_CHOICE | pl.col("counted_from_creation"), Flag.ANCHOR_FALLBACK),
    where(OPEN_PAST_END, Flag.OPEN_PAST_END),
)
REVIEWED_FLAGS: Final = pl.col("flags") | where(REVIEW_DUE, Flag.REVIEW_DUE)  # RET-15
HELD_FLAGS: Final = pl.col("flags") | where(IS_HELD & pl.col("is_overdue"), Flag.HOLD_REVIEW_OVERDUE)  # HLD-03, R-070

# A recording that nobody took over into the dossier is no reason to keep it (RET-21). An empty mark means no.
IS_LEFT: Final = IS_RECORDING & ~surely(pl.col("taken_over"))


def with_flags(units: pl.DataFrame, review_months: Collection[int]) -> pl.DataFrame:
    """Add `flags`, what a person should look at, and `review_due_on`. `review_months` are those that a term
    of these units names."""
    months = frozenset(review_months) - {0}
    units = units.with_columns_seq(review_due_on=review_due_on(months), flags=FLAGS)
    return units.with_columns_seq(flags=REVIEWED_FLAGS) if months else units


def with_warnings(units: pl.DataFrame, held: pl.DataFrame, terms: Iterable[Terms], days: int) -> pl.DataFrame:
    """Add to `flags` what depends on what becomes of a unit: a hold of people on it whose review is overdue,
    and the warnings about recordings that nobody took over, from so many days before their end on. `held`
    are these holds, `terms` those of these units."""
    if held.height:
        units = units.with_columns_seq(flags=HELD_FLAGS)
    if any(each.categories == (RECORDING,) for each in terms):
        units = units.with_columns_seq(flags=_warned(days))
    return units


@lru_cache(maxsize=8)
def _warned(days: int) -> pl.Expr:
    is_near = IS_LEFT & (pl.col("retention_end").dt.offset_by(f"-{days}d") <= TODAY)
    is_disposed = is_near & (pl.col("disposition") != KEEP)
    return together(pl.col("flags"), where(is_near, Flag.TAKEOVER_WARNING), where(is_disposed, Flag.DISPOSED_NOT_TAKEN_OVER))
