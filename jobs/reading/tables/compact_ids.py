"""Ids and versions as numbers. As text an id takes 52 bytes and a version 16 or more, which is most of what
rows weigh; the number that its digits are takes 16, a version's 8. Whatever does not look as the service
writes it is kept as text, and stands as a number that no other has: nothing is cut off, and no two share a
number."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

ID: Final = pl.UInt128
VERSION: Final = pl.UInt64
_GUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_LENGTH: Final = 36  # of a GUID
_DASHES: Final = (8, 13, 18, 23)  # where it has one
_NUMBER: Final = '^W/"[1-9][0-9]{0,17}"$'
_FEW: Final = 64  # ids that are written one by one sooner than all at once
_ODD_IDS: Final = 2**128 - 2**32  # from here on numbers stand for texts
_ODD_VERSIONS: Final = 2**63
_DIGITS: Final = pl.Series([f"{number:04x}" for number in range(2**16)], dtype=pl.String)


class _Odd:
    """The texts that are not numbers, each with its own from `first` on."""

    def __init__(self, first: int, dtype: Any) -> None:
        self._first, self._dtype = first, dtype
        self.texts: list[str] = []
        self._places: dict[str, int] = {}

    def with_numbers(self, numbers: pl.Series, texts: pl.Series) -> pl.Series:
        """Return numbers, with one for each text that has none."""
        if numbers.null_count() == texts.null_count():
            return numbers
        lacking = (numbers.is_null() & texts.is_not_null()).arg_true()
        odd = texts[lacking]
        for text in odd.unique(maintain_order=True):
            if text not in self._places:
                self._places[text] = self._first + len(self.texts)
                self.texts.append(text)
        return numbers.scatter(lacking, pl.Series([self._places[text] for text in odd], dtype=self._dtype))

    def with_known(self, numbers: pl.Series, texts: pl.Series) -> pl.Series:
        """Return numbers, with those of texts that have been kept instead of their own."""
        kept = texts.is_in(self.texts).fill_null(False).arg_true()
        return numbers.scatter(kept, [self._places[text] for text in texts[kept]]) if len(kept) else numbers

    def with_texts(self, texts: pl.Series, numbers: pl.Series) -> pl.Series:
        """Return texts, with those of numbers that stand for one."""
        if not self.texts:
            return texts
        odd = (numbers >= pl.Series([self._first], dtype=self._dtype)).fill_null(False).arg_true()
        return texts.scatter(odd, [self.texts[number - self._first] for number in numbers[odd]]) if len(odd) else texts


class Ids:
    """Ids as numbers of 16 bytes, in the order of their letters as long as `are_plain`."""

    def __init__(self) -> None:
        self._odd = _Odd(_ODD_IDS, ID)

    @property
    def are_plain(self) -> bool:
        """Whether all were GUIDs in lower case."""
        return not self._odd.texts

    def packed(self, texts: pl.Series) -> pl.Series:
        """Return the number of each id, the same for the same and for no other; null where there is none."""
        if (alike := _numbers(texts, is_lower=True)) is not None:
            return alike
        text = pl.col("id").str
        plain = pl.when(text.contains(_GUID)).then(text.replace_all("-", "", literal=True))
        numbers = texts.alias("id").to_frame().select(plain.str.to_integer(base=16, dtype=ID)).to_series()
        return self._odd.with_numbers(_below(numbers), texts)

    def asked(self, texts: pl.Series) -> pl.Series:
        """Return the number of each id that is looked for, at less cost: a GUID is its digits, however it is
        written. One that no row can have may be null."""
        numbers = _numbers(texts, is_lower=False)
        if numbers is None:
            rows = texts.alias("id").to_frame()
            digits = pl.when(pl.col("id").str.len_bytes() == _LENGTH).then(pl.col("id").str.replace_all("-", "", literal=True))
            numbers = _below(rows.select(digits.str.to_integer(base=16, dtype=ID, strict=False)).to_series())
        return self._odd.with_known(numbers, texts) if self._odd.texts else numbers

    def texts(self, numbers: pl.Series) -> pl.Series:
        """Return the id of each number."""
        if len(numbers) <= _FEW:
            digits = (None if number is None else f"{number:032x}" for number in numbers)
            guids = [each and "-".join((each[:8], each[8:12], each[12:16], each[16:20], each[20:])) for each in digits]
            return self._odd.with_texts(pl.Series("id", guids, dtype=pl.String), numbers)
        halves = numbers.alias("id").to_frame().select(pl.col("id") // pl.lit(2**64, ID), rest=pl.col("id") % pl.lit(2**64, ID))
        one, two, three, four, five, six, seven, eight = (
            pl.lit(_DIGITS).gather((pl.col(name).cast(pl.UInt64) // 2**bits % 2**16).cast(pl.UInt32))
            for name in ("id", "rest")
            for bits in (48, 32, 16, 0)
        )
        dash = pl.lit("-")
        written = pl.concat_str(one, two, dash, three, dash, four, dash, five, dash, six, seven, eight)
        return self._odd.with_texts(halves.select(written.alias("id")).to_series(), numbers)


def _numbers(texts: pl.Series, *, is_lower: bool) -> pl.Series | None:
    """Return the numbers of ids, read as one text; None where one is not a GUID, or is not in lower case
    where that is asked for, or may stand for a text."""
    many = len(texts)
    if not many or texts.null_count():
        return None
    text, step = texts.str.join("\n").item(), _LENGTH + 1
    if text[_LENGTH::step] != "\n" * (many - 1) or any(text[place::step] != "-" * many for place in _DASHES):
        return None
    if is_lower and text != text.lower():
        return None
    try:
        digits = bytes.fromhex(text.replace("-", " "))
    except ValueError:
        return None
    if 2 * len(digits) != (_LENGTH - len(_DASHES)) * many:  # it passes over what is blank
        return None
    numbers = pl.Series(texts.name, [digits]).bin.reinterpret(dtype=pl.Array(ID, many), endianness="big").reshape((many,))
    return numbers if _below(numbers) is numbers else None


def _below(numbers: pl.Series) -> pl.Series:
    """Return numbers without those that may stand for texts."""
    highest = numbers.max()
    return numbers.set(numbers >= pl.Series([_ODD_IDS], dtype=ID), None) if isinstance(highest, int) and highest >= _ODD_IDS else numbers


class Versions:
    """Versions as numbers of 8 bytes; none, where nobody writes a row, is 0."""

    def __init__(self) -> None:
        self._odd = _Odd(_ODD_VERSIONS, VERSION)

    def packed(self, texts: pl.Series) -> pl.Series:
        """Return the number of each version, the same for the same; null where there is none."""
        rows = texts.alias("etag").to_frame()
        etag = pl.col("etag")
        plain = pl.when(etag.str.contains(_NUMBER)).then(etag.str.slice(3).str.head(-1)).when(etag == "").then(pl.lit("0"))
        return self._odd.with_numbers(rows.select(plain.str.to_integer(dtype=VERSION).alias("etag")).to_series(), texts)

    def texts(self, numbers: pl.Series) -> pl.Series:
        """Return the version of each number."""
        version = pl.col("etag")
        told = pl.when(version == 0).then(pl.lit("")).otherwise('W/"' + version.cast(pl.String) + '"')
        return self._odd.with_texts(numbers.alias("etag").to_frame().select(told.alias("etag")).to_series(), numbers)
