"""The civil day that a date column means (DAT-01, DAT-08), at the speed of a nightly read of every row. For
records the decoder makes dates and instants itself, far faster than any table of texts that were seen before:
a page's instants are nearly all different, and such a table no longer fits the processor's caches. For frames
it leaves them texts, of which columns are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.dynamics.reading.columns import column_of
from rules.dates.periods import civil_date
from rules.decoders import converted

if TYPE_CHECKING:
    import polars as pl

_HOUR, _STEP = timedelta(hours=1), timedelta(microseconds=1)  # a column of instants counts the latter
_DAY = 24 * _HOUR // _STEP
_YEARS = range(1753, 2101)  # from the first day that the CRM can hold; time zones were made later, and rules of summer time end here


def wire_type(behaviour: str) -> Any:
    """Return what the decoder makes of a value: a day where the wire holds one, else an instant. Anything
    else refuses the page."""
    return date | None if behaviour == "date_only" else datetime | None


def civil_days(behaviour: str, zone: ZoneInfo) -> Callable[[list[datetime | None]], list[date | None]]:
    """Return what gives the days that instants mean. `user_local` gives the day it was in `zone`;
    `time_zone_independent` is taken literally, without its `Z`."""
    early, late = _hours_alike(zone)

    def literal(moments: list[datetime | None]) -> list[date | None]:
        return [None if moment is None else moment.date() for moment in moments]

    def local(moments: list[datetime | None]) -> list[date | None]:
        return [
            None if moment is None else (moment.date() if early <= moment.hour < late and moment.tzinfo is UTC else _day_in(zone, moment))
            for moment in moments
        ]

    return literal if behaviour == "time_zone_independent" else local


def civil_day_column(behaviour: str, zone: ZoneInfo) -> Callable[[pl.Series], pl.Series]:
    """Return what gives the same of a column of instants in UTC. Casts and comparisons are asked of the
    column itself, for an expression costs ten times as much before it has looked at a row."""
    early, late = _hours_alike(zone)
    first, last = early * _HOUR // _STEP, late * _HOUR // _STEP

    def literal(moments: pl.Series) -> pl.Series:
        import polars as pl

        return moments.cast(pl.Date)

    def local(moments: pl.Series) -> pl.Series:
        import polars as pl

        days, times = moments.cast(pl.Date), moments.cast(pl.Int64) % _DAY
        is_other = (times < first) | (times >= last)
        if not is_other.any():
            return days
        others = moments.filter(is_other)
        latest: Any = others.dt.year().max()
        if latest < _YEARS[-1]:
            others = others.dt.convert_time_zone(zone.key).dt.date()
        else:  # polars has no summer time from there on
            others = pl.Series([None if at is None else _day_in(zone, at.replace(tzinfo=UTC)) for at in others.to_list()], dtype=pl.Date)
        return days.scatter(is_other.arg_true(), others)

    return literal if behaviour == "time_zone_independent" else local


class DateTexts:
    """Makes columns of the dates of a page, which came as the texts that the wire has. Polars takes more than
    the decoder of records does (`10:00:60`, a space for a digit), so texts are compared, mark by mark, with
    how the service writes them; pages with others are left to that decoder."""

    def __init__(self, wanted: Mapping[str, tuple[type, str]], zone: ZoneInfo) -> None:
        """Create it for these fields, each with what the wire has of it, days or instants, and the behaviour
        by which an instant means a day; empty where it stays one."""
        self._wanted, self._zone = wanted, zone

    def columns(self, texts: Mapping[str, list[str | None]]) -> dict[str, list[Any] | pl.Series]:
        """Return what the texts of each field mean. Raises msgspec.ValidationError: one means nothing."""
        import polars as pl

        came = {name: column_of(name, texts[name], pl.String()) for name in self._wanted}
        none = [name for name, column in came.items() if column.null_count() == len(column)]
        found: dict[str, Any] = {name: came.pop(name).cast(pl.Date() if self._wanted[name][1] else self._form(name).dtype) for name in none}
        instants = self._read(came) if came else {}
        if instants is None:
            return self._decoded(texts)
        for name, column in instants.items():
            behaviour = self._wanted[name][1]
            found[name] = civil_day_column(behaviour, self._zone)(column) if behaviour else column
        return found

    def _read(self, texts: dict[str, pl.Series]) -> dict[str, pl.Series] | None:
        """Return what texts mean; None where one is written otherwise."""
        import polars as pl

        asked: list[pl.Expr] = []
        for name, column in texts.items():
            parsed, marks = self._parsed[name]
            low, high = self._form(name).templates(len(column) - column.null_count())
            asked += [parsed, marks.is_between(low, high).all(ignore_nulls=False).alias(f"{name} fits")]
        try:
            found = {column.name: column for column in pl.DataFrame(list(texts.values())).select_seq(asked)}
        except pl.exceptions.ShapeError:  # one is of another length
            return None
        for name, column in texts.items():
            made, first = found[name], self._form(name).first
            least: Any = made.cast(pl.Int64).min()
            if found[f"{name} fits"][0] is not True or made.null_count() > column.null_count() or least < first:
                return None
        return {name: found[name] for name in texts}

    def _form(self, name: str) -> _Form:
        return _forms()[self._wanted[name][0]]

    @cached_property
    def _parsed(self) -> dict[str, tuple[pl.Expr, pl.Expr]]:
        """What parses each column, and gives its marks."""
        import polars as pl

        found = {}
        for name in self._wanted:
            column, form = pl.col(name), self._form(name)
            marks = column.drop_nulls().cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, form.length)).explode()
            found[name] = column.str.strptime(form.dtype, form.text, strict=False, cache=False), marks
        return found

    def _decoded(self, texts: Mapping[str, list[str | None]]) -> dict[str, list[Any] | pl.Series]:
        found: dict[str, list[Any] | pl.Series] = {}
        for name, (kind, behaviour) in self._wanted.items():
            try:
                values = converted(texts[name], list[kind | None])  # type: ignore[valid-type]
            except msgspec.ValidationError:
                raise msgspec.ValidationError(f"no date at `$.{name}`") from None
            found[name] = civil_days(behaviour, self._zone)(values) if behaviour else values
        return found


class _Form:
    """How the service writes a day or an instant: `low` and `high` are the least and the greatest mark at
    each place, `first` is the number of the first that there is."""

    def __init__(self, dtype: pl.Date | pl.Datetime, text: str, low: str, high: str, first: int) -> None:
        self.dtype, self.text, self.first, self.length = dtype, text, first, len(low)
        self._low, self._high = low.encode(), high.encode()

    def templates(self, number: int) -> tuple[pl.Series, pl.Series]:
        """Return the marks of so many texts, at least and at most."""
        size = -(-number // _MANY) * _MANY
        return _template(self._low, size).head(number * self.length), _template(self._high, size).head(number * self.length)


_MANY = 5_000  # rows of a page


@lru_cache(maxsize=8)
def _template(marks: bytes, number: int) -> pl.Series:
    import polars as pl

    return pl.Series([marks * number]).bin.reinterpret(dtype=pl.Array(pl.UInt8, len(marks) * number)).explode()


@cache
def _forms() -> dict[type, _Form]:
    import polars as pl

    first = date.min - date(1970, 1, 1)
    day = _Form(pl.Date(), "%Y-%m-%d", "0000-00-00", "9999-19-39", first.days)
    at = _Form(pl.Datetime("us", "UTC"), "%Y-%m-%dT%H:%M:%SZ", "0000-00-00T00:00:00Z", "9999-19-39T29:59:59Z", first // _STEP)
    return {date: day, datetime: at}


def _day_in(zone: ZoneInfo, moment: datetime) -> date:
    """Return the day in a zone at an instant; one without a zone is UTC, as the service sends."""
    try:
        return civil_date(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC), zone)
    except OverflowError:  # the last evening of the calendar, a usual "never"
        return moment.date()


@lru_cache(maxsize=4)
def _hours_alike(zone: ZoneInfo) -> tuple[int, int]:
    """Return from which hour of UTC on, and before which, the day in a zone is always that of UTC. What its
    clocks ever were ahead or behind is looked up for each month, with an hour for what fell between."""
    moments = (datetime(year, month, 1, tzinfo=UTC).astimezone(zone) for year in _YEARS for month in range(1, 13))
    offsets = {moment.utcoffset() or timedelta() for moment in moments}
    ahead, behind = -(-max(offsets) // _HOUR), -(min(offsets) // _HOUR)
    return behind + 1 if behind > 0 else 0, 24 - max(ahead, 0) - 1
