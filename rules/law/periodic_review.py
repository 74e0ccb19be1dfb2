"""When a unit whose category has no term is to be reviewed. Source: RET-15."""

from functools import lru_cache
from typing import Final

import polars as pl

from rules.law.days import TODAY, add_months

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
