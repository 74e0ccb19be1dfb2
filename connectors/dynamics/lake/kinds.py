"""What the columns of a lake hold, in whichever type a form writes it: a CSV has texts, Parquet what the
platform made of them."""

from datetime import date, datetime
from typing import Any, Final, get_args, get_origin

import polars as pl

INT, BOOL, TEXT, IDS, SINK, OPTIONS = "int", "bool", "text", "ids", "sink", "options"
FLOAT, DAY, INSTANT = "float", "day", "instant"
_PLAIN: Final = {str: TEXT, int: INT, bool: BOOL, float: FLOAT, date: DAY, datetime: INSTANT}
_TRUTHS: Final = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_ISO, _OWN = "%Y-%m-%dT%H:%M:%S%.f%#z", "%m/%d/%Y %I:%M:%S %p"  # instants in a CSV: of the service, and of the link itself


def kind_of(wire: Any) -> str:
    """Return what a field of a page holds, by the type that the decoder of pages gives it."""
    parts = [part for part in get_args(wire) if part is not type(None)] or [wire]
    held = parts[0]
    while get_origin(held) is not None or hasattr(held, "__metadata__"):
        held = get_args(held)[0]
    return _PLAIN[held]


def typed(kind: str, name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as what it holds; a value that it cannot hold raises PolarsError."""
    column = pl.col(name)
    is_text = dtype == pl.String
    if kind in (DAY, INSTANT, SINK) and not (is_text or dtype.is_temporal() or dtype == pl.Null):
        raise pl.exceptions.SchemaError("a number is no date: nobody can tell since when it counts, and in what")
    if kind == TEXT:
        return column.cast(pl.String)
    if kind == IDS:
        return column.cast(pl.String).str.strip_chars("{}").str.to_lowercase()
    if kind == FLOAT:
        return column.cast(pl.Float64)
    if kind == INT:
        # What is not whole refuses the column, as a text does that is no number.
        broken = pl.when(column != column.floor()).then(pl.lit("broken")).cast(pl.Int64)
        return pl.coalesce(broken, column.cast(pl.Int64)) if dtype.is_float() else column.cast(pl.Int64)
    if kind == BOOL:
        return column if dtype == pl.Boolean else column.cast(pl.String).str.to_lowercase().replace_strict(_TRUTHS, return_dtype=pl.Boolean)
    if kind == OPTIONS:
        return _options(column.cast(pl.String))
    if kind == DAY:
        return column.str.slice(0, 10).str.to_date("%Y-%m-%d") if is_text else column.cast(pl.Date)
    return _instant(column, dtype).dt.truncate("1s")  # as the service tells it


def _instant(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        iso = column.str.to_datetime(_ISO, time_unit="us", strict=False)
        own = column.str.to_datetime(_OWN, time_unit="us", strict=False).dt.replace_time_zone("UTC")
        # What neither is refuses the column.
        rest = pl.when(iso.is_null() & own.is_null()).then(column).str.to_datetime(_ISO, time_unit="us", strict=True)
        return pl.coalesce(iso, own, rest)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return column.cast(pl.Datetime("us", dtype.time_zone)).dt.convert_time_zone("UTC")
    return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _options(column: pl.Expr) -> pl.Expr:
    """Return several options as the service writes them, `1,2`; the database frames them, `[-1,1,2,-1]`."""
    framed = column.str.replace(r"^\[-1,(.*),-1\]$", "${1}")
    return framed.str.replace_all(r"[;\s]+", ",").str.strip_chars("[],")
