"""Columns of ids as numbers. As text an id takes 52 bytes, the number that its digits are 16: it is read,
written, put together and compared in a fraction of the time. A column has numbers where all of its ids are
GUIDs in lower case, else texts."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl

ID: Final = pl.UInt128
ODD: Final = 2**128 - 2**32  # of what comes from here on no number is made: it may stand for something else
_LENGTH: Final = 36  # of a GUID
_DASHES: Final = (8, 13, 18, 23)  # where it has one
_BYTES: Final = 16
_FEW: Final = 64  # ids that are written one by one sooner than all at once


def numbers_of(texts: pl.Series, *, is_lower: bool = True) -> pl.Series | None:
    """Return the numbers of ids, read as one text; None where one is not a GUID, or is not in lower case
    where that is asked for, or is `ODD`, or lacks."""
    if not len(texts) or texts.null_count():
        return None
    text = texts.str.join("\n").item()
    return None if is_lower and text != text.lower() else numbers_in(texts.name, text, len(texts))


def numbers_in(name: str, text: str, many: int, missing: int = 0) -> pl.Series | None:
    """Return the numbers of so many ids, each a line of a text, of which so many are missing: in their place
    is `NO_ID`. None, as `numbers_of`, where one is not a GUID, in either case, or is `ODD`."""
    digits = digits_in(text, many)
    return None if digits is None else numbers_of_digits(name, digits, missing)


def digits_in(text: str, many: int) -> bytes | None:
    """Return the 16 bytes of each of so many ids, each a line of a text; None where one is not a GUID, in
    either case, or where there is none."""
    step = _LENGTH + 1
    if not many or text[_LENGTH::step] != "\n" * (many - 1) or any(text[place::step] != "-" * many for place in _DASHES):
        return None
    try:
        digits = bytes.fromhex(text.replace("-", " "))
    except ValueError:
        return None
    return digits if len(digits) == _BYTES * many else None  # it passes over what is blank


def numbers_of_digits(name: str, digits: bytes, missing: int) -> pl.Series | None:
    """Return the numbers of ids of 16 bytes each; None where one is `ODD` that is not among so many that are
    missing."""
    many = len(digits) // _BYTES
    numbers = pl.Series(name, [digits]).bin.reinterpret(dtype=pl.Array(ID, many), endianness="big").reshape((many,))
    found = without_odd(numbers)
    return found if found.null_count() == missing else None


def numbers_each(texts: pl.Series) -> pl.Series:
    """Return the number of each id, however a GUID is written; null of what is none, as far as that is seen
    at little cost, or is `ODD`."""
    if (alike := numbers_of(texts, is_lower=False)) is not None:
        return alike
    text = pl.col("id").str
    digits = pl.when(text.len_bytes() == _LENGTH).then(text.replace_all("-", "", literal=True))
    numbers = texts.alias("id").to_frame().select(digits.str.to_integer(base=16, dtype=ID, strict=False)).to_series()
    return without_odd(numbers).alias(texts.name)


def without_odd(numbers: pl.Series) -> pl.Series:
    """Return numbers without those that are `ODD`."""
    highest = numbers.max()
    return numbers.set(numbers >= pl.Series([ODD], dtype=ID), None) if isinstance(highest, int) and highest >= ODD else numbers


def texts_of(numbers: pl.Series) -> pl.Series:
    """Return the id of each number."""
    if len(numbers) <= _FEW:
        digits = (None if number is None else f"{number:032x}" for number in numbers)
        guids = [each and "-".join((each[:8], each[8:12], each[12:16], each[16:20], each[20:])) for each in digits]
        return pl.Series(numbers.name, guids, dtype=pl.String)
    return numbers.alias("id").to_frame().select(*_halves()).select(_written().alias(numbers.name)).to_series()


@cache
def _halves() -> tuple[pl.Expr, pl.Expr]:
    return pl.col("id") // pl.lit(2**64, ID), (pl.col("id") % pl.lit(2**64, ID)).alias("rest")


@cache
def _written() -> pl.Expr:
    """The text of an id whose upper and lower half are `id` and `rest`."""
    of_a_byte, two_bytes = pl.Series([f"{number:02x}" for number in range(2**8)]), pl.int_range(2**16, eager=True)
    digits = pl.lit(of_a_byte.gather(two_bytes // 2**8) + of_a_byte.gather(two_bytes % 2**8))
    one, two, three, four, five, six, seven, eight = (
        digits.gather((pl.col(name).cast(pl.UInt64) // 2**bits % 2**16).cast(pl.UInt32))
        for name in ("id", "rest")
        for bits in (48, 32, 16, 0)
    )
    dash = pl.lit("-")
    return pl.concat_str(one, two, dash, three, dash, four, dash, five, dash, six, seven, eight)


def packed(rows: pl.DataFrame, ids: Collection[str]) -> pl.DataFrame:
    """Return rows whose columns `ids` have numbers, where that is possible."""
    texts = [name for name, kind in rows.schema.items() if name in ids and kind != ID]
    found = [numbers for name in texts if (numbers := _packed(rows[name])) is not None]
    return rows.with_columns(found) if found else rows


def _packed(texts: pl.Series) -> pl.Series | None:
    if not texts.null_count():
        return numbers_of(texts)
    numbers = numbers_of(texts.drop_nulls())
    if numbers is None:
        return None
    return pl.Series(texts.name, [None], dtype=ID).new_from_index(0, len(texts)).scatter(texts.is_not_null().arg_true(), numbers)


def as_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose ids are texts."""
    told = [texts_of(rows[name]) for name, kind in rows.schema.items() if kind == ID]
    return rows.with_columns(told) if told else rows


def like(ids: pl.Series, column: pl.Series) -> pl.Series:
    """Return ids as a column has them; null of one that it cannot have."""
    return numbers_each(ids) if column.dtype == ID and ids.dtype != ID else ids


def together(frames: Iterable[pl.DataFrame], *, rechunk: bool = False) -> pl.DataFrame:
    """Put frames together, whose ids are numbers where all have these."""
    given: Sequence[pl.DataFrame] = list(frames)
    if any(frame.schema != given[0].schema for frame in given):
        given = list(map(as_texts, given))
    return pl.concat(given, rechunk=rechunk)
