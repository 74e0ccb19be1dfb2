"""Another organisation's form of the same facts: its environment, its mapping, and how rows of the reference
environment read there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.forms.rows import PARTICIPANT, Row, Schema

DATA = Path(__file__).parents[1] / "data" / "forms"
REFERENCE = Schema(Path(__file__).parents[2] / "connectors" / "emulator" / "schema" / "environment.yaml")
BRUSSELS = ZoneInfo("Europe/Brussels")
LAST_YEAR = "9999-"  # of instants that stand for no day: they have no other zone

Change = Callable[[Any], Any] | Mapping[Any, Any]


@dataclass(frozen=True)
class Renamed:
    """A table of the reference environment under another name: its columns, and values that read otherwise
    there. A column that is not named is one in which the organisation records nothing."""

    name: str
    columns: Mapping[str, str]
    values: Mapping[str, Change] = field(default_factory=dict)

    def of(self, row: Row) -> Row:
        names = self.columns
        return row.where(
            table=self.name,
            values={names[column]: self._value(column, value) for column, value in row.values.items() if column in names},
            links={names[column]: link for column, link in row.links.items() if column in names},
            files={names[column]: content for column, content in row.files.items() if column in names},
        )

    def _value(self, column: str, value: Any) -> Any:
        change = self.values.get(column)
        return value if change is None else change(value) if callable(change) else change[value]


@dataclass(frozen=True)
class Form:
    """What an organisation records, and how. `translate` gives its rows for those of the reference
    environment; `narrow` leaves those facts that it has a place for."""

    name: str
    translate: Callable[[list[Row]], list[Row]]
    narrow: Callable[[list[Row]], list[Row]] | None = None
    unasked: frozenset[str] = frozenset()  # fields of yes and no that are told as no where nobody recorded an answer
    beside: frozenset[str] = frozenset()  # tables of which the platform adds rows beside ours
    told_elsewhere: frozenset[str] = frozenset()  # tables by whose names is told what stands in notes of the reference
    counts_less: bool = False  # its table of statistics has fewer columns, so that more rows of it are alike

    @property
    def schema(self) -> Schema:
        return Schema(DATA / self.name / "environment.yaml")

    @property
    def mapping(self) -> Path:
        return DATA / self.name / "mapping.yaml"


def same(*columns: str) -> dict[str, str]:
    """Columns that have the same name there."""
    return {column: column for column in columns}


def renamed(rows: Iterable[Row], tables: Mapping[str, Renamed]) -> list[Row]:
    """Rows whose tables have but another name."""
    made = [tables[row.table].of(row) for row in rows if row.table in tables]
    return [
        row.where(links={column: (tables[table].name if table in tables else table, to) for column, (table, to) in row.links.items()})
        for row in made
    ]


def narrowed(rows: Iterable[Row], tables: Mapping[str, Renamed], cut: Mapping[str, Change]) -> list[Row]:
    """Rows of the reference environment without what these tables have no place for, and without what hung on
    nothing else; `cut` shortens values by column."""
    kept = [row for row in rows if row.table in tables]
    there = {row.key for row in kept}
    found = []
    for row in kept:
        if any(link not in there for column, link in row.links.items() if column in tables[row.table].columns):
            continue
        names = tables[row.table].columns
        found.append(
            row.where(
                values={column: _cut(cut, column, value) for column, value in row.values.items() if column in names},
                links={column: link for column, link in row.links.items() if column in names},
                files={column: content for column, content in row.files.items() if column in names},
            )
        )
    there = {row.key for row in found}
    return [row for row in found if row.table != PARTICIPANT or row.links["activityid"] in there]


def _cut(cut: Mapping[str, Change], column: str, value: Any) -> Any:
    change = cut.get(column)
    return value if change is None else change(value) if callable(change) else change[value]


def local(instant: str) -> datetime | None:
    """What a clock in Brussels showed; None for an instant that stands for no day."""
    if instant.startswith(LAST_YEAR):
        return None
    return datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(BRUSSELS)


def day(instant: str) -> str:
    """The Brussels day of an instant."""
    at = local(instant)
    return at.date().isoformat() if at else instant[:10]


def wall(instant: str) -> str:
    """The same instant as a moment without a zone."""
    at = local(instant)
    return at.replace(tzinfo=None).isoformat() + "Z" if at else instant


def noon(of_day: str) -> str:
    """A day as the instant of its noon in Brussels."""
    at = datetime.fromisoformat(f"{of_day}T12:00:00").replace(tzinfo=BRUSSELS)
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
