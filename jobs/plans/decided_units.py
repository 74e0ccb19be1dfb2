"""What the law says of everything that was read, in columns: a row for each unit that has a line in a plan,
in the order of its lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import NamedTuple

import polars as pl

from connectors.interface.connector import Connector
from jobs.model.plan import Kind
from jobs.ports.workers import HERE, Workers
from jobs.reading.tables.names import Names, by_kind
from jobs.reading.tables.parts import rearrange, repeated
from jobs.reading.tables.table_facts import facts_of_tables, held_in_tables, owners_of_attachments
from jobs.reading.tables.whole_tables import WholeTables
from rules.holds.holds import Holds
from rules.holds.precedence import HOLD_REASONS
from rules.law.bits import bit, flags_in, reasons_in
from rules.law.codes import CODES, has, text
from rules.law.facts import ROW, Facts
from rules.law.hold_columns import HELD
from rules.law.kept_or_disposed import DELETE, KEEP
from rules.law.law import law
from rules.law.terms import Terms
from rules.model.decisions import Decision, Disposition, End, Flag, Reason
from rules.model.records import Record, UnitKind
from rules.policy.policy import Policy
from rules.retention.clocks import RECORDING
from rules.retention.compiled_schedule import schedule_of
from rules.retention.recording_owners import GOES_ALONG

Shape = tuple[UnitKind, str, Decision]
_SHAPE = (
    "kind", "source", "disposition", "reasons", "flags", "rule", "terms", "anchor", "legal_hold", "is_held",
)  # fmt: skip
_VERDICT = ("anchor", "along", "disposition", "reasons", "flags", "rule", "terms")
_PLACE = pl.int_range(pl.len(), dtype=ROW)
_LINES = 100_000  # units whose lines are made together
_LAST = date.max  # stands for the day of an end where only its being there counts
_CONVERSATIONS = (UnitKind.RECORDING, UnitKind.ATTACHMENT)


class DecidedPart(NamedTuple):
    """What becomes of some units: `units`, a row each, with the number of its shape among `shapes`; since
    when a review is `due`, of those of which it is; `terms` as in `Decisions`."""

    units: pl.DataFrame
    shapes: pl.DataFrame
    due: pl.DataFrame
    terms: tuple[Terms, ...]


@dataclass(frozen=True)
class Decided:
    """Units with what becomes of them, in the order of lines. `frame` has, for each: `row` of its facts, the
    number of its `shape`, `retention_end`, and `anchor_on` of the end that decides. Most units differ in
    these alone; what they have in common is a row of `shapes`: `kind`, `source`, the number of the table in
    `tables`, `disposition`, `reasons` and `flags` (`rules.law.codes`), `rule`, `terms`, the number in
    `terms`, the `anchor` of the end, `legal_hold`, `is_held`, and `along`: an attachment that goes with its
    dossier or lone fiche. `due_on` has since when a review is due, of those of which it is. What rows are
    called in the CRM `names` knows."""

    frame: pl.DataFrame
    shapes: pl.DataFrame
    due_on: pl.DataFrame
    terms: tuple[Terms, ...]
    tables: tuple[str, ...]
    names: Names

    @classmethod
    def of(
        cls,
        found: WholeTables,
        connector: Connector,
        policy: Policy,
        holds: Holds,
        day: date,
        workers: Workers = HERE,
        *,
        after: Callable[[], None] | None = None,
    ) -> Decided:
        """Decide over all units that were read, a part of them by each worker. `after` the law has seen them
        all, and before they are put in the order of lines, what nobody asks for any more may be forgotten."""
        held, numbers = held_in_tables(found, holds), dict[Terms, int]()
        units, shapes, due_on, height = list[pl.DataFrame](), list[pl.DataFrame](), list[pl.DataFrame](), 0
        for part in workers.each(decided_part, ((part, rows, policy, held, day) for part, rows in facts_of_tables(found))):
            known = pl.Series([numbers.setdefault(each, len(numbers)) for each in part.terms], dtype=pl.UInt32)
            units.append(part.units.with_columns(pl.col("shape") + height))
            shapes.append(part.shapes.with_columns(terms=known[part.shapes["terms"]]))
            due_on.append(part.due)
            height += part.shapes.height
        if after is not None:
            after()
        every, number = _numbered(pl.concat(shapes), _SHAPE)
        names = Names(found)
        rearrange(units, "row", lambda rows: _order_of_lines(rows, names))
        return cls(
            units[0].with_columns(shape=number[units[0]["shape"]]),
            every.with_columns(along=pl.lit(False)),
            pl.concat(due_on),
            tuple(numbers),
            tuple(_table_of(connector, source) for source in found.sources),
            names,
        )

    def column(self, name: str) -> pl.Series:
        """Return what units have of their shape."""
        return self.shapes[name][self.frame["shape"]]

    def told(self, *names: str) -> pl.DataFrame:
        """Return columns of units, their own or those of their shapes."""
        return pl.DataFrame([self.frame[name] if name in self.frame.columns else self.column(name) for name in names])

    def that(self, condition: pl.Expr) -> pl.Series:
        """Return of each unit whether its shape meets a condition."""
        return self.shapes.select(condition).to_series()[self.frame["shape"]]

    def lined(self, kind: Kind) -> Decided:
        """Return the units for which a plan of this kind has a line, in the order of its lines."""
        lines = self.that(pl.col("kind").is_in([each.value for each in kinds_of(kind)])).arg_true()  # all in one place
        return replace(self, frame=self.frame.slice(lines[0] if len(lines) else 0, len(lines)))

    def flagged(self, flag: Flag, rows: Collection[int]) -> Decided:
        """Return the same with a flag on the units of these rows."""
        if not len(rows):
            return self
        concerned = self.frame["row"].is_in(pl.Series(sorted(rows), dtype=ROW).implode()).arg_true()
        return self._reshaped(concerned, flags=pl.col("flags") | bit(flag))

    def with_owners(self, found: WholeTables, going: pl.Series) -> Decided:
        """Return the same with each audio attachment deleted along whose dossier or lone fiche goes, one of
        the rows `going`, though its own term still runs (RET-03, ACC-03). A hold on it keeps both."""
        pairs = owners_of_attachments(found)
        if not len(going) or pairs.is_empty():
            return self
        gone = self.frame.select(owner="row", owner_end="retention_end").filter(pl.col("owner").is_in(going.implode()))
        stays = self.that(
            (pl.col("kind") == UnitKind.ATTACHMENT.value) & (pl.col("disposition") == KEEP) & ~has(pl.col("reasons"), *HOLD_REASONS)
        )
        along = self.frame.select("row", place=_PLACE).filter(stays).join(pairs.join(gone, on="owner"), on="row")
        ends, anchors = (self.frame[name].clone() for name in ("retention_end", "anchor_on"))
        ends.scatter(along["place"], along["owner_end"])
        anchors.scatter(along["place"], None)
        return replace(self, frame=self.frame.with_columns(ends, anchors))._reshaped(
            along["place"],
            disposition=text(DELETE),
            reasons=pl.lit(bit(Reason.EXPIRED), CODES),
            rule=text(GOES_ALONG),
            anchor=text("owner"),
            along=pl.lit(True),
        )

    def _reshaped(self, places: pl.Series, **changes: pl.Expr) -> Decided:
        """Return the same with the shapes of the units at these places changed."""
        if not len(places):
            return self
        shape = self.frame["shape"].clone()
        shape.scatter(places, shape[places] + self.shapes.height)
        shapes = pl.concat([self.shapes, self.shapes.with_columns(**changes)])
        return replace(self, frame=self.frame.with_columns(shape), shapes=shapes)

    def due(self) -> pl.DataFrame:
        """Return the rows of the units that are disposed of."""
        return self.frame.filter(self.that(pl.col("disposition") != KEEP))

    def keys(self, rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
        """Yield units, some rows of `frame`, as (table, id)."""
        sources = self.shapes["source"][rows["shape"]]
        return zip(map(self.tables.__getitem__, sources.to_list()), self.names.ids(rows["row"]), strict=True)

    def ids_by_table(self, rows: pl.DataFrame) -> dict[str, Iterator[str]]:
        """Return the ids of units, or others of the rows that were read, by table; none is made before it is
        asked for."""
        found: dict[str, Iterator[str]] = {}
        for (source,), part in rows.partition_by("source", maintain_order=True, as_dict=True).items():
            table = self.tables[source]
            found[table] = chain(found.get(table, ()), self.names.ids(part["row"]))
        return found

    def reviews(self) -> Iterator[tuple[str, str, date, tuple[str, ...]]]:
        """Yield the units whose review is due, as (table, id, since when, categories) (RET-15)."""
        due = self.frame.filter(self.that(has(pl.col("flags"), Flag.REVIEW_DUE)))
        due = due.join(self.due_on, on="row", how="left", maintain_order="left")
        terms = self.shapes["terms"][due["shape"]]
        for (table, identity), due_on, number in zip(self.keys(due), due["review_due_on"], terms, strict=True):
            yield table, identity, due_on, self.terms[number].categories

    def crm_holds(self) -> list[tuple[str, str]]:
        """Return the dossiers with the CRM's own flag, as (table, id) (HLD-14)."""
        return list(self.keys(self.frame.filter(self.that((pl.col("kind") == UnitKind.DOSSIER.value) & pl.col("legal_hold")))))

    def lines(self) -> Iterator[tuple[pl.DataFrame, list[Shape]]]:
        """Yield the units, some at a time, with the number of what their lines have in common, `shape`,
        and of each such shape the kind, the table and the decision, whose days stand for others."""
        for part in self.frame.iter_slices(_LINES):
            has_end = pl.col("retention_end").is_not_null()
            asked = part.with_columns(has_end=has_end)
            few, number = _numbered(asked, ("shape", "has_end"))
            told = few.select("has_end").hstack(self.shapes.select("kind", "source", *_VERDICT)[few["shape"]])
            models = [
                (UnitKind(kind), self.tables[source], self._decision(_LAST if ends else None, *verdict))
                for ends, kind, source, *verdict in told.iter_rows()
            ]
            yield part.with_columns(shape=number), models

    def decisions(self, rows: pl.DataFrame | None = None) -> Iterator[tuple[int, UnitKind, str, str, Decision]]:
        """Yield units, or those of some rows of `frame`, as (row, kind, table, id, decision); of the ends
        only the one that decides is there."""
        frame = self.frame if rows is None else rows
        shapes = list(self.shapes.select("kind", *_VERDICT).iter_rows())
        for (table, identity), (row, shape, end) in zip(
            self.keys(frame), frame.select("row", "shape", "retention_end").iter_rows(), strict=True
        ):
            kind, *verdict = shapes[shape]
            yield row, UnitKind(kind), table, identity, self._decision(end, *verdict)

    def _decision(
        self, end: date | None, anchor: str | None, along: bool, disposition: str, reasons: int, flags: int, rule: str, terms: int
    ) -> Decision:
        made = Disposition(disposition)
        ends = () if end is None or anchor is None else (End("", rule, anchor, None, "", end, made),)
        categories = (RECORDING,) if along else self.terms[terms].categories
        return Decision(made, reasons_in(reasons), end, flags_in(flags), categories, rule, ends)


