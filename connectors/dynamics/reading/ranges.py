"""Where a table is cut into ranges that are read side by side, none with a row of another: found from the
values seen in one read, for the next. In between it is kept in memory/cuts.py.

A row's instant of creation never changes, so no row moves from one range to another while they are read, and
what is created meanwhile belongs to the last, which is open. `ge` and `lt` are documented for instants alone
(Microsoft Learn, "FetchXML operators"), so a table is cut by its key only where it has no such column, and
only in an order in which its own pages came. That each row lies in the range it was asked for is seen from
the row, never believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import polars as pl

CREATED_ON = "createdon"
RANGE_ROWS = 4_000  # aimed at: below 5,000, the CRM's own count proves a range
MOST_RANGES = 64  # where more would be needed, ranges are long and few: each may cost the CRM a look at the whole table
_NO_ID = "00000000-0000-0000-0000-000000000000"
SAMPLE = 1 << 14  # values by which a table is cut, however large it is
_EPOCH, _STEP = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)  # of the numbers of instants


class Order(StrEnum):
    """How values of the column compare."""

    INSTANT = "instant"
    TEXT = "text"  # ids by their letters
    SQL_SERVER = "sql server"  # ids as SQL Server compares them: by their last six bytes first


@dataclass(frozen=True, slots=True)
class Axis:
    """The column by which a table is cut, as a filter names it, and how its values compare."""

    column: str
    order: Order

    def place(self, value: Any) -> Any:
        """Return what a value compares by."""
        if self.order is not Order.SQL_SERVER:
            return value
        # Of the first three groups the bytes are stored the other way round.
        third, second, first = (value[at:end] for at, end in ((14, 18), (9, 13), (0, 8)))
        return f"{value[24:]}{value[19:23]}{third[2:]}{third[:2]}{second[2:]}{second[:2]}{first[6:]}{first[4:6]}{first[2:4]}{first[:2]}"

    def text(self, value: Any) -> str:
        """Return a value as a filter writes it, rounded down: an instant to its second, an id to what comes
        first in the order, so that what is kept is the id of no row."""
        if self.order is Order.INSTANT:
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"{value[:8]}{_NO_ID[8:]}" if self.order is Order.TEXT else f"{_NO_ID[:24]}{value[24:]}"

    def value(self, text: str) -> Any:
        """Return the value that a text means. Raises ValueError: none."""
        return datetime.fromisoformat(text) if self.order is Order.INSTANT else str(UUID(text))


@dataclass(frozen=True, slots=True)
class Range:
    """The rows from `low` on that come before `high`; without `low` also those without a value."""

    axis: Axis
    low: str | None
    high: str | None

    @property
    def condition(self) -> str:
        """The filter that names them."""
        column = self.axis.column
        parts = [f"{column} ge {self.low}"] if self.low is not None else []
        parts += [f"{column} lt {self.high}"] if self.high is not None else []
        is_first = self.low is None and self.axis.order is Order.INSTANT
        return f"{parts[0]} or {column} eq null" if is_first else " and ".join(parts)

    def holds(self, values: Sequence[Any] | pl.Series) -> bool:
        """Return whether rows with these values are all within."""
        there = _there(values)
        if len(there) < len(values) and self.low is not None:
            return False
        if not len(there):
            return True
        place = self.axis.place
        try:
            least, last = _ends(list(map(place, there)) if self.axis.order is Order.SQL_SERVER else there)
            low = place(self.axis.value(self.low)) if self.low is not None else least
            return bool(low <= least and (self.high is None or last < place(self.axis.value(self.high))))
        except TypeError:  # an instant without a zone, or a day
            return False


def _there(values: Sequence[Any] | pl.Series) -> list[Any] | pl.Series:
    """Return the values that are any."""
    if isinstance(values, list):
        return [value for value in values if value is not None]
    return values.drop_nulls() if values.null_count() else values  # type: ignore[union-attr,return-value]


def _ends(values: list[Any] | pl.Series) -> tuple[Any, Any]:
    return (min(values), max(values)) if isinstance(values, list) else (values.min(), values.max())


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a table is cut: ascending values of its axis, as filters write them."""

    axis: Axis
    points: tuple[str, ...]

    def ranges(self) -> list[Range]:
        """Return the ranges, which together are the table; the last, the open one, first: it has grown since
        the cut was found."""
        ends = (None, *self.points, None)
        return [Range(self.axis, low, high) for low, high in pairwise(ends)][::-1]

    @property
    def nothing(self) -> str:
        """A filter that no row meets; a service that leaves filters out answers with rows."""
        middle = self.points[len(self.points) // 2]
        return f"{self.axis.column} ge {middle} and {self.axis.column} lt {middle}"


class Sample:
    """What is seen of one table's values as it is read, by which it will be cut the next time."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        """Create it; `axes` are those that may turn out to be right: of a key, whose order only pages tell,
        one for each order."""
        self._axes = list(axes)
        self._kept: list[Any] = []
        self._rows, self._stride = 0, 1

    def see(self, values: Sequence[Any] | pl.Series) -> None:
        """Take note of the values of a page, in its order."""
        there = _there(values)
        self._axes = [axis for axis in self._axes if _fits(axis, there)]
        if not self._axes:
            return
        self._kept += _plain(there, self._axes[0].order)[-self._rows % self._stride :: self._stride]
        self._rows += len(there)
        while len(self._kept) > SAMPLE:
            del self._kept[1::2]
            self._stride *= 2

    def doubt(self) -> None:
        """Take note that pages are counted here instead of rows named, so that a row is missed when one
        before it is deleted: the fewer pages a table is read in, the better."""
        self._axes = []

    def cut(self, at_once: int) -> Cut | None:
        """Return where to cut for so many reads at once; None: it is best read as one."""
        number = -(-self._rows // RANGE_ROWS)
        number = number if number <= MOST_RANGES else at_once
        if not self._axes or number < 2:
            return None
        axis = self._axes[0]
        ordered = sorted(self._kept, key=axis.place)
        first, *others = (ordered[len(ordered) * each // number] for each in range(number))
        points = dict.fromkeys(_text(axis, value) for value in others)
        points.pop(_text(axis, first), None)
        return Cut(axis, tuple(points)) if points else None


def _plain(values: list[Any] | pl.Series, order: Order) -> list[Any]:
    """Return values as they are kept: instants as numbers, which are made of columns many times as fast."""
    if isinstance(values, list):
        return [(value - _EPOCH) // _STEP for value in values] if order is Order.INSTANT else values
    import polars as pl

    return values.cast(pl.Int64).to_list()


def _text(axis: Axis, kept: Any) -> str:
    return axis.text(_EPOCH + kept * _STEP if axis.order is Order.INSTANT else kept)


def _fits(axis: Axis, values: list[Any] | pl.Series) -> bool:
    """Return whether values can be of this axis: instants with a zone, or ids that ascend."""
    if axis.order is Order.INSTANT:
        if not isinstance(values, list):
            return getattr(values.dtype, "time_zone", None) is not None
        return all(isinstance(value, datetime) and value.tzinfo is not None for value in values)
    if axis.order is Order.TEXT and not isinstance(values, list):
        return bool(values.is_sorted())
    places = list(map(axis.place, values))
    return places == sorted(places)
