"""When what a plan keeps comes to its end, month by month."""

from __future__ import annotations

from datetime import date

from jobs.plans.lines.view import LinesView
from rules.model.decisions import Reason


def ends_by_month(view: LinesView, first: date, last: date) -> dict[str, int]:
    """Return how many units are kept until a day from `first` to `last`, by month as 2026-03, earliest first.
    What something else keeps, such as a hold, is not among them: its end ends nothing."""
    import polars as pl

    waits = [shape.reason == Reason.NOT_EXPIRED and shape.outcome == "retain" for shape in view.columns.shapes]
    frame = view.columns.frame.filter(pl.col("retention_end").is_between(first, last))
    kept = frame.filter(pl.Series(waits, dtype=pl.Boolean)[frame["shape"]]) if waits else frame
    counted = kept["retention_end"].dt.strftime("%Y-%m").value_counts()
    return dict(sorted((month, int(number)) for month, number in counted.iter_rows()))
