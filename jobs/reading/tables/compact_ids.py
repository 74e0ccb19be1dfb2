"""Ids and versions as numbers. As text an id takes 52 bytes and a version 16 or more, which is most of what
rows weigh; the number that its digits are takes 16, a version's 8. Whatever does not look as the service
writes it is kept as text, and stands as a number that no other has: nothing is cut off, and no two share a
number."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import polars as pl

from connectors.interface.id_numbers import ID, ODD, numbers_each, numbers_of, texts_of, without_odd

VERSION: Final = pl.UInt64
_GUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_LONGEST: Final = len('W/""') + 18  # of a version that is a number
_ODD_VERSIONS: Final = 2**63


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
        self._odd = _Odd(ODD, ID)

    @property
    def are_plain(self) -> bool:
        """Whether all were GUIDs in lower case."""
        return not self._odd.texts

    def packed(self, texts: pl.Series) -> pl.Series:
        """Return the number of each id, the same for the same and for no other; null where there is none. One
        that is a number already is its own."""
        if texts.dtype == ID:
            return texts
        if (alike := numbers_of(texts)) is not None:
            return alike
        text = pl.col("id").str
        plain = pl.when(text.contains(_GUID)).then(text.replace_all("-", "", literal=True))
        numbers = texts.alias("id").to_frame().select(plain.str.to_integer(base=16, dtype=ID)).to_series()
        return self._odd.with_numbers(without_odd(numbers), texts)

    def asked(self, texts: pl.Series) -> pl.Series:
        """Return the number of each id that is looked for, at less cost: a GUID is its digits, however it is
        written. One that no row can have may be null."""
        if texts.dtype == ID:
            return texts
        numbers = numbers_each(texts)
        return self._odd.with_known(numbers, texts) if self._odd.texts else numbers

    def texts(self, numbers: pl.Series) -> pl.Series:
        """Return the id of each number."""
        return self._odd.with_texts(texts_of(numbers), numbers)


class Versions:
    """Versions as numbers of 8 bytes; none, where nobody writes a row, is 0."""

    def __init__(self) -> None:
        self._odd = _Odd(_ODD_VERSIONS, VERSION)

    def packed(self, texts: pl.Series) -> pl.Series:
        """Return the number of each version, the same for the same; null where there is none."""
        numbers = texts.alias("etag").to_frame().select(_number_of_version()).to_series()
        return self._odd.with_numbers(numbers, texts)

    def texts(self, numbers: pl.Series) -> pl.Series:
        """Return the version of each number."""
        version = pl.col("etag")
        told = pl.when(version == 0).then(pl.lit("")).otherwise('W/"' + version.cast(pl.String) + '"')
        return self._odd.with_texts(numbers.alias("etag").to_frame().select(told.alias("etag")).to_series(), numbers)


@cache
def _number_of_version() -> pl.Expr:
    """The number of a version as the service writes it, in decimal digits, and 0 of none; else null. A
    pattern takes half as long again."""
    etag = pl.col("etag").str
    is_usual = etag.starts_with('W/"') & etag.ends_with('"') & (etag.len_bytes() <= _LONGEST)
    is_usual &= ~etag.starts_with('W/"0') & ~etag.starts_with('W/"+')
    number = etag.slice(3).str.head(-1).str.to_integer(dtype=VERSION, strict=False)
    return pl.when(is_usual).then(number).when(pl.col("etag") == "").then(pl.lit(0, VERSION)).alias("etag")
