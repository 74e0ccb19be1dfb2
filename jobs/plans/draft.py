"""The lines of a plan in the making, and their totals. Most lines differ from another one only in id, version
and dates. So a line is cut to its shape once, and filled in a hundred thousand times; and no more than a page
of lines is in memory at a time."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from jobs.ledger.plan_lines import Pages, encode_line, quoted
from jobs.model.plan import CategoryTotal, PlanLine
from jobs.plans.lines.columns import LineColumns
from rules.model.decisions import Decision, Disposition, Reason
from rules.model.records import UnitKind

if TYPE_CHECKING:
    import polars as pl

RECORDING_KINDS = frozenset({UnitKind.RECORDING, UnitKind.ATTACHMENT})
_ODD = r"[^ !#-\[\]-~]"  # a quote, a backslash, and what is not printable ASCII
_ODDER = r'[^ !"#-\[\]-~]'  # the same without the quote
_AT_ONCE = 20_000  # lines that are written together
_BIRTH = "birth_date"  # the anchor that is named and never dated
_ID, _ETAG, _END, _ANCHOR_ON = "\x00id", "\x00etag", "\x00end", "\x00anchor_on"


class Shape:
    """What equal lines have in common, the text between what differs, and how many there are."""

    __slots__ = ("count", "decision", "kind", "number", "oldest", "pieces", "soon", "table")

    def __init__(self, kind: UnitKind, table: str, decision: Decision, model: PlanLine, number: int) -> None:
        self.kind, self.table, self.decision, self.number = kind, table, decision, number
        self.count = 0
        self.soon = 0
        self.oldest: date | None = None  # the earliest end
        text = encode_line(model).decode()
        self.pieces: list[str] = []
        for mark in (_ID, _END, _ETAG, _ANCHOR_ON):
            before, text = text.split(quoted(mark), 1)
            self.pieces.append(before)
        self.pieces.append(text + "\n")

    @property
    def anchor(self) -> str | None:
        return self.decision.deciding.anchor if self.decision.deciding is not None else None


class Draft:
    """Pages of lines with their digest, and totals. Under `due_soon_days` of its end a unit is due soon."""

    def __init__(self, policy_version: str, day: date, due_soon_days: int, head: Mapping[str, object]) -> None:
        self._pages = Pages(head)
        self.crm_holds: list[tuple[str, str]] = []
        self.victims: dict[str, int] = {}
        self.retained_rows: dict[str, int] = {}
        self.without_term = 0  # people whom something keeps that belongs to nothing
        self.missed: Mapping[str, int] = {}
        self.lake_instant: datetime | None = None
        self.held_contacts: list[tuple[str, str, str]] = []
        self.due: Counts[str] = Counts()
        self._policy_version = policy_version
        self._soon = day + timedelta(days=due_soon_days)
        self._shapes: list[Shape] = []
        self._models: dict[bytes, tuple[int, PlanLine]] = {}  # of each shape a line without what is its own
        self._lines: list[pl.DataFrame] = []

    def add(self, lines: pl.DataFrame, shapes: Sequence[tuple[UnitKind, str, Decision]]) -> None:
        """Add a line for each row of `lines` and count them. `shape` is the number of its kind, table and
        decision in `shapes`; its own are `id`, `retention_end`, `etag` and `anchor_on`. A birth date is
        named, never given (ACC-04)."""
        import polars as pl

        if lines.is_empty():
            return
        used = lines["shape"].unique(maintain_order=True).to_list()
        made = [self._shape(*shapes[number]) for number in used]
        self._shapes += made
        place = {number: at for at, number in enumerate(used)}
        places = pl.Series([place.get(number, 0) for number in range(len(shapes))], dtype=pl.UInt32)
        lines = lines.with_columns(shape=places.gather(lines["shape"]))
        is_birth = pl.Series([shape.anchor == _BIRTH for shape in made], dtype=pl.Boolean)
        lines = lines.select("shape", "id", "retention_end", "etag", anchor_on=pl.when(~is_birth.gather(lines["shape"])).then("anchor_on"))
        self._count(lines, made)
        numbers = pl.Series([shape.number for shape in made], dtype=pl.UInt32)
        self._lines.append(lines.with_columns(shape=numbers.gather(lines["shape"])))
        one, two, three, four, five = (pl.Series([shape.pieces[at] for shape in made], dtype=pl.String) for at in range(5))
        for part in lines.iter_slices(_AT_ONCE):
            shape = part["shape"]
            text = pl.concat_str(
                one.gather(shape), _quoted(part["id"]), two.gather(shape), _day("retention_end"), three.gather(shape),
                _quoted(part["etag"]), four.gather(shape), _day("anchor_on"), five.gather(shape),
            )  # fmt: skip
            texts, at = part.select(text).to_series(), 0
            while at < len(texts):
                some = texts.slice(at, self._pages.room)
                # By a line that lacks its id or its version the page fails: it is not left out silently.
                self._pages.add_text(some.str.join("", ignore_nulls=False).item(), len(some))
                at += len(some)

    def _shape(self, kind: UnitKind, table: str, decision: Decision) -> Shape:
        model = line_of(table, _ID, _ETAG, decision, self._policy_version)
        model = msgspec.structs.replace(model, retention_end=_END, anchor_on=_ANCHOR_ON)
        return Shape(kind, table, decision, model, self._number(model))

    def _number(self, model: PlanLine) -> int:
        """Return the number of a shape among those that differ in the line."""
        bare = msgspec.structs.replace(model, id="", etag="", retention_end=None, anchor_on=None)
        return self._models.setdefault(encode_line(bare), (len(self._models), bare))[0]

    def _count(self, lines: pl.DataFrame, shapes: Sequence[Shape]) -> None:
        """Count lines by shape, and which units come to their end soon."""
        import polars as pl

        for number, count, oldest in lines.group_by("shape").agg(pl.len(), pl.col("retention_end").min()).iter_rows():
            shapes[number].count, shapes[number].oldest = count, oldest
        waits = pl.Series([shape.decision.reasons[0] is Reason.NOT_EXPIRED for shape in shapes], dtype=pl.Boolean)
        soon = lines.filter(waits.gather(lines["shape"]) & (pl.col("retention_end") < self._soon))
        for number, end, count in soon.group_by("shape", "retention_end").len().iter_rows():
            shapes[number].soon += count
            self.due[end.isoformat()] += count

    def columns(self) -> LineColumns:
        """Return the lines in columns, as `LineColumns.of` would read them from the pages."""
        return LineColumns.made([model for _, model in self._models.values()], self._lines)

    def finish(self, trims: Iterable[str]) -> tuple[list[bytes], str]:
        """Return the pages, as the store keeps them, and their digest, contacts to trim included."""
        return self._pages.finish(trims)

    @property
    def units(self) -> int:
        """How many units have a line."""
        return sum(shape.count for shape in self._shapes)

    def dispositions(self) -> dict[str, int]:
        """Return how many units are disposed of, by disposition."""
        counts = {"delete": 0, "anonymise": 0}
        for shape in self._shapes:
            if shape.decision.is_disposal:
                counts[shape.decision.disposition.value] += shape.count
        return counts

    def going(self) -> dict[tuple[str, tuple[str, ...]], int]:
        """Return how many units are disposed of, by table and categories."""
        counts: Counts[tuple[str, tuple[str, ...]]] = Counts()
        for shape in self._shapes:
            if shape.decision.is_disposal:
                counts[shape.table, shape.decision.categories] += shape.count
        return dict(counts)

    def retained(self) -> dict[str, int]:
        """Return how many units stay, by their primary reason."""
        counts: Counts[str] = Counts()
        for shape in self._shapes:
            if not shape.decision.is_disposal:
                counts[shape.decision.reason.value] += shape.count
        return dict(sorted(counts.items()))

    def flagged(self) -> dict[str, int]:
        """Return how many units carry each flag."""
        counts: Counts[str] = Counts()
        for shape in self._shapes:
            for flag in shape.decision.flags:
                counts[flag.value] += shape.count
        return dict(sorted(counts.items()))

    def planned(self) -> dict[str, int]:
        """Return how many units and recordings are disposed of, for the circuit breaker. Contacts follow
        their units and are not counted (RET-24)."""
        counts = {"units": 0, "recordings": 0}
        for shape in self._shapes:
            if shape.decision.is_disposal and shape.kind is not UnitKind.CONTACT:
                counts["recordings" if shape.kind in RECORDING_KINDS else "units"] += shape.count
        return counts

    def by_category(self) -> tuple[CategoryTotal, ...]:
        """Return totals of each category, in the order of keys; a mixed unit counts in each of its own."""
        totals: dict[str, list[int]] = {}
        oldest: dict[str, date] = {}
        for shape in self._shapes:
            decision = shape.decision
            column = 0 if decision.disposition is Disposition.DELETE else 1 if decision.is_disposal else 2
            for category in decision.categories:
                total = totals.setdefault(category, [0, 0, 0, 0])
                total[column] += shape.count
                total[3] += shape.soon
                if decision.is_disposal and shape.oldest is not None:
                    oldest[category] = min(shape.oldest, oldest.get(category, shape.oldest))
        first = {key: day.isoformat() for key, day in oldest.items()}
        return tuple(
            CategoryTotal(key, delete, anonymise, retain, soon, first.get(key, ""))
            for key, (delete, anonymise, retain, soon) in sorted(totals.items())
        )


def _quoted(texts: pl.Series) -> pl.Series:
    """Write ids or versions as JSON. They come from outside: what is more than plain text goes to the
    encoder."""
    import polars as pl

    if not texts.str.contains(_ODD).any():
        return '"' + texts + '"'
    if not texts.str.contains(_ODDER).any():
        return '"' + texts.str.replace_all('"', '\\"', literal=True) + '"'
    return pl.Series(list(map(quoted, texts)), dtype=pl.String)


def _day(name: str) -> pl.Expr:
    """Write a day as JSON, an absent one too."""
    import polars as pl

    return pl.col(name).dt.strftime('"%Y-%m-%d"').fill_null("null")


def line_of(table: str, row: str, etag: str, decision: Decision, policy_version: str) -> PlanLine:
    """Return the line of one unit. The anchor is that of the deciding end; a birth date is named, never given
    (ACC-04)."""
    disposes = decision.disposition is not Disposition.KEEP
    end, deciding = decision.retention_end, decision.deciding
    anchor = deciding.anchor if deciding is not None else None
    on = deciding.anchor_on if deciding is not None and anchor != _BIRTH else None
    return PlanLine(
        table,
        row,
        "dispose" if disposes else "retain",
        decision.disposition.value if disposes else None,
        end.isoformat() if end is not None else None,
        decision.reasons[0].value,
        decision.reasons,
        decision.flags,
        decision.categories,
        decision.rule,
        policy_version,
        etag,
        anchor,
        on.isoformat() if on is not None else None,
    )
