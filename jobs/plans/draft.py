"""The lines of a plan while it is made, and their totals: counted by what equal lines have in common, and
written page by page."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from jobs.model.plan import CategoryTotal, PlanLine
from jobs.plans.lines.columns import LineColumns, shape_of
from jobs.plans.lines.pages import LINES_A_PAGE, Pages
from rules.model.decisions import Decision, Disposition, Reason
from rules.model.records import UnitKind

if TYPE_CHECKING:
    import polars as pl

    Named = Callable[[pl.Series], pl.DataFrame]

RECORDING_KINDS = frozenset({UnitKind.RECORDING, UnitKind.ATTACHMENT})
_BIRTH = "birth_date"  # the anchor that is named and never dated


@dataclass(slots=True)
class Shape:
    """What equal lines have in common, and how many there are; `soon` of them come to their end soon, and
    `oldest` is the earliest end."""

    kind: UnitKind
    table: str
    decision: Decision
    count: int = 0
    soon: int = 0
    oldest: date | None = None


class Draft:
    """Pages of lines with their digest, and totals. Under `due_soon_days` of its end a unit is due soon."""

    def __init__(self, policy_version: str, day: date, due_soon_days: int, head: Mapping[str, object]) -> None:
        self._pages = Pages(head)
        self.crm_holds: list[tuple[str, str]] = []
        self.victims: dict[str, int] = {}
        self.retained_rows: dict[str, int] = {}
        self.notes_on_trimmed = 0
        self.calls_about_nothing = 0
        self.without_term = 0  # people whom something keeps that belongs to nothing with a term
        self.notes_about_nothing = 0
        self.out_of_scope = 0  # rows that belong to one of no kind
        self.mentioned = 0  # people with a relation and no unit whom another contact keeps from being trimmed
        self.fiches_in_anonymised = 0  # live ones, of which no unit is left
        self.reopened_anonymised = 0  # dossiers that somebody works on although they are anonymised
        self.left_in_anonymised = 0  # notes, calls and e-mails of files that are anonymised
        self.missed: Mapping[str, int] = {}
        self.lake_instant: datetime | None = None
        self.held_contacts: list[tuple[str, str, str]] = []
        self.due: Counts[str] = Counts()
        self._policy_version = policy_version
        self._soon = day + timedelta(days=due_soon_days)
        self._shapes: list[Shape] = []

    def add(self, lines: pl.DataFrame, shapes: Sequence[tuple[UnitKind, str, Decision]], named: Named) -> None:
        """Add a line for each row of `lines` and count them. `shape` is the number of its kind, table and
        decision in `shapes`; its own are `row`, of which `named` tells `id` and `etag`, `retention_end` and
        `anchor_on`. A birth date is named, never given (ACC-04). Raises ValueError: one lacks its id or its
        version."""
        import polars as pl

        if lines.is_empty():
            return
        made = [Shape(*shape) for shape in shapes]
        self._count(lines, made)
        self._shapes += [shape for shape in made if shape.count]
        models = [shape_of(line_of(table, "", "", decision, self._policy_version)) for _, table, decision in shapes]
        is_birth = pl.Series([model.anchor == _BIRTH for model in models], dtype=pl.Boolean)
        for part in lines.iter_slices(LINES_A_PAGE):
            told = named(part["row"])
            anchor_on = pl.when(~is_birth[part["shape"]]).then("anchor_on")
            own = part.select("shape", told["id"], "retention_end", told["etag"], anchor_on=anchor_on)
            self._pages.add(LineColumns(models, own))

    def _count(self, lines: pl.DataFrame, shapes: Sequence[Shape]) -> None:
        """Count lines by shape, and which units come to their end soon."""
        import polars as pl

        for number, count, oldest in lines.group_by("shape").agg(pl.len(), pl.col("retention_end").min()).iter_rows():
            shapes[number].count, shapes[number].oldest = count, oldest
        waits = pl.Series([shape.decision.reasons[0] is Reason.NOT_EXPIRED for shape in shapes], dtype=pl.Boolean)
        soon = lines.filter(waits[lines["shape"]] & (pl.col("retention_end") < self._soon))
        for number, end, count in soon.group_by("shape", "retention_end").len().iter_rows():
            shapes[number].soon += count
            self.due[end.isoformat()] += count

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
