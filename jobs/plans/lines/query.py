"""What is asked of the lines of a plan, and the answer: one page of lines with totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from jobs.model.plan import PlanLine
from rules.errors import UsageError

FILTERS: Final = ("outcome", "disposition", "reason", "category", "flag", "table")
SORTS: Final = ("", "table", "id", "outcome", "disposition", "retention_end", "reason", "categories", "flags", "rule")
MOST_LINES: Final = 1_000  # of one page


class LineQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines, in which order, and which part of them. A filter that is None lets every line pass;
    `category` and `disposition` "" mean lines that have none. `reason` is the deciding one; `id` is a part of
    an id, in any case. `sort` is a column of the plan file, "" the order of the plan; what has no value there
    comes last, whichever the direction, and what is equal stays in the order of the plan. Raises UsageError:
    an unknown column, a part that is none."""

    outcome: str | None = None
    disposition: str | None = None
    reason: str | None = None
    category: str | None = None
    flag: str | None = None
    table: str | None = None
    id: str = ""
    sort: str = ""
    descending: bool = False
    offset: int = 0
    limit: int = 50

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise UsageError("lines cannot be sorted by that", hint=f"one of: {', '.join(filter(None, SORTS))}", where=self.sort[:40])
        if not (self.offset >= 0 and 1 <= self.limit <= MOST_LINES):
            raise UsageError(f"a page has 1 to {MOST_LINES} lines and begins at 0 or later", where="offset, limit")

    @property
    def part_of_id(self) -> str:
        """The part as ids are written: lower case, no braces."""
        return self.id.strip().strip("{}").lower()


class Facets(msgspec.Struct, frozen=True):
    """How many lines there are of each value of a filter, the other filters in force, its own not: what a
    person would see who chose that value instead. A line of several categories or flags counts in each; ""
    are those without. The most frequent comes first."""

    outcome: dict[str, int]
    disposition: dict[str, int]
    reason: dict[str, int]
    category: dict[str, int]
    flag: dict[str, int]
    table: dict[str, int]


class LinePage(msgspec.Struct, frozen=True):
    """Some lines, how many match, and the counts for the filters."""

    lines: tuple[PlanLine, ...]
    total: int
    facets: Facets

    def next_offset(self, query: LineQuery) -> int | None:
        """Return where the page after this one begins; None after the last."""
        after = query.offset + len(self.lines)
        return after if self.lines and after < self.total else None


def values_of(line: PlanLine) -> Mapping[str, Sequence[str]]:
    """Return what each filter compares with; "" where a line has no such value."""
    return {
        "outcome": (line.outcome,),
        "disposition": (line.disposition or "",),
        "reason": (line.reason,),
        "category": line.categories or ("",),
        "flag": line.flags or ("",),
        "table": (line.table,),
    }
