"""Two plans, line by line: what one has that the other has not, and what became different."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from jobs.model.plan import PlanLine
from jobs.plans.lines.columns import AT_ONCE, LineColumns
from jobs.plans.lines.view import LinesView

if TYPE_CHECKING:
    import polars as pl

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
OF_SHAPE: Final = ("table", "outcome", "disposition", "reason", "reasons", "flags", "categories", "rule", "anchor")
OF_LINE: Final = ("retention_end", "anchor_on")
COMPARED: Final = ("outcome", "disposition", "retention_end", "reason", "reasons", "flags", "categories", "rule", "anchor", "anchor_on")


class Change(msgspec.Struct, frozen=True, gc=False):
    """One unit that only one of two plans has, or of which they do not say the same; `differs` are the
    columns in which, in the order of the plan file."""

    table: str
    id: str
    change: str
    before: PlanLine | None
    after: PlanLine | None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many units are in `after` alone, in `before` alone, in both with a difference, and in both without
    one."""

    before: LinesView
    after: LinesView
    added: int
    removed: int
    changed: int
    unchanged: int
    places: pl.DataFrame  # of each change, in order: its place in either plan

    def changes(self, change: str = "", *, offset: int = 0, limit: int | None = None) -> Iterator[Change]:
        """Yield each difference, by table and id: of one kind where `change` names it, and of those at most
        `limit` after the first `offset`."""
        places = self._of(change).slice(offset, limit)
        for at in range(0, places.height, AT_ONCE):
            part = places.slice(at, AT_ONCE)
            old = self.before.columns.lines(part["before"].drop_nulls())
            new = self.after.columns.lines(part["after"].drop_nulls())
            for was, now in part.iter_rows():
                yield _change(next(old) if was is not None else None, next(new) if now is not None else None)

    def _of(self, change: str) -> pl.DataFrame:
        import polars as pl

        is_old, is_new = pl.col("before").is_not_null(), pl.col("after").is_not_null()
        kinds = {ADDED: ~is_old, REMOVED: ~is_new, CHANGED: is_old & is_new}
        return self.places.filter(kinds[change]) if change else self.places


def compare(before: LinesView, after: LinesView) -> Comparison:
    """Compare what two plans say of each unit: what becomes of it, when, why and by which rule. A new version
    of the row in the CRM or of the schedule is no difference as long as it changes nothing of that."""
    import polars as pl

    tables = sorted({shape.table for view in (before, after) for shape in view.columns.shapes})
    codes: dict[object, int] = {table: number for number, table in enumerate(tables)}
    one, other = _differing(_side(before.columns, codes, "before"), _side(after.columns, codes, "after"))
    unit, said = ["table", "id"], ["says", *OF_LINE]
    equal = pl.lit(True)
    for name in said:
        equal = equal & pl.col(name).eq_missing(pl.col(f"{name}_after"))
    both = one.join(other, on=unit, how="full", coalesce=True, suffix="_after")
    found = both.filter(pl.col("before").is_null() | pl.col("after").is_null() | ~equal)
    added, removed = found["before"].null_count(), found["after"].null_count()
    changed = found.height - added - removed
    places = found.sort(unit).select("before", "after")
    return Comparison(before, after, added, removed, changed, len(before) - removed - changed, places)


def _differing(one: pl.DataFrame, other: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return of both sides the lines that the other side has not got, word by word. Nearly all are equal from
    one night to the next, and numbers are paired in half of the time that ids take. That two lines which
    differ have the same number of 64 bits happens in one of ten million comparisons of a million lines."""
    import polars as pl

    numbers = [side.select("id", "says", *OF_LINE).hash_rows() for side in (one, other)]
    both = pl.concat(numbers).sort(multithreaded=False)  # several threads take twice the processor time, and are hardly sooner
    is_alone = (both != both.shift()).fill_null(True) & (both != both.shift(-1)).fill_null(True)
    alone = both.filter(is_alone).implode()
    return one.filter(numbers[0].is_in(alone)), other.filter(numbers[1].is_in(alone))


def _side(columns: LineColumns, codes: dict[object, int], name: str) -> pl.DataFrame:
    """Return what is compared of each line, with its place. Tables have numbers in the order of their names;
    what shapes say, their table included, has equal numbers where it is equal."""
    import polars as pl

    def numbered(values: list[object]) -> pl.Series:
        return pl.Series([codes.setdefault(value, len(codes)) for value in values], dtype=pl.UInt32)[columns.frame["shape"]]

    says: list[object] = [tuple(getattr(shape, field) for field in OF_SHAPE) for shape in columns.shapes]
    return columns.frame.select("id", *OF_LINE).with_columns(
        numbered([shape.table for shape in columns.shapes]).alias("table"),
        numbered(says).alias("says"),
        pl.int_range(len(columns), dtype=pl.UInt32, eager=True).alias(name),
    )


def _change(before: PlanLine | None, after: PlanLine | None) -> Change:
    line = after if before is None else before
    assert line is not None  # a change is of a unit that one of the two has
    if before is None or after is None:
        return Change(line.table, line.id, ADDED if before is None else REMOVED, before, after)
    differs = tuple(name for name in COMPARED if getattr(before, name) != getattr(after, name))
    return Change(line.table, line.id, CHANGED, before, after, differs)
