"""Reasons and flags in columns, a bit each, so that one number holds several of them; and texts of which
there are few."""

from typing import Final

import polars as pl

from rules.law.bits import bit, bits
from rules.model.decisions import Flag, Reason

CODES: Final = pl.UInt32
TEXT: Final = pl.Categorical()  # of texts of which there are few: copied and compared as numbers


def surely(condition: pl.Expr) -> pl.Expr:
    """Return whether a condition is true; one that is null is not."""
    return condition.eq_missing(True)


def where(condition: pl.Expr, code: Reason | Flag) -> pl.Expr:
    """Return the bit of a code where a condition is true, else 0; a condition that is null is not true."""
    return pl.when(condition).then(pl.lit(bit(code), CODES)).otherwise(pl.lit(0, CODES))


def text(of: str | None) -> pl.Expr:
    """Return one of few texts, the same for every row."""
    return pl.lit(of, TEXT)


def has(numbers: pl.Expr, *codes: Reason | Flag) -> pl.Expr:
    """Return whether a number has one of these codes."""
    return (numbers & bits(codes)) != 0


def together(*numbers: pl.Expr) -> pl.Expr:
    """Return all codes of several numbers; whether one of several conditions is true."""
    found = numbers[0]
    for number in numbers[1:]:
        found = found | number
    return found
