"""Which of several categories of a unit decides its retention end, and whether it is deleted or anonymised;
kept_or_disposed.py uses the latter where nothing keeps the unit. The same order, for one decision that was
already made, is in rules/model/decisions.py (`deciding_end`), for its row of statistics in
rules/anonymisation/statistics.py. Source: RET-11, RET-23."""

from typing import Final

import polars as pl

from rules.model.decisions import Disposition

_DELETE: Final = Disposition.DELETE.value
_SPARES: Final = pl.col("disposition") != _DELETE
_IS_STARTED: Final = (pl.col("on").is_not_null() | pl.col("is_termless")).alias("is_started")
_IS_TO_COME: Final = pl.col("is_to_come").alias("anchor_to_come")
_OF_BEST: Final = (pl.col("on", "anchor", "anchor_on"), pl.col("rule").alias("end_rule"), pl.col("disposition"))
_OF_ONLY: Final = ("row", *_OF_BEST, _IS_STARTED, "is_second_choice", _IS_TO_COME)
_OF_SEVERAL: Final = (*(each.first() for each in _OF_BEST), _IS_STARTED.all(), pl.col("is_second_choice").any(), _IS_TO_COME.any())


def deciding(ends: pl.DataFrame) -> pl.DataFrame:
    """Return the end that decides over each unit, where there is one: the latest; on one day `delete` beats
    `anonymise`, then the first (RET-11, RET-23); with `is_started`, whether every category with a term has an
    end, and whether one of them counts from a second choice or a day to come."""
    if ends["is_only"].all():
        return ends.select_seq(_OF_ONLY)
    several = ends.filter(~pl.col("is_only"))
    best = several.sort("row", "on", _SPARES, "place", descending=[False, True, False, False], nulls_last=True)
    return pl.concat([ends.filter("is_only").select_seq(_OF_ONLY), best.group_by("row", maintain_order=True).agg(_OF_SEVERAL)])
