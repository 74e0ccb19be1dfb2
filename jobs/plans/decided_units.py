"""What the law says of everything that was read, in columns: a row for each unit that has a line in a plan,
in the order of its lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

import polars as pl

from connectors.interface.connector import Connector
from jobs.model.plan import Kind
from jobs.plans.waiting_rows import PackedRows
from jobs.ports.workers import HERE, Workers
from jobs.reading.tables.names import Names
from jobs.reading.tables.table_facts import facts_of_tables, held_in_tables, owners_of_attachments
from jobs.reading.tables.whole_tables import WholeTables
from rules.holds.holds import Holds
from rules.holds.precedence import HOLD_REASONS
from rules.law.bits import bits, flags_in, reasons_in
from rules.law.codes import CODES, has, where
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
_SHAPE = ("kind", "source", "disposition", "reasons", "flags", "terms", "along", "rule", "anchor", "has_end")
_FEW = ("disposition", "rule", "anchor")  # texts of which there are few
_TEXT = pl.Categorical(pl.Categories("verdicts", physical=pl.UInt16))
_LINES = 100_000  # units whose lines are made together
_LAST = date.max  # stands for the day of an end where only its being there counts
_CONVERSATIONS = (UnitKind.RECORDING, UnitKind.ATTACHMENT)
_COLUMNS = (
    "row", "kind", "source", "disposition", "reasons", "flags", "retention_end", "rule", "terms", "anchor", "anchor_on",
    "legal_hold", "review_due_on",
)  # fmt: skip
_KEPT = (*_COLUMNS[:-1], "is_held", "along")


@dataclass(frozen=True)
class Decided:
    """Units with what becomes of them, in the order of lines. `frame` has, for each: `row` of its facts,
    `kind`, `source`, the number of its table in `tables`, `disposition`, `reasons` and `flags`
    (`rules.law.codes`), `retention_end`, `rule`, `terms`, the number in `terms`, `anchor` and `anchor_on` of
    the end that decides, `legal_hold`, `is_held`, and `along`: an attachment that goes with its dossier or
    lone fiche. `due_on` has since when a review is due, of those of which it is. What rows are called in the
    CRM `names` knows."""

    frame: pl.DataFrame
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
        all, and before what was decided takes up room, what nobody asks for any more may be forgotten."""
        held, numbers = held_in_tables(found, holds), dict[Terms, int]()
        packed, due_on = PackedRows(), list[pl.DataFrame]()
        for frame, terms in workers.each(decided_part, ((part, rows, policy, held, day) for part, rows in facts_of_tables(found))):
            known = pl.Series([numbers.setdefault(each, len(numbers)) for each in terms], dtype=pl.UInt32)
            few = frame.with_columns(pl.col(_FEW).cast(_TEXT), terms=known[frame["terms"]] if len(known) else frame["terms"])
            due_on.append(few.filter(has(pl.col("flags"), Flag.REVIEW_DUE)).select("row", "review_due_on"))
            packed.add(few.drop("review_due_on"))
        if after is not None:
            after()
        names = Names(found)
        order = _order_of_lines(packed.columns(("row", "kind")), names)
        tables = tuple(_table_of(connector, source) for source in found.sources)
        return cls(packed.columns(_KEPT, None if order.is_sorted() else order), pl.concat(due_on), tuple(numbers), tables, names)

    def lined(self, kind: Kind) -> Decided:
        """Return the units for which a plan of this kind has a line, in the order of its lines."""
        lines = self.frame["kind"].is_in([each.value for each in kinds_of(kind)]).arg_true()  # all in one place
        return replace(self, frame=self.frame.slice(lines[0] if len(lines) else 0, len(lines)))

    def flagged(self, flag: Flag, rows: Collection[int]) -> Decided:
        """Return the same with a flag on the units of these rows."""
        if not len(rows):
            return self
        concerned = pl.col("row").is_in(pl.Series(sorted(rows), dtype=ROW).implode())
        return replace(self, frame=self.frame.with_columns(flags=pl.col("flags") | where(concerned, flag)))

    def with_owners(self, found: WholeTables, going: pl.Series) -> Decided:
        """Return the same with each audio attachment deleted along whose dossier or lone fiche goes, one of
        the rows `going`, though its own term still runs (RET-03, ACC-03). A hold on it keeps both."""
        pairs = owners_of_attachments(found)
        notes = (self.frame["kind"] == UnitKind.ATTACHMENT.value).arg_true()
        if not len(going) or pairs.is_empty() or not len(notes):
            return self
        at, behind = notes[0], notes[-1] + 1  # those of a kind have their lines together
        gone = self.frame.select(pl.col("row").alias("owner"), pl.col("retention_end").alias("owner_end"))
        gone = gone.filter(pl.col("owner").is_in(going.implode()))
        frame = self.frame[at:behind].join(pairs.join(gone, on="owner"), on="row", how="left", maintain_order="left")
        along = pl.col("owner").is_not_null() & (pl.col("disposition") == KEEP) & ~has(pl.col("reasons"), *HOLD_REASONS)
        frame = frame.with_columns(along=along).with_columns(
            disposition=pl.when("along").then(pl.lit(DELETE, _TEXT)).otherwise("disposition"),
            reasons=pl.when("along").then(pl.lit(bits([Reason.EXPIRED]), CODES)).otherwise("reasons"),
            retention_end=pl.when("along").then("owner_end").otherwise("retention_end"),
            rule=pl.when("along").then(pl.lit(GOES_ALONG, _TEXT)).otherwise("rule"),
            anchor=pl.when("along").then(pl.lit("owner", _TEXT)).otherwise("anchor"),
            anchor_on=pl.when(~pl.col("along")).then("anchor_on"),
        )
        return replace(self, frame=pl.concat([self.frame[:at], frame.drop("owner", "owner_end"), self.frame[behind:]]))

    def due(self) -> pl.DataFrame:
        """Return the rows of the units that are disposed of."""
        return self.frame.filter(pl.col("disposition") != KEEP)

    def keys(self, rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
        """Yield units, or others of the rows that were read, as (table, id)."""
        return zip(map(self.tables.__getitem__, rows["source"].to_list()), self.names.ids(rows["row"]), strict=True)

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
        due = self.frame.filter(has(pl.col("flags"), Flag.REVIEW_DUE)).join(self.due_on, on="row", how="left", maintain_order="left")
        for (table, identity), due_on, number in zip(self.keys(due), due["review_due_on"], due["terms"], strict=True):
            yield table, identity, due_on, self.terms[number].categories

    def crm_holds(self) -> list[tuple[str, str]]:
        """Return the dossiers with the CRM's own flag, as (table, id) (HLD-14)."""
        return list(self.keys(self.frame.filter((pl.col("kind") == UnitKind.DOSSIER.value) & pl.col("legal_hold"))))

    def shapes(self) -> Iterator[tuple[pl.DataFrame, list[Shape]]]:
        """Yield the units, some at a time, with the number of what their lines have in common, `shape`,
        and of each such shape the kind, the table and the decision, whose days stand for others."""
        for part in self.frame.iter_slices(_LINES):
            yield self._shaped(part)

    def _shaped(self, part: pl.DataFrame) -> tuple[pl.DataFrame, list[Shape]]:
        has_end = pl.col("retention_end").is_not_null()
        frame = part.select(
            *(name for name in _SHAPE if name not in ("anchor", "has_end")),
            "row",
            "retention_end",
            has_end=has_end,
            anchor=pl.when(has_end).then("anchor"),
            anchor_on=pl.when(has_end).then("anchor_on"),
        )
        shapes = frame.select(_SHAPE).unique(maintain_order=True).with_row_index("shape")
        models = [
            (
                UnitKind(kind),
                self.tables[source],
                self._decision(_LAST if ends else None, anchor, along, disposition, reasons, flags, rule, terms),
            )
            for kind, source, disposition, reasons, flags, terms, along, rule, anchor, ends in shapes.select(_SHAPE).iter_rows()
        ]
        frame = frame.join(shapes, on=_SHAPE, how="left", nulls_equal=True, maintain_order="left")
        return frame.select("shape", "row", "retention_end", "anchor_on"), models

    def decisions(self, rows: pl.DataFrame | None = None) -> Iterator[tuple[int, UnitKind, str, str, Decision]]:
        """Yield units, or those of some rows of `frame`, as (row, kind, table, id, decision); of the ends
        only the one that decides is there."""
        frame = self.frame if rows is None else rows
        columns = ("row", "kind", "retention_end", "anchor", "along", "disposition", "reasons", "flags", "rule", "terms")
        for (table, identity), (row, kind, *rest) in zip(self.keys(frame), frame.select(columns).iter_rows(), strict=True):
            yield row, UnitKind(kind), table, identity, self._decision(*rest)

    def _decision(
        self, end: date | None, anchor: str | None, along: bool, disposition: str, reasons: int, flags: int, rule: str, terms: int
    ) -> Decision:
        made = Disposition(disposition)
        ends = () if end is None or anchor is None else (End("", rule, anchor, None, "", end, made),)
        categories = (RECORDING,) if along else self.terms[terms].categories
        return Decision(made, reasons_in(reasons), end, flags_in(flags), categories, rule, ends)


def _order_of_lines(decided: pl.DataFrame, names: Names) -> pl.Series:
    """Return the places of units in the order of lines: by kind, and by the letters of their ids."""
    there, places = set(decided["kind"].unique()), [pl.Series(dtype=ROW)]
    for each in kinds_of(Kind.ALL):
        if each.value in there:
            of_kind = (decided["kind"] == each.value).arg_true()
            places.append(of_kind[names.order(decided["row"][of_kind])])
    return pl.concat(places)


def decided_part(part: Facts, rows: pl.Expr, policy: Policy, held: pl.DataFrame, day: date) -> tuple[pl.DataFrame, tuple[Terms, ...]]:
    """Decide over one part of the units; return those of them that count, and the terms that they number. A
    plain function of what it is given: it may be done anywhere, and twice."""
    if held.height:
        held = held.rename({"row": "number"}).join(part.units.select("number", "row"), on="number")
    made = law(part, schedule_of(policy), held.select(*HELD), day)
    frame = made.units.filter(rows & ~pl.col("is_anonymised")).with_columns(row="number")  # ERA-07
    return frame.select(*_COLUMNS, is_held=pl.col("held") != 0, along=pl.lit(False)), tuple(made.terms)


def kinds_of(kind: Kind) -> Sequence[UnitKind]:
    """Return the kinds of unit that a plan has lines for, in the order of its lines."""
    files = [each for each in UnitKind if each not in (*_CONVERSATIONS, UnitKind.CONTACT)]
    return (*(files if kind is not Kind.RECORDINGS else ()), *(_CONVERSATIONS if kind is not Kind.RETENTION else ()))


def _table_of(connector: Connector, source: type[Record]) -> str:
    tables = connector.tables(source)
    return tables[0] if len(tables) == 1 else connector.table(source)
