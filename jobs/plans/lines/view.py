"""Filters, sorts and counts over the lines of one stored plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from jobs.ledger.plan_lines import checked
from jobs.model.plan import PlanLine
from jobs.plans.lines.columns import LineColumns
from jobs.plans.lines.query import FILTERS, Facets, LinePage, LineQuery, values_of

if TYPE_CHECKING:
    import polars as pl

    from jobs.model.plan import Plan
    from jobs.ports.store.store import Store

ORDERS_KEPT = 6
_LAST = 2**32 - 1  # comes after every rank: what has no value
_PLACE = 32  # bits of a sorting key for the place in the plan


class LinesView:
    """The lines of one plan, open for questions; it may be asked from several threads."""

    def __init__(self, plan: Plan, columns: LineColumns) -> None:
        import polars as pl

        self.plan, self.columns = plan, columns
        counted = columns.frame["shape"].value_counts()
        counts = dict(counted.iter_rows())
        self._counts = [int(counts.get(number, 0)) for number in range(len(columns.shapes))]
        self._values = [values_of(shape) for shape in columns.shapes]
        self._places = pl.int_range(len(columns), dtype=pl.UInt32, eager=True)
        self._orders: dict[tuple[str, bool], pl.Series] = {}

    @classmethod
    def of(cls, store: Store, plan: str) -> Self:
        """Open the lines of a stored plan. Raises UsageError: no such plan; LinesRemoved: they have expired;
        StoreAltered: the pages do not give the plan's digest (RET-17)."""
        head = store.plans.get(plan)
        pages = list(checked(head, store.plans.pages(plan)))  # before any is read: of damaged bytes polars may panic
        return cls(head, LineColumns.joined(map(LineColumns.read, pages)))

    def __len__(self) -> int:
        return len(self.columns)

    def page(self, query: LineQuery) -> LinePage:
        """Return one page of what matches, with the number of all that match and the counts for the
        filters."""
        has_id = self._with_id(query)
        counts = self._counts if has_id is None else self._counts_where(has_id)
        total, facets = self._counted(query, counts)
        places = self._matching(query, has_id).slice(query.offset, query.limit) if query.offset < total else self._places.clear()
        return LinePage(tuple(self.columns.lines(places)), total, facets)

    def by_table(self) -> dict[str, Counter[str]]:
        """Return how many units of each table are deleted, anonymised and kept, as `delete`,
        `anonymise` and `retain`."""
        found: dict[str, Counter[str]] = {}
        for shape, units in zip(self.columns.shapes, self._counts, strict=True):
            found.setdefault(shape.table, Counter())[(shape.disposition or "delete") if shape.is_disposal else "retain"] += units
        return found

    def lines(self, query: LineQuery) -> Iterator[PlanLine]:
        """Yield every line that matches, in the order of the query, whatever its offset and limit."""
        return self.columns.lines(self._matching(query, self._with_id(query)))

    def _matching(self, query: LineQuery, has_id: pl.Series | None) -> pl.Series:
        """Return the places in the plan of what matches, in order."""
        import polars as pl

        order = self._order(query.sort, query.descending)
        passing = [not self._failing(query, number) for number in range(len(self._values))]
        kept = has_id[order] if has_id is not None else None
        if not all(passing):
            of_shape = pl.Series(passing, dtype=pl.Boolean)[self.columns.frame["shape"][order]]
            kept = of_shape if kept is None else kept & of_shape
        return order if kept is None else order.filter(kept)

    def _failing(self, query: LineQuery, number: int) -> list[str]:
        """Return the filters that the lines of a shape do not pass."""
        values = self._values[number]
        return [name for name in FILTERS if (wanted := getattr(query, name)) is not None and wanted not in values[name]]

    def _counted(self, query: LineQuery, counts: list[int]) -> tuple[int, Facets]:
        total = 0
        found: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
        for number, count in enumerate(counts):
            if not count:
                continue
            failing = self._failing(query, number)
            if len(failing) > 1:
                continue
            if not failing:
                total += count
            for name in failing or FILTERS:
                for value in dict.fromkeys(self._values[number][name]):
                    found[name][value] += count
        return total, Facets(**{name: dict(sorted(each.items(), key=lambda item: (-item[1], item[0]))) for name, each in found.items()})

    def _with_id(self, query: LineQuery) -> pl.Series | None:
        """Return which lines have the wanted part in their id, in the order of the plan; None: all are
        wanted."""
        part = query.part_of_id
        return self.columns.frame["id"].str.contains(part, literal=True) if part else None

    def _counts_where(self, kept: pl.Series) -> list[int]:
        counts = dict(self.columns.frame["shape"].filter(kept).value_counts().iter_rows())
        return [int(counts.get(number, 0)) for number in range(len(self._counts))]

    def _order(self, sort: str, descending: bool) -> pl.Series:
        """Return the places of all lines in this order; equal ones keep the order of the plan."""
        if not sort:
            return self._places.reverse() if descending else self._places
        order = self._orders.get((sort, descending))
        if order is None:
            order = self._by_id(descending) if sort == "id" else self._by_rank(sort, descending)
            if len(self._orders) >= ORDERS_KEPT:
                self._orders.clear()
            self._orders[sort, descending] = order
        return order

    def _by_id(self, descending: bool) -> pl.Series:
        """Return the places of all lines in the order of their ids. Within a table they stand so already, and
        a few runs in order are put together sooner than numbers are made of the ids."""
        import polars as pl

        order: pl.Series = self.columns.frame.select(pl.arg_sort_by("id", descending=descending, maintain_order=True)).to_series()
        return order

    def _by_rank(self, sort: str, descending: bool) -> pl.Series:
        """Return the places of all lines in the order of what few values are; place and rank stand in one
        number."""
        import polars as pl

        key = (self._ranks(sort, descending).cast(pl.UInt64) * 2**_PLACE + self._places).sort()
        order: pl.Series = (key % 2**_PLACE).cast(pl.UInt32)
        return order

    def _ranks(self, sort: str, descending: bool) -> pl.Series:
        """Return a number for each line, smaller for what comes first."""
        import polars as pl

        frame = self.columns.frame
        if sort == "retention_end":
            ranks = frame["retention_end"].to_physical()
            first, last = ranks.min(), ranks.max()
            if first is None or last is None:
                return pl.repeat(_LAST, len(self), dtype=pl.Int64, eager=True)
            ranks = ranks.cast(pl.Int64)
            ranks = ranks * -1 + last if descending else ranks - first
            return ranks.fill_null(_LAST)
        values = [getattr(shape, sort) for shape in self.columns.shapes]
        known = sorted({value for value in values if value}, reverse=descending)
        rank = {value: number for number, value in enumerate(known)}
        return pl.Series([rank.get(value, _LAST) for value in values], dtype=pl.Int64)[frame["shape"]]
