"""One page of rows: what it says column by column, given as records or as a frame."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from connectors.interface.columns import frame_of_values
from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)


class Values:
    """What some rows say, by field: a list with the value of each row, in their order. It is taken off the
    rows when it is first asked for; what it is replaced with goes into the rows only where they are asked
    for, so that who wants columns does not pay for records. `ids` are the fields that are ids of rows."""

    def __init__(self, rows: list[Any], ids: Collection[str] = ()) -> None:
        self._rows, self._ids = rows, ids
        self._of: dict[str, list[Any]] = {}
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> list[Any]:
        found = self._of.get(name)
        if found is None:
            found = self._of[name] = list(map(attrgetter(name), self._rows))
            if name in self._ids:
                self[name] = lowered(found)
        return self._of[name]

    def __setitem__(self, name: str, values: list[Any]) -> None:
        if values is not self._of.get(name):
            self._of[name] = values
            self._changed.add(name)

    def rows(self) -> list[Any]:
        """Return the rows, with all that was replaced."""
        for name in self._ids:
            self[name]
        for name in self._changed:
            for row, value in zip(self._rows, self._of[name], strict=True):
                setattr(row, name, value)
        self._changed.clear()
        return self._rows

    def only(self, kept: Sequence[bool]) -> Values:
        """Return those of the rows that are kept."""
        return Values(list(compress(self.rows(), kept)))


def lowered(ids: list[str | None]) -> list[str | None]:
    """Return ids in lower case and without braces, since they are compared as text all over the product. The
    service writes them so; one look at all of them makes sure."""
    text = "".join(filter(None, ids))
    if "{" not in text and text == text.lower():
        return ids
    return [row if row is None else row.strip("{}").lower() for row in ids]


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page: its values and the ids of its rows, the link to the next, the CRM's own count and the delta
    link if requested, and the bytes it came in."""

    values: Values = field(repr=False)
    ids: set[str] = field(repr=False)
    next_link: str | None
    count: int | None
    body: bytes = field(repr=False)
    delta_link: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def rows(self) -> list[R]:
        """Its records."""
        return cast("list[R]", self.values.rows())

    def frame(self, record: type[Record], fields: Sequence[str]) -> pl.DataFrame:
        """Return its rows as a frame of the types of `column_types`."""
        return frame_of_values(record, fields, self.values.__getitem__)

    def raw_array(self) -> bytes:
        """Return the JSON of all rows."""
        return bytes(msgspec.json.decode(self.body, type=_RawArray).value)

    def raw_rows(self) -> list[bytes]:
        """Return the JSON of each row, in their order."""
        return list(map(bytes, msgspec.json.decode(self.body, type=_RawPage).value))

    def without(self, ids: Collection[str]) -> Page[R] | None:
        """Return the page without these rows; None if no row remains."""
        kept = [row not in ids for row in self.values["id"]]
        if not any(kept):
            return None
        values = self.values.only(kept)
        body = b'{"value":[' + b",".join(compress(self.raw_rows(), kept)) + b"]}"
        return Page(values, set(values["id"]), self.next_link, self.count, body, self.delta_link)


class FramedPage:
    """A page of which its frame alone is kept."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __len__(self) -> int:
        return int(self._frame.height)

    @property
    def ids(self) -> set[str]:
        """The ids of its rows."""
        return set(self._frame["id"])

    def frame(self, record: type[Record], fields: Sequence[str]) -> pl.DataFrame:
        """Return its rows, in the columns of `column_types` that it was made with."""
        return self._frame


class _RawArray(msgspec.Struct):
    value: msgspec.Raw


class _RawPage(msgspec.Struct):
    value: list[msgspec.Raw]
