"""What must become of each unit, from everything that counts: kept for a reason, or disposed of as the
category says that decides (deciding_category.py). Source: section 2.4 (pseudo-code), section 4.2, RET-11,
RET-13 to RET-16, RET-21, RET-23, ERA-04."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

import polars as pl

from rules.holds.precedence import HOLD_REASONS
from rules.law.codes import has, surely, together, where
from rules.law.days import TODAY
from rules.law.own_days import IS_RECORDING
from rules.law.periodic_review import REVIEW_DUE, review_due_on
from rules.model.decisions import Disposition, Flag, Reason
from rules.retention.schedule import RULE_OF_REASON, Schedule

KEEP, DELETE = Disposition.KEEP.value, Disposition.DELETE.value
EXPIRED: Final = where(pl.lit(True), Reason.EXPIRED)

# Why a unit is kept. The term has said NO_TERM (RET-15) and UNCONFIGURED (RET-14).
HAS_DATE_TO_COME: Final = pl.col("is_future") | pl.col("own_day_to_come") | surely(pl.col("anchor_to_come"))  # RET-16
HAS_NOT_STARTED: Final = pl.col("is_started").eq_missing(False)  # RET-06
ENDLESS: Final = together(pl.col("term_reasons"), where(HAS_DATE_TO_COME, Reason.DATA_ERROR), where(HAS_NOT_STARTED, Reason.NOT_STARTED))
RETENTION_END: Final = pl.when(pl.col("endless") == 0).then("on")  # RET-11: none where a reason leaves the unit without one
IS_KEPT_OPEN: Final = pl.col("is_open") & ~pl.col("is_six_month")  # RET-13
IS_RUNNING: Final = pl.col("retention_end") >= TODAY  # DAT-02: the end is the last day kept
REASONS: Final = together(  # 4.2
    pl.col("held"), pl.col("endless"), where(pl.col("is_kept_open"), Reason.OPEN_DOSSIER), where(IS_RUNNING, Reason.NOT_EXPIRED)
)

# What a person should look at.
USES_CREATION: Final = pl.col("created_used") & pl.col("needs_activity")  # RET-07
USES_SECOND_CHOICE: Final = surely(pl.col("is_second_choice"))  # RET-06
OPEN_PAST_END: Final = pl.col("is_kept_open") & (pl.col("retention_end") < TODAY)  # RET-13
FLAGS: Final = together(
    pl.col("term_flags"),
    pl.col("birth_flags"),
    where(USES_CREATION | USES_SECOND_CHOICE | pl.col("counted_from_creation"), Flag.ANCHOR_FALLBACK),
    where(OPEN_PAST_END, Flag.OPEN_PAST_END),
    where(REVIEW_DUE, Flag.REVIEW_DUE),
)

# What becomes of it.
IS_KEPT: Final = surely(pl.col("reasons") != 0)
HAS_PUBLIC_ALERT: Final = surely(pl.col("public_alert"))
DISPOSITION: Final = (  # RET-23; ERA-04: whoever was sought by name in public is deleted
    pl.when(IS_KEPT).then(pl.lit(KEEP)).when(HAS_PUBLIC_ALERT).then(pl.lit(DELETE)).otherwise("disposition")
)
BECAUSE: Final = pl.when(IS_KEPT).then("reasons").otherwise(EXPIRED)
# The rule of the first reason; NOT_EXPIRED and EXPIRED rest on that of the end.
_RULES: Final = pl.lit(pl.Series([RULE_OF_REASON.get(reason) for reason in Reason], dtype=pl.String))
RULE: Final = pl.coalesce(_RULES.gather(pl.col("reasons").bitwise_trailing_zeros()), "end_rule")

# What its holds add: a review that is overdue, and the rule of a legal hold that people placed.
IS_HELD: Final = has(pl.col("reasons"), *HOLD_REASONS)
PLACED_BY_PEOPLE: Final = IS_HELD & (pl.col("rule") == RULE_OF_REASON[Reason.HOLD_LEGAL]) & ~pl.col("legal_hold")
HELD_FLAGS: Final = pl.col("flags") | where(IS_HELD & pl.col("is_overdue"), Flag.HOLD_REVIEW_OVERDUE)
HELD_RULE: Final = pl.when(PLACED_BY_PEOPLE).then(pl.lit("HLD-05")).otherwise("rule")

# A recording that nobody took over into the dossier is no reason to keep it (RET-21). An empty mark means no.
IS_LEFT: Final = IS_RECORDING & ~surely(pl.col("taken_over"))


def with_reasons(units: pl.DataFrame) -> pl.DataFrame:
    """Add `reasons`, why each unit is kept, and `retention_end`, the last day kept: null where a reason
    leaves the unit without one."""
    return (
        units.with_columns(endless=ENDLESS, is_kept_open=IS_KEPT_OPEN)
        .with_columns(retention_end=RETENTION_END)
        .with_columns(reasons=REASONS)
    )


def with_flags(units: pl.DataFrame, review_months: Collection[int]) -> pl.DataFrame:
    """Add `flags`, what a person should look at, and `review_due_on`. `review_months` are those that a term
    of these units names."""
    return units.with_columns(review_due_on=review_due_on(frozenset(review_months) - {0})).with_columns(flags=FLAGS)


def with_disposition(units: pl.DataFrame) -> pl.DataFrame:
    """Add `disposition` and `rule`: what has no reason to stay is disposed of as the category says that
    produced the latest end."""
    return units.with_columns(disposition=DISPOSITION, reasons=BECAUSE).with_columns(rule=RULE)


def marked(units: pl.DataFrame, schedule: Schedule) -> pl.DataFrame:
    """Add what its holds add to a unit that is kept by one, and the warnings about recordings that nobody
    took over."""
    return units.with_columns(flags=_marked_flags(schedule.warning.days), rule=HELD_RULE)


@lru_cache(maxsize=8)
def _marked_flags(days: int) -> pl.Expr:
    is_near = IS_LEFT & (pl.col("retention_end").dt.offset_by(f"-{days}d") <= TODAY)
    is_disposed = is_near & (pl.col("disposition") != KEEP)
    return together(HELD_FLAGS, where(is_near, Flag.TAKEOVER_WARNING), where(is_disposed, Flag.DISPOSED_NOT_TAKEN_OVER))
