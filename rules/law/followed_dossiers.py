"""Recordings that do not end by themselves: marked as evidence, they follow their dossier. Which dossier that
is, and that the mark of a lone fiche has no effect, is in rules/retention/recording_owners.py. Source:
RET-05, note (c) of 4.2."""

from typing import Final

import polars as pl

from rules.law.codes import CODES, text
from rules.law.kept_or_disposed import DELETE, EXPIRED, KEEP
from rules.law.row_numbers import beside

FOLLOWS_DOSSIER = "RET-05"
DOSSIER = "dossier"  # the anchor of what follows one


FOLLOWS: Final = pl.col("leader").is_not_null()
BOTH_REASONS: Final = (pl.col("held") | pl.col("their_reasons")) & ~EXPIRED  # its own holds, and whatever keeps the dossier
GOES: Final = BOTH_REASONS == 0  # with its dossier, and always by deleting (RET-03)
_AS_THEIR_DOSSIER: Final = (
    pl.when(FOLLOWS).then(pl.when(GOES).then(EXPIRED).otherwise(BOTH_REASONS)).otherwise("reasons").alias("reasons"),
    pl.when(FOLLOWS).then("their_end").otherwise("retention_end").alias("retention_end"),
    pl.when(FOLLOWS & GOES).then(text(DELETE)).when(FOLLOWS).then(text(KEEP)).otherwise("disposition").alias("disposition"),
    pl.when(FOLLOWS).then(text(FOLLOWS_DOSSIER)).otherwise("rule").alias("rule"),
    pl.when(FOLLOWS).then(text(DOSSIER)).otherwise("anchor").alias("anchor"),
    pl.when(~FOLLOWS).then("anchor_on").alias("anchor_on"),
    pl.when(FOLLOWS).then(pl.lit(0, CODES)).otherwise("flags").alias("flags"),
)


def with_followed(units: pl.DataFrame, leaders: pl.DataFrame) -> pl.DataFrame:
    """Add to each marked recording the end and the reasons of its dossier, beside those of its own holds; of
    a fiche in several dossiers of the one that stays longest. A disposal of the dossier always deletes it.
    `leader` is the row of that dossier, null of whatever does not follow one."""
    if leaders.is_empty():
        return units.with_columns_seq(leader=pl.lit(None, pl.UInt32))
    led = leaders.with_columns_seq(place=pl.int_range(pl.len()).over("row"))
    decided = units.select_seq(
        pl.col("row").alias("leader"),
        pl.col("reasons").alias("their_reasons"),
        pl.col("retention_end").alias("their_end"),
        (pl.col("disposition") == KEEP).alias("stays"),
    )
    # The first that stays; if all go, the last to go (RET-05).
    best = led.join(decided, on="leader", how="left").sort(
        "row", ~pl.col("stays"), pl.when(pl.col("stays")).then(None).otherwise("their_end"), "place",
        descending=[False, False, True, False], nulls_last=True,
    )  # fmt: skip
    followed = best.unique("row", keep="first", maintain_order=True).select("row", "leader", "their_reasons", "their_end")
    return beside(units, followed).with_columns_seq(_AS_THEIR_DOSSIER).drop("their_reasons", "their_end")
