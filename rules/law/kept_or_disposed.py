"""What must become of each unit, from everything that counts: kept for a reason, or disposed of as the
category says that decides (deciding_category.py). What a person should look at is in flags.py. Source:
section 2.4 (pseudo-code), section 4.2, RET-11, RET-13 to RET-16, RET-23, ERA-04."""

from typing import Final

import polars as pl

from rules.holds.precedence import HOLD_REASONS
from rules.law.codes import TEXT, has, surely, text, together, where
from rules.law.days import TODAY
from rules.model.decisions import Disposition, Reason
from rules.retention.compiled_schedule import RULE_OF_REASON

KEEP, DELETE = Disposition.KEEP.value, Disposition.DELETE.value
EXPIRED: Final = where(pl.lit(True), Reason.EXPIRED)

# Why a unit is kept. The term has said NO_TERM (RET-15) and UNCONFIGURED (RET-14). An anchor that is missing
# and one that is still to come are two reasons (DAT-10).
HAS_DATE_TO_COME: Final = pl.col("is_future") | pl.col("own_day_to_come") | surely(pl.col("anchor_to_come"))  # RET-16
HAS_NOT_STARTED: Final = pl.col("is_started").eq_missing(False)  # RET-06
ENDLESS: Final = together(pl.col("term_reasons"), where(HAS_DATE_TO_COME, Reason.DATA_ERROR), where(HAS_NOT_STARTED, Reason.NOT_STARTED))
RETENTION_END: Final = pl.when(pl.col("endless") == 0).then("on")  # RET-11: none where a reason leaves the unit without one
IS_KEPT_OPEN: Final = pl.col("is_open") & ~pl.col("is_six_month")  # RET-13
# DAT-02: the end is the last day kept. Whether it has passed is asked afresh each night (RET-18).
IS_RUNNING: Final = pl.col("retention_end") >= TODAY
REASONS: Final = together(  # 4.2
    pl.col("held"), pl.col("endless"), where(pl.col("is_kept_open"), Reason.OPEN_DOSSIER), where(IS_RUNNING, Reason.NOT_EXPIRED)
)

# What becomes of it.
IS_KEPT: Final = surely(pl.col("reasons") != 0)
HAS_PUBLIC_ALERT: Final = surely(pl.col("public_alert"))
DISPOSITION: Final = (  # RET-23; ERA-04: whoever was sought by name in public is deleted
    pl.when(IS_KEPT).then(text(KEEP)).when(HAS_PUBLIC_ALERT).then(text(DELETE)).otherwise("disposition")
)
BECAUSE: Final = pl.when(IS_KEPT).then("reasons").otherwise(EXPIRED)
# The rule of the first reason; NOT_EXPIRED and EXPIRED rest on that of the end.
_RULES: Final = pl.lit(pl.Series([RULE_OF_REASON.get(reason) for reason in Reason], dtype=TEXT))
RULE: Final = pl.coalesce(_RULES.gather(pl.col("reasons").bitwise_trailing_zeros()), "end_rule")

# What its holds add: the rule of a legal hold that people placed.
IS_HELD: Final = has(pl.col("reasons"), *HOLD_REASONS)
PLACED_BY_PEOPLE: Final = IS_HELD & (pl.col("rule") == RULE_OF_REASON[Reason.HOLD_LEGAL]) & ~pl.col("legal_hold")
HELD_RULE: Final = pl.when(PLACED_BY_PEOPLE).then(text("HLD-05")).otherwise("rule")


def with_reasons(units: pl.DataFrame) -> pl.DataFrame:
    """Add `reasons`, why each unit is kept, and `retention_end`, the last day kept: null where a reason
    leaves the unit without one."""
    return (
        units.with_columns_seq(endless=ENDLESS, is_kept_open=IS_KEPT_OPEN)
        .with_columns_seq(retention_end=RETENTION_END)
        .with_columns_seq(reasons=REASONS)
    )


def with_disposition(units: pl.DataFrame) -> pl.DataFrame:
    """Add `disposition` and `rule`: what has no reason to stay is disposed of as the category says that
    produced the latest end."""
    return units.with_columns_seq(disposition=DISPOSITION, reasons=BECAUSE).with_columns_seq(rule=RULE)


def with_rule_of_hold(units: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Give a unit that is kept by a legal hold of people its rule; `held` are the holds of people."""
    return units.with_columns_seq(rule=HELD_RULE) if held.height else units
