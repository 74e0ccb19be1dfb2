"""Chance, days and rows: what every part of the fictitious organisation draws from."""

import random
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

Row = dict[str, Any]
TableRow = tuple[str, Row]
T = TypeVar("T")

_KEYS = {
    "account": "accountid",
    "contact": "contactid",
    "annotation": "annotationid",
    "phonecall": "activityid",
    "email": "activityid",
    "activityparty": "activitypartyid",
}


class Draw:
    """One source of chance: the same seed gives the same ids, days and choices on every machine."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def id(self) -> str:
        """Return a version 4 GUID in lower case."""
        digits = f"{self._random.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random.random() * len(options))]

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        return self._random.choices(options, weights)[0]

    def number(self, low: int, high: int) -> int:
        """Return any whole number from `low` to `high`, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def waiting_days(self, mean: float) -> int:
        """Return the days between two events of a running organisation: mostly few, sometimes many."""
        return int(self._random.expovariate(1 / mean))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self._random.sample(items, len(items))

    def day(self, first: date, last: date) -> date:
        """Return any day from `first` to `last`; `first` when they are in the wrong order."""
        return first + timedelta(days=self.number(0, max(0, (last - first).days)))

    def moment(self, day: date) -> str:
        """Return an instant whose civil date is `day` both in UTC and in Brussels, summer and winter."""
        return f"{day.isoformat()}T{self.number(6, 20):02}:{self.number(0, 59):02}:{self.number(0, 59):02}Z"


def add_months(day: date, months: int) -> date:
    """Return the same day number in another month, or the last day of that month where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def instant(day: date, clock: str) -> str:
    """Return `instant(day, "23:20:00")`: for the cases in which the hour matters."""
    return f"{day.isoformat()}T{clock}Z"


def table_row(table: str, row_id: str, created_at: str, *, inactive: bool = False, **columns: object) -> TableRow:
    """Return one row as the wire shows it: empty columns left out, dates as text, state always there."""
    row: Row = {
        _KEYS.get(table) or f"{table}id": row_id,
        "createdon": created_at,
        "statecode": int(inactive),
        "statuscode": 1 + int(inactive),
    }
    for name, value in columns.items():
        if value is not None:
            row[name] = value.isoformat() if isinstance(value, date) else value
    return table, row
