"""What one page of rows says, column by column, given as records or as a frame. Pages are followed to the end
of a table in reader.py, and decoded in decoder.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from connectors.interface.columns import NO_ID, column_types, frame_of_values, values_of
from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

    from connectors.dynamics.reading.column_steps import Step
    from connectors.dynamics.reading.columns import Held

R = TypeVar("R", bound=Record)
ID_LENGTH = 36  # of a GUID as text
_END = "\n"  # of an id that is looked at with others


class PageLike(Protocol):
    """Some rows of a table, whatever holds them."""

    @property
    def values(self) -> Any:
        """What they say, by field (`Values`)."""

    @property
    def ids(self) -> set[str]:
        """Their ids."""


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
                self[name] = lowered_lines(found)[0]
        return self._of[name]

    def __setitem__(self, name: str, values: list[Any]) -> None:
        if values is not self._of.get(name):
            self._of[name] = values
            self._changed.add(name)

    def held(self, name: str) -> list[Any]:
        """Return what is held of a field."""
        return self[name]

    def take(self, step: Step) -> None:
        """Take a step over all rows. Raises as it."""
        self[step.target] = step.fill(*[self[name] for name in step.sources])

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


def lowered_lines(ids: list[str | None]) -> tuple[list[str | None], str, int]:
    """Return ids in lower case and without braces, since they are compared as text all over the product; the
    same as lines of one text, with `NO_ID` where there is none; and how many there are of these. The service
    writes them so; one look at all of them makes sure. Raises ValueError: one is not an id, as a text of
    another length than theirs is none."""
    text, missing = _joined(ids)
    if "{" in text or text != text.lower():
        ids = [row if row is None else row.strip("{}").lower() for row in ids]
        text, missing = _joined(ids)
    if not _have_one_length(text, len(ids)):
        raise ValueError("an id that is none")
    return ids, text, missing


def numbers_at_once(ids: Mapping[str, list[str | None]]) -> dict[str, pl.Series]:
    """Return the numbers of ids, by the columns that they are in, which are of one height: what is asked of
    polars costs as much for one column as for all. Empty where one is not a GUID, in either case; what they
    are is then for `lowered_lines` to say."""
    from connectors.interface.id_numbers import digits_in, numbers_of_digits

    height, missing = len(next(iter(ids.values()), ())), 0
    found: list[bytes] = []
    for values in ids.values():  # one after the other: as a text they take more than twice as much
        text, lacking = _joined(values)
        digits = digits_in(text, height)
        if digits is None:
            return {}
        found.append(digits)
        missing += lacking
    numbers = numbers_of_digits("", b"".join(found), missing) if found else None
    if numbers is None:
        return {}
    return {name: numbers.slice(place * height, height).alias(name) for place, name in enumerate(ids)}


def _joined(ids: list[str | None]) -> tuple[str, int]:
    try:
        return _END.join(ids), 0  # type: ignore[arg-type]  # the usual case, and the fastest way to see whether it is
    except TypeError:
        return _END.join([NO_ID if row is None else row for row in ids]), ids.count(None)


def _have_one_length(text: str, number: int) -> bool:
    """Return whether as many ids are joined as there should be, each as long as an id is."""
    ends = number - 1
    is_long_enough = len(text) == ID_LENGTH * number + ends and text.count(_END) == ends
    return not number or (is_long_enough and text[ID_LENGTH :: ID_LENGTH + 1] == _END * ends)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page: its values, of rows or of a frame, the link to the next, the CRM's own count and the delta
    link if requested, and of the last page the bytes it came in."""

    values: Values | FramedValues = field(repr=False)
    next_link: str | None
    count: int | None
    body: bytes = field(repr=False)
    delta_link: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def ids(self) -> set[str]:
        """The ids of its rows."""
        return set(self.values["id"])

    @property
    def rows(self) -> list[R]:
        """Its records; of a frame none are made."""
        assert isinstance(self.values, Values)
        return cast("list[R]", self.values.rows())

    def without(self, ids: Collection[str]) -> Page[R] | None:
        """Return the page without these rows; None if no row remains."""
        if self.ids <= set(ids):
            return None
        values = self.values.only([row not in ids for row in self.values["id"]])
        return Page(values, self.next_link, self.count, b"", self.delta_link)


def are_repeated(*pages: Page[Any]) -> bool:
    """Return whether any row comes twice in these pages."""
    held = [page.values.held("id") for page in pages]
    columns = [each for each in held if not isinstance(each, list)]
    if len(columns) < len(held):
        return len(set().union(*held)) < sum(map(len, held))
    import polars as pl

    if len({each.dtype for each in columns}) > 1:
        return len(set().union(*(page.values["id"] for page in pages))) < sum(map(len, held))
    every = pl.concat(columns)
    return every.n_unique() < len(every)


class FramedValues:
    """What some rows say, by field, as `Values` does, of rows that are a frame already."""

    def __init__(self, record: type[Record], frame: pl.DataFrame) -> None:
        self._record, self._frame = record, frame
        self._changed: dict[str, Held] = {}

    def __len__(self) -> int:
        return int(self._frame.height)

    def __getitem__(self, name: str) -> list[Any]:
        held = self.held(name)
        return held if isinstance(held, list) else values_of(self._record, held)

    def __setitem__(self, name: str, values: Held) -> None:
        self._changed[name] = values

    def held(self, name: str) -> Held:
        """Return what is held of a field: its values, or a column that says the same."""
        return self._changed[name] if name in self._changed else self._frame[name]

    @property
    def given(self) -> pl.DataFrame:
        """The frame, without what was replaced."""
        return self._frame

    def only(self, kept: Sequence[bool]) -> FramedValues:
        """Return those of the rows that are kept."""
        found = FramedValues(self._record, self._frame.filter(list(kept)))
        for name in self._changed:
            found._changed[name] = list(compress(self[name], kept))
        return found

    def frame(self, fields: Sequence[str]) -> pl.DataFrame:
        """Return the rows in the columns of `column_types`."""
        changed = [name for name in fields if name in self._changed]
        found = self._frame.with_columns(frame_of_values(self._record, changed, self.held)) if changed else self._frame
        wanted = list(column_types(self._record, fields))
        return found if found.columns == wanted else found[wanted]


@dataclass(frozen=True, slots=True)
class FramedPage:
    """Rows of whole tables, of which no record was made."""

    values: FramedValues = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def ids(self) -> set[str]:
        """The ids of its rows."""
        return set(self.values["id"])

    def frame(self, _: type[Record], fields: Sequence[str]) -> pl.DataFrame:
        """Return its rows in the columns of `column_types`."""
        return self.values.frame(fields)
