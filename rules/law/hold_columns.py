"""Holds in columns: for each unit the reasons of those that cover it, the flag of the CRM itself among them.
Source: HLD-03 to HLD-07, HLD-14."""

from collections.abc import Iterable, Sequence

import polars as pl

from rules.holds.holds import Hold, Holds
from rules.law.bits import bit, bits
from rules.law.codes import CODES, surely, where
from rules.law.row_numbers import beside
from rules.model.decisions import Reason
from rules.model.records import Unit

HELD_BY_CRM = where(pl.col("legal_hold"), Reason.HOLD_LEGAL)  # HLD-14
HELD = {"row": pl.UInt32, "held": CODES, "is_overdue": pl.Boolean}


def held_by(holds: Holds, units: Iterable[Unit]) -> pl.DataFrame:
    """Return the holds on units, by their row numbers among these."""
    return held_units(holds, enumerate(units)) if holds.is_any else pl.DataFrame(schema=HELD)


def held_units(holds: Holds, units: Iterable[tuple[int, Unit]]) -> pl.DataFrame:
    """Return for each of these units, by its row, that a hold covers: the reasons, and whether a review is
    overdue. The CRM's own flags are among the facts already."""
    found = ((row, holds.on(unit)) for row, unit in units)
    covered = [(row, bits(hold.reason for hold in on), any(hold.is_overdue for hold in on)) for row, on in found if on]
    return pl.DataFrame(covered, schema=HELD, orient="row")


def held_rows(hold: Hold, rows: pl.Series) -> pl.DataFrame:
    """Return the same for one hold and the units, by their rows, that it covers."""
    return pl.DataFrame({"row": rows}).with_columns_seq(held=pl.lit(bit(hold.reason), CODES), is_overdue=pl.lit(hold.is_overdue))


def by_several(held: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return what several such frames say of each unit, once."""
    found = [each for each in held if each.height]
    if len(found) < 2:
        return found[0] if found else pl.DataFrame(schema=HELD)
    return pl.concat(found).group_by("row").agg(pl.col("held").bitwise_or(), pl.col("is_overdue").any())


def with_holds(units: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Add `held` to each unit, the reasons of the holds on it, the CRM's own flag included (HLD-14)."""
    if held.is_empty():
        return units.with_columns_seq(held=HELD_BY_CRM, is_overdue=pl.lit(False))
    found = beside(units, held)
    return found.with_columns_seq(held=pl.col("held").fill_null(0) | HELD_BY_CRM, is_overdue=surely(pl.col("is_overdue")))
