"""Rows as columns: of which type the column of a field is, and a frame made of records.

Frames are for whole tables, which are joined and decided on column by column; records for few rows. Both say
the same of a row. Polars takes a while to import and is needed by few commands: it is imported where a frame
is made, and nowhere at start-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

NO_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"  # stands for an id that lacks, among others that are read as one text
SEPARATOR = "\x1f"  # between the parts of a field that has several: a control character that keys and ids do not have
_FIRST_DAY, _FIRST_INSTANT, _STEP = date(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)  # of numbers


def column_types(record: type[Record], fields: Iterable[str]) -> dict[str, pl.DataType]:
    """Return the names and types of the columns of a kind with these fields: `id` and `etag` first, then the
    fields in the order given.

    | field | column |
    |---|---|
    | id, lookup (both in lower case) | String, in frames also numbers (`id_numbers.py`) |
    | key of a choice, text | String |
    | several keys or ids (`categories`, `also_in`, `tied`) | String, joined by `SEPARATOR`, empty if none |
    | day | Date |
    | instant | Datetime, in microseconds, UTC |
    | yes or no | Boolean |
    | whole number | Int64 |
    | amount | Float64 |

    Null stands where the record has None. Raises ValueError: a record of this class has no such field, or it
    is content, which is fetched by itself."""
    import polars as pl

    types: dict[type, pl.DataType] = {
        str: pl.String(),
        tuple: pl.String(),
        date: pl.Date(),
        datetime: pl.Datetime("us", "UTC"),
        bool: pl.Boolean(),
        int: pl.Int64(),
        float: pl.Float64(),
    }
    found: dict[str, pl.DataType] = {"id": types[str], "etag": types[str]}
    for name in fields:
        held = held_by(record, name)
        if held not in types:
            raise ValueError(f"{record.__name__}.{name} is content: it is fetched by itself")
        found[name] = types[held]
    return found


def frame_of(record: type[Record], fields: Sequence[str], rows: Sequence[Record]) -> pl.DataFrame:
    """Return records of a kind, with these fields, as a frame of the types of `column_types`."""
    return frame_of_values(record, fields, lambda name: list(map(attrgetter(name), rows)))


def frame_of_values(record: type[Record], fields: Sequence[str], values: Callable[[str], list[Any] | pl.Series]) -> pl.DataFrame:
    """Return a frame of the types of `column_types` from what `values` gives for each of its columns: what
    records of the kind hold, in the order of the rows, or a column that says the same."""
    import polars as pl

    return pl.DataFrame([_column(name, held_by(record, name), kind, values(name)) for name, kind in column_types(record, fields).items()])


def _column(name: str, held: type, kind: pl.DataType, values: list[Any] | pl.Series) -> pl.Series:
    """Return a column of one type; days and instants by way of their numbers, which is many times as fast."""
    import polars as pl

    if isinstance(values, pl.Series):
        named = values if values.name == name else values.alias(name)
        return named if values.dtype in (kind, pl.UInt128) else named.cast(kind)
    if held is tuple:
        return pl.Series(name, list(map(SEPARATOR.join, values)), dtype=pl.String)
    if held is date:
        days = pl.Series(name, [None if day is None else day.toordinal() for day in values], dtype=pl.Int32)
        return (days - _FIRST_DAY.toordinal()).cast(kind)
    if held is datetime:
        moments = [None if at is None else (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _FIRST_INSTANT for at in values]
        return pl.Series(name, [None if since is None else since // _STEP for since in moments], dtype=pl.Int64).cast(kind)
    return pl.Series(name, values, dtype=kind.base_type())  # whose objects polars compares at twice the cost


def values_of(record: type[Record], column: pl.Series) -> list[Any]:
    """Return what records of a kind hold in the field of a column, in the order of the rows; as it stands in
    the column where it is not a field of theirs."""
    from connectors.interface.id_numbers import ID, texts_of

    values = (texts_of(column) if column.dtype == ID else column).to_list()
    if column.name in record.__struct_fields__ and held_by(record, column.name) is tuple:
        return [tuple(each.split(SEPARATOR)) if each else () for each in values]
    return values


@cache
def held_by(record: type[Record], name: str) -> type:
    """Return what a field of a record holds, None aside; `tuple` where it holds several. Raises ValueError:
    there is no such field."""
    try:
        hint = _hints(record)[name]
    except KeyError:
        raise ValueError(f"{record.__name__} has no field {name}") from None
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    found: type = get_origin(hint) or hint
    return found


_hints = cache(get_type_hints)
