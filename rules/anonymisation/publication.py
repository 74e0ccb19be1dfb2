"""What may be published of the statistics: tables in which no count below 5 can be read or computed (ERA-10,
ERA-11).

The tables are fixed: a category and a year are combined with one more dimension, never with two. So category
never meets age and sex together, at any level (ERA-11). Of rows with equal year and category every table of
one more dimension has the same total, which the first table shows; no other number links two tables. That is
why each line of a table can be checked by itself.

In a line, counts below 5 are masked. Where the total would then reveal a masked cell, the smallest of the
other cells is suppressed too, then the next. A line of which even that does not help is withheld whole.
Totals over lines are shown only where nothing below them is masked. What nobody was counted in is not a cell.

Source: ERA-10, ERA-11; policy 7.3."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from rules.anonymisation.statistics import TOTAL_KEYS
from rules.model.records import Statistic

SMALL = 5  # ERA-10: counts below are not published
BELOW = "< 5"
SUPPRESSED = "x"
ALL = "total"
UNKNOWN = "unknown"
DIMENSIONS = ("province", "age_band", "sex", "outcome", "channel", "reporter_kind", "duration_band", "fiches_band")
CATEGORIES, MISSIONS = "category", "mission"


class Shown(StrEnum):
    """What a cell shows: its count, that it is below 5, or nothing, as another could be computed from it."""

    COUNT = "count"
    BELOW = "below"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: year and category (or mission) as text, the value of the table's dimension (empty in a table
    without one). `count` is 0 unless it is shown."""

    year: str
    category: str
    value: str
    shown: Shown
    count: int = 0

    @property
    def text(self) -> str:
        """What is printed."""
        return {Shown.COUNT: str(self.count), Shown.BELOW: BELOW, Shown.SUPPRESSED: SUPPRESSED}[self.shown]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table: its cells by year, category and value, then its totals; `withheld` are the lines (year,
    category) left out whole."""

    name: str
    cells: tuple[Cell, ...]
    totals: tuple[Cell, ...]
    withheld: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Line:
    """An unfinished line: the counts, and which are masked or suppressed."""

    counts: Mapping[str, int]
    below: set[str]
    suppressed: set[str] = field(default_factory=set)


def publish(rows: Iterable[Statistic]) -> tuple[PublishedTable, ...]:
    """Return the tables that are published of all rows of the statistics, in their order. Rows of totals make
    the table of missions."""
    lines: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    missions: Counter[tuple[str, str]] = Counter()
    by_dimension: dict[str, defaultdict[tuple[str, str], Counter[str]]] = {name: defaultdict(Counter) for name in DIMENSIONS}
    names = {key: mission.value for mission, key in TOTAL_KEYS.items()}
    for row in rows:
        year, number = str(row.year) if row.year is not None else UNKNOWN, row.count if row.count is not None else 1
        if number < 1:
            continue
        if row.category in names:
            missions[year, names[row.category]] += number
            continue
        category = row.category or UNKNOWN
        lines[year, category][""] += number
        for name, counted in by_dimension.items():
            counted[year, category][getattr(row, name) or UNKNOWN] += number
    whole = {line: counts[""] for line, counts in lines.items()}
    tables = [_plain_table(CATEGORIES, whole)]
    tables += [_table_of(name, by_dimension[name], whole) for name in DIMENSIONS]
    return (*tables, _plain_table(MISSIONS, missions))


def show_line(counts: Mapping[str, int], total: int) -> dict[str, Shown] | None:
    """Return what the cells of one line show; None where the line is withheld. Everybody knows its total
    where it is 5 or more. `counts` are the cells in which somebody was counted, and add up to `total`."""
    if total < SMALL:
        return None
    line = _Line(counts, below={value for value, number in counts.items() if number < SMALL})
    while not is_safe(line.counts, line.below, line.suppressed, total):
        rest = [value for value in counts if value not in line.below and value not in line.suppressed]
        if not rest:
            return None
        line.suppressed.add(min(rest, key=lambda value: (counts[value], value)))
    return {
        value: Shown.BELOW if value in line.below else Shown.SUPPRESSED if value in line.suppressed else Shown.COUNT for value in counts
    }


def is_safe(counts: Mapping[str, int], below: set[str], suppressed: set[str], total: int) -> bool:
    """Return whether each hidden cell of a line can have at least two counts, for somebody who knows the
    total, what is shown, and these rules. A masked cell is 1 to 4. A suppressed one is 5 or more, and no more
    than the smallest that is still shown."""
    shown = [number for value, number in counts.items() if value not in below and value not in suppressed]
    rest = total - sum(shown)
    bounds = [(1, SMALL - 1)] * len(below) + [(SMALL, min(shown, default=rest))] * len(suppressed)
    least, most = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    return all(min(high, rest - (least - low)) > max(low, rest - (most - high)) for low, high in bounds)


def _plain_table(name: str, counts: Mapping[tuple[str, str], int]) -> PublishedTable:
    """Return a table of year and category, or of year and mission: its cells are totals of the others."""
    cells = tuple(_cell(year, category, number) for (year, category), number in sorted(counts.items()))
    return PublishedTable(name, cells, _totals(cells, ()))


def _table_of(name: str, lines: Mapping[tuple[str, str], Mapping[str, int]], whole: Mapping[tuple[str, str], int]) -> PublishedTable:
    cells: list[Cell] = []
    withheld: list[tuple[str, str]] = []
    for (year, category), counts in sorted(lines.items()):
        shown = show_line(counts, whole[year, category])
        if shown is None:
            withheld.append((year, category))
            continue
        for value, number in sorted(counts.items()):
            cells.append(Cell(year, category, value, shown[value], number if shown[value] is Shown.COUNT else 0))
    return PublishedTable(name, tuple(cells), _totals(cells, withheld), tuple(withheld))


def _cell(year: str, category: str, number: int) -> Cell:
    return Cell(year, category, "", Shown.BELOW) if number < SMALL else Cell(year, category, "", Shown.COUNT, number)


def _totals(cells: Sequence[Cell], withheld: Iterable[tuple[str, str]]) -> tuple[Cell, ...]:
    """Return totals over all categories of a year, over all years of a category, and over both, value by
    value. Each is shown only where every cell below it is, and nothing of it is withheld: so it reveals
    nothing that could not be added up."""
    sums: Counter[tuple[str, str, str]] = Counter()
    hidden: set[tuple[str, str, str]] = set()
    values = {cell.value for cell in cells}
    for cell in cells:
        for place in _above(cell.year, cell.category, cell.value):
            sums[place] += cell.count
            if cell.shown is not Shown.COUNT:
                hidden.add(place)
    for year, category in withheld:
        hidden.update(place for value in values for place in _above(year, category, value))
    places = sorted(sums.keys() | {place for place in hidden if place in sums})
    return tuple(Cell(*place, Shown.SUPPRESSED) if place in hidden else Cell(*place, Shown.COUNT, sums[place]) for place in places)


def _above(year: str, category: str, value: str) -> tuple[tuple[str, str, str], ...]:
    return ((year, ALL, value), (ALL, category, value), (ALL, ALL, value))


LEGEND: Mapping[str, str] = MappingProxyType(
    {BELOW: "fewer than 5, and at least 1 (ERA-10)", SUPPRESSED: "not published: a count below 5 could be computed from it (ERA-10)"}
)
