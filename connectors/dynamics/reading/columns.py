"""What rows of whole tables say, by field, before they become a frame: of each field the list of its values,
or a column where all of them are worked out at once. No record is made of any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cache
from keyword import iskeyword
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from connectors.dynamics.reading.column_steps import Step

    Held = list[Any] | pl.Series


class Columns:
    """What some rows say, by field, as `Values` does. `columns` say the same as `lists` where there are both;
    `defaults` is what rows say that was not read."""

    def __init__(self, height: int, lists: Mapping[str, list[Any]], columns: Mapping[str, Held], defaults: Mapping[str, Any]) -> None:
        self._height, self._held, self._defaults = height, {**lists, **columns}, defaults
        self._lists = {name: lists[name] for name in columns if name in lists}

    def __len__(self) -> int:
        return self._height

    def __getitem__(self, name: str) -> list[Any]:
        held = self.held(name)
        if isinstance(held, list):
            return held
        if name not in self._lists:
            self._lists[name] = _values(held)
        return self._lists[name]

    def __setitem__(self, name: str, values: Held) -> None:
        self._lists.pop(name, None)
        self._held[name] = values

    def held(self, name: str) -> Held:
        """Return what is held of a field: its values, or a column that says the same."""
        if name not in self._held:
            self._held[name] = [self._defaults[name]] * self._height
        return self._held[name]

    def take(self, step: Step) -> None:
        """Take a step over all rows, column by column where it can. Raises as it."""
        held = [self.held(name) for name in step.sources]
        if step.column is not None and not any(isinstance(each, list) for each in held):
            self[step.target] = step.column(*held)
        else:
            self[step.target] = step.fill(*[self[name] for name in step.sources])


def _values(column: pl.Series) -> list[Any]:
    """Return the values of a column; an instant is of UTC as the decoder of pages writes it."""
    import polars as pl

    if isinstance(column.dtype, pl.Datetime):
        return [None if at is None else at.replace(tzinfo=UTC) for at in column.dt.replace_time_zone(None).to_list()]
    return list(column.to_list())


def column_of(name: str, values: list[Any], kind: pl.DataType) -> pl.Series:
    """Return texts, truths or numbers as a column. Where all are None, as often in a CRM, it is made in a
    fraction of the time that polars takes to find that out."""
    import polars as pl

    if values[:1] == [None] and not any(values) and values.count(None) == len(values):
        return pl.Series(name, [None], dtype=kind).new_from_index(0, len(values))
    return pl.Series(name, values, dtype=kind.base_type())  # whose objects polars compares at twice the cost


@cache
def take_off(name: str) -> Callable[[list[Any]], list[Any]]:
    """Return what gives one attribute of each of some objects; made for this name alone it takes half as long
    as `operator.attrgetter`, which a word of Python is left to (a column may be called `from`). Raises
    ValueError: it is not a name."""
    if not name.isidentifier():
        raise ValueError(name)
    if iskeyword(name):
        return lambda rows: list(map(attrgetter(name), rows))
    made: Callable[[list[Any]], list[Any]] = eval(f"lambda rows: [row.{name} for row in rows]")
    return made