def _order_of_lines(rows: pl.Series, names: Names) -> pl.Series:
    """Return the places of units in the order of lines: by kind, and by the letters of their ids."""
    of_kinds = dict(by_kind(rows))
    there = [of_kinds[kind] for kind in kinds_of(Kind.ALL) if kind in of_kinds]
    return pl.concat([pl.Series(dtype=ROW), *(places[names.order(rows[places])] for places in there)])


def decided_part(part: Facts, rows: pl.Expr, policy: Policy, held: pl.DataFrame, day: date) -> DecidedPart:
    """Decide over one part of the units; return those of them that count. A plain function of what it is
    given: it may be done anywhere, and twice."""
    if held.height:
        held = held.rename({"row": "number"}).join(part.units.select("number", "row"), on="number")
    made = law(part, schedule_of(policy), held.select(*HELD), day)
    decided = made.units.filter(rows & ~pl.col("is_anonymised"))  # ERA-07
    has_end = pl.col("retention_end").is_not_null()
    asked = decided.select(
        *(name for name in _SHAPE if name != "is_held"), "review_due_on", row="number", is_held=pl.col("held") != 0,
        retention_end="retention_end", anchor_on=pl.when(has_end).then("anchor_on"),
    )  # fmt: skip
    shapes, shape = _numbered(asked, _SHAPE)
    due = asked.filter(has(pl.col("flags"), Flag.REVIEW_DUE)).select("row", "review_due_on")
    return DecidedPart(asked.select("row", shape, "retention_end", "anchor_on"), shapes, due, tuple(made.terms))


def _numbered(rows: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return each combination of these columns once, and for each row the number of its own."""
    found = rows.select(*columns, place=_PLACE).group_by(columns, maintain_order=True).agg("place")
    numbers = found.select("place", shape=_PLACE).explode("place")
    shape = repeated(0, rows.height, ROW).alias("shape")
    return found.drop("place"), shape.scatter(numbers["place"], numbers["shape"])


def kinds_of(kind: Kind) -> Sequence[UnitKind]:
    """Return the kinds of unit that a plan has lines for, in the order of its lines."""
    files = [each for each in UnitKind if each not in (*_CONVERSATIONS, UnitKind.CONTACT)]
    return (*(files if kind is not Kind.RECORDINGS else ()), *(_CONVERSATIONS if kind is not Kind.RETENTION else ()))


def _table_of(connector: Connector, source: type[Record]) -> str:
    tables = connector.tables(source)
    return tables[0] if len(tables) == 1 else connector.table(source)
