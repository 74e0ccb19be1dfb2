"""A stored plan as a person reads it: totals, reasons, what to resolve, every disposal.

The model holds codes, dates and ids only (ACC-04, R-144): no name, number, text or role of a person can reach
a report, because a plan line has none and the two places of a plan that could (the proposer and the comment
of an approver) are left out here."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from crm_compliance.hints import in_words
from crm_compliance.reports.parts.clock_times import clock_time
from crm_compliance.reports.parts.next_steps import NextStep
from crm_compliance.reports.parts.sentences import DOUBT, advice, reason_sentence, table_name
from crm_compliance.reports.plan.listed_units import Listing, doubts_of, listing, table_rank
from jobs.model.plan import Kind, Plan, PlanLine, PlanState
from jobs.plans.lines.columns import LineColumns
from rules.dates.calendar import Calendar
from rules.hints import hint_to
from rules.holds.precedence import HOLD_REASONS
from rules.model.decisions import Reason
from rules.model.roles import SUBJECTS

EVIDENCE_RULE = "RET-05"  # a recording that follows its dossier on the evidence mark
REPORT_DAYS = 30  # ACC-04: the report is removed after 30 days

Link = Callable[[str, str], str]
Parts = Callable[[], Iterable[LineColumns]]


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """Units of one category; a unit with several counts in each."""

    key: str
    label: str
    delete: int
    anonymise: int
    retain: int
    due_soon: int


@dataclass(frozen=True, slots=True)
class TableRow:
    """Units of one kind; each counts once, so the rows add up to the units read."""

    table: str
    name: str
    delete: int
    anonymise: int
    retain: int


@dataclass(frozen=True, slots=True)
class ReasonRow:
    code: str
    sentence: str
    units: int


@dataclass(frozen=True, slots=True)
class Group:
    """The units that share one flag or one doubt."""

    code: str
    sentence: str
    action: str
    units: int


@dataclass(frozen=True, slots=True)
class PastEnd:
    """Units past their end, by what becomes of them (ACC-03). `other` is 0 unless a rule is broken."""

    disposed: int
    held: int
    open: int
    other: int

    @property
    def units(self) -> int:
        return self.disposed + self.held + self.open + self.other


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """All that any form of the report shows. `day` is the civil day that the plan looks at;
    `listing` reads the units that are listed one by one."""

    plan: Plan
    now: datetime
    state: PlanState
    day: date
    categories: tuple[CategoryRow, ...]
    tables: tuple[TableRow, ...]
    reasons: tuple[ReasonRow, ...]
    flags: tuple[Group, ...]
    doubts: tuple[Group, ...]
    past_end: PastEnd
    evidence_kept: int
    lines: int
    next_steps: tuple[NextStep, ...]
    labels: Mapping[str, str]
    link: Link
    calendar: Calendar
    listing: Callable[[], Listing]
    unit_name: Callable[[str], str]

    @property
    def deleted(self) -> int:
        return self.plan.dispose.get("delete", 0)

    @property
    def anonymised(self) -> int:
        return self.plan.dispose.get("anonymise", 0)

    @property
    def retained(self) -> int:
        return sum(self.plan.retain.values())

    @property
    def due_soon(self) -> int:
        return sum(units for _, units in self.plan.due_soon)

    @property
    def adds_up(self) -> bool:
        """Every unit read has exactly one outcome, in the head of the plan and in its lines (ACC-03)."""
        return self.plan.units == self.lines == self.deleted + self.anonymised + self.retained

    @property
    def removed_on(self) -> date:
        """The day from which a copy of this report must no longer exist (ACC-04)."""
        return self.calendar.day(self.plan.created_at) + timedelta(days=REPORT_DAYS)

    def clock(self, instant: datetime) -> str:
        """Return an instant to the minute, by the clock of the schedule."""
        return clock_time(instant, self.calendar)

    def label(self, category: str) -> str:
        """Return a category as people call it; an unconfigured one by its key in the CRM."""
        return self.labels.get(category) or category or "no category"


@dataclass(slots=True)
class _Sums:
    """What the lines add up to, looked at by their shapes: a million lines have some hundred of these."""

    lines: int = 0
    tables: Counter[tuple[str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    past: Counter[str] = field(default_factory=Counter)
    evidence_kept: int = 0

    def add(self, part: LineColumns, day: date) -> None:
        self.lines += len(part)
        shapes = part.frame["shape"]
        past = shapes.filter((part.frame["retention_end"] < day).fill_null(False)).value_counts()
        for number, units in past.iter_rows():
            self.past[_fate(part.shapes[number])] += units
        for number, units in shapes.value_counts().iter_rows():
            self._count(part.shapes[number], units)

    def _count(self, shape: PlanLine, units: int) -> None:
        self.tables[shape.table, (shape.disposition or "delete") if shape.is_disposal else "retain"] += units
        for code in doubts_of(shape):
            self.doubts[code] += units
        for flag in shape.flags:
            self.flags[flag] += units
        if shape.rule == EVIDENCE_RULE and not shape.is_disposal:
            self.evidence_kept += units


def _fate(line: PlanLine) -> str:
    if line.is_disposal:
        return "disposed"
    if line.reason in HOLD_REASONS:
        return "held"
    return "open" if line.reason == Reason.OPEN_DOSSIER else "other"


def build_report(
    plan: Plan,
    parts: Parts,
    *,
    now: datetime,
    labels: Mapping[str, str],
    link: Link,
    calendar: Calendar,
    unit_name: Callable[[str], str] = table_name,
) -> DryRunReport:
    """Read a stored plan once and keep what its lines add up to; the units themselves are read when they are
    listed. `parts` reads its lines again each time it is called; `labels` names categories, `unit_name`
    units by their table; `link` gives the address of a row in the CRM.

    Source: ACC-03, ACC-04; RET-05 (evidence marks), RET-13 and RET-15 (listed in full), RET-20 (contacts to
        trim), RET-24, HLD-14."""
    labels = {each.category: each.name for each in plan.categories if each.called} | dict(labels)
    day = calendar.day(plan.as_of)
    sums = _Sums()
    for part in parts():
        sums.add(part, day)
    return DryRunReport(
        plan=plan,
        now=now,
        state=plan.state(now),
        day=day,
        categories=tuple(
            CategoryRow(c.category, labels.get(c.category) or c.category or "no category", c.delete, c.anonymise, c.retain, c.due_soon)
            for c in sorted(plan.categories, key=lambda c: (-(c.delete + c.anonymise), -c.retain, c.category))
        ),
        tables=tuple(
            TableRow(table, unit_name(table), *(sums.tables[table, fate] for fate in ("delete", "anonymise", "retain")))
            for table in sorted({table for table, _ in sums.tables}, key=table_rank)
        ),
        reasons=tuple(
            ReasonRow(code, reason_sentence(code), plan.retain[code]) for code in sorted(plan.retain, key=_reason_rank) if plan.retain[code]
        ),
        flags=tuple(
            Group(code, advice(code).sentence, advice(code).action, sums.flags[code])
            for code in sorted(sums.flags, key=lambda code: (not advice(code).action, code))
        ),
        doubts=tuple(
            Group(code, reason_sentence(code), DOUBT[code], units)
            for code, units in sorted(sums.doubts.items(), key=lambda item: _reason_rank(item[0]))
        ),
        past_end=PastEnd(sums.past["disposed"], sums.past["held"], sums.past["open"], sums.past["other"]),
        evidence_kept=sums.evidence_kept,
        lines=sums.lines,
        next_steps=next_steps(plan, plan.state(now), now, calendar),
        labels=labels,
        link=link,
        calendar=calendar,
        listing=lambda: listing(parts()),
        unit_name=unit_name,
    )


def next_steps(plan: Plan, state: PlanState, now: datetime, calendar: Calendar) -> tuple[NextStep, ...]:
    """Return what to do with a plan in this state, in order, with the commands (9.4, DAT-12, RET-24)."""
    others = {Kind.REPLAY: hint_to("plan_replay"), Kind.REQUEST: hint_to("run_requests")}
    again = in_words(others.get(plan.kind) or hint_to("plan_kind", kind=plan.kind))
    if state is PlanState.APPLIED:
        return (NextStep("This plan was applied. Its run is in the history.", in_words(hint_to("list_history"))),)
    if plan.as_of_given:
        return (NextStep("This plan looks at a day of your choice and can never be applied (DAT-12). For one that can:", again),)
    if state is PlanState.REJECTED:
        return (NextStep("This plan was rejected. Once the cause is mended, make a new one:", again),)
    if state is PlanState.EXPIRED:
        return (NextStep("This plan is past its validity. Make a new one:", again),)
    apply = NextStep(f"Apply it before {clock_time(plan.valid_until, calendar)}:", in_words(hint_to("apply", plan=plan.id)))
    if state is PlanState.WAITING:
        lacking = plan.missing(now)
        approvals = tuple(
            NextStep(
                f"{SUBJECTS.get(role, role)} reads this report and approves:", in_words(hint_to("approve_plan_as", plan=plan.id, role=role))
            )
            for role in lacking
        )
        reject = NextStep("Or, where something looks wrong:", in_words(hint_to("reject_plan", plan=plan.id)))
        return (*approvals, reject, NextStep(f"Once approved, apply it before {clock_time(plan.valid_until, calendar)}:", apply.command))
    if not sum(plan.dispose.values()) and not plan.trims:
        return (NextStep("Nothing to dispose of. Applying the plan only records that it was looked at:", apply.command),)
    return (apply,)


_REASON_RANKS = {str(reason): rank for rank, reason in enumerate(Reason)}


def _reason_rank(code: str) -> tuple[int, str]:
    return _REASON_RANKS.get(code, len(_REASON_RANKS)), code
