"""What is noted of the units of a plan while it is made, beside the decision: canaries, quarantine, what is
out of reach, changes, a backlog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.interface.connector import Connector
from jobs.model.plan import Alarm, Kind
from jobs.plans.alarms.earlier_plans import NOTHING_DUE, VIEW_SHRANK, EarlierPlans
from jobs.plans.draft import RECORDING_KINDS
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.reading.tables.row_counts import RowCounts
from rules.model.data_map import DataMap
from rules.model.decisions import Decision, Reason
from rules.model.records import KINDS, ActivityParty, Record, UnitKind
from rules.policy.limits import Watch
from rules.policy.policy import Policy
from rules.retention.breaker import median_of
from rules.retention.quarantine import Mark, covers, waits

if TYPE_CHECKING:
    import polars as pl

    from jobs.plans.decided_units import Decided

CANARY, UNACCOUNTED_TABLES, MISSED_CHANGES = "CANARY", "UNACCOUNTED", "MISSED_CHANGES"
NO_UNITS = (UnitKind.CONTACT, UnitKind.OWN_TABLE)  # contacts have no decision of their own, and dependent tables words of their own
UNITS = tuple(KINDS[kind.value] for kind in UnitKind if kind not in NO_UNITS)


class Observations:
    """Observations on every unit that a plan decides on.

    `seen` counts the rows as they are read. `aside` are disposals that no run of this plan carries out, each
    with its kind of unit; `waiting` counts them by code. `drifted` is how many units are disposed of that had
    changed since an approval, `late` those that are far past their end. `canaries` are the decisions on
    canaries, by table and id; `undecided` the other units that nothing in force decides on (RET-14), as
    (table, id)."""

    def __init__(self, context: JobContext, earlier_plans: EarlierPlans, kind: Kind, day: date) -> None:
        policy = context.policy
        self.seen = RowCounts(context.progress)
        self.aside: list[tuple[UnitKind, Decision]] = []
        self.waiting: Counter[str] = Counter()
        self.drifted = 0
        self.late: set[tuple[str, str]] = set()
        self.due: set[tuple[str, str]] = set()
        self.canaries: dict[tuple[str, str], Decision] = {}
        self.undecided: list[tuple[str, str]] = []
        self._kind, self._day, self._policy = kind, day, policy
        self._changed = earlier_plans.drifted()
        self._marks: dict[tuple[str, str], Mark] = {(mark.table, mark.id): mark for mark in context.store.quarantine.marks()}
        self._expected = {(canary.table, canary.id): canary.due for canary in policy.canaries}
        self._canary_ids = {canary.id for canary in policy.canaries}
        self._late_before = day - timedelta(days=policy.watch.backlog_days)
        # Late is what an old plan had: before there is one nobody asks, and it would be most of what goes.
        self._has_old_plan = earlier_plans.old_plan(kind, context.clock() - timedelta(days=policy.watch.backlog_days)) is not None

    def look(self, kind: UnitKind, table: str, row: str, decision: Decision, *, out_of_reach: bool = False) -> bool:
        """Note what is particular about a unit; return whether a run of this plan disposes of it, as far as
        is known now."""
        is_canary = row in self._canary_ids and (table, row) in self._expected
        if is_canary:
            self.canaries[(table, row)] = decision
        elif Reason.UNCONFIGURED in decision.reasons:
            self.undecided.append((table, row))
        if not decision.is_disposal:
            return False
        key = (table, row)
        self.due.add(key)
        code = CANARY if is_canary and self._expected[key] else ""
        if not code and covers(self._policy.quarantine, decision.categories):
            code = waits(self._marks.get(key), self._day)
        if not code and out_of_reach:
            code = LONG_TERM
        if code:
            self.aside.append((kind, decision))
            self.waiting[code] += 1
            return False
        self.drifted += key in self._changed
        if decision.retention_end is not None and decision.retention_end < self._late_before:
            self.late.add(key)
        return True

    def look_at(self, decided: Decided, staying: Collection[int]) -> pl.Series:
        """Note what is particular about the units of a plan; return the rows of those that a run of it
        disposes of, as far as is known now. `staying` are those that are out of reach."""
        import polars as pl

        from rules.law.codes import has
        from rules.law.kept_or_disposed import KEEP

        def among(few: Collection[int]) -> pl.Series:
            return decided.frame["row"].is_in(pl.Series(sorted(few), dtype=pl.UInt32).implode())

        is_due = decided.that(pl.col("disposition") != KEEP)
        waiting = [number for number, terms in enumerate(decided.terms) if covers(self._policy.quarantine, terms.categories)]
        noted = set(self._changed) | self._marks.keys()
        is_noted = among(decided.names.rows({row for _, row in noted})) | among(staying) | decided.that(pl.col("terms").is_in(waiting))
        is_special = among(decided.names.rows(self._canary_ids)) | is_due & is_noted
        going = [
            row
            for row, kind, table, identity, decision in decided.decisions(decided.frame.filter(is_special))
            if self.look(kind, table, identity, decision, out_of_reach=row in staying)
        ]
        self.undecided += decided.keys(decided.frame.filter(~is_special & decided.that(has(pl.col("reasons"), Reason.UNCONFIGURED))))
        due = decided.frame.filter(~is_special & is_due)
        if self._has_old_plan:
            self.late.update(decided.keys(due.filter(pl.col("retention_end") < self._late_before)))
        return pl.concat([pl.Series(going, dtype=pl.UInt32), due["row"]])

    def left(self, connector: Connector) -> list[Mark]:
        """Return the units that leave quarantine. This plan has looked for them, and they are not due any
        more or no longer exist."""
        looked_at = self.tables(connector)
        is_off = self._policy.quarantine is None
        return [mark for key, mark in self._marks.items() if is_off or (mark.table in looked_at and key not in self.due)]

    def odd_canaries(self, connector: Connector) -> Iterator[Alarm]:
        """Yield an alarm for each canary not as the policy says, named by its place in the policy's list."""
        for number, canary in enumerate(self._policy.canaries, start=1):
            records, found = connector.records(canary.table), self.canaries.get((canary.table, canary.id))
            if not any(issubclass(record, _units(connector)) for record in records):
                yield Alarm.of(CANARY, "canary_no_unit", number=number, table=canary.table)
            elif not any(issubclass(record, self._looked_at(connector)) for record in records):
                continue
            elif found is None:
                yield Alarm.of(CANARY, "canary_not_found", number=number, table=canary.table)
            elif found.is_disposal is not canary.due:
                is_so = "canary_kept" if canary.due else "canary_due"
                yield Alarm.of(CANARY, is_so, number=number, table=canary.table, reason=found.reason.value)

    def rows(self, connector: Connector) -> dict[str, int]:
        """Return the rows that were read, by table. Participants of activities are left out: they come and
        are removed with these."""
        kinds = {record.__name__.lower(): record for record in KINDS.values() if record is not ActivityParty}
        tables = [table for name in sorted(kinds) if connector.has(kinds[name]) for table in connector.tables(kinds[name])]
        tables += [kind.word for kind in connector.all_kinds.termed]
        return {table: self.seen.tables[table] for table in tables if table in self.seen.tables}

    def tables(self, connector: Connector) -> set[str]:
        """Return the tables whose units a plan of this kind decides on."""
        return {table for record in self._looked_at(connector) if connector.has(record) for table in connector.tables(record)}

    def _looked_at(self, connector: Connector) -> tuple[type[Record], ...]:
        """Return the kinds of record whose units a plan of this kind decides on."""
        if self._kind is Kind.ALL:
            return _units(connector)
        wanted = self._kind is Kind.RECORDINGS
        conversations = tuple(KINDS[kind.value] for kind in RECORDING_KINDS)
        return tuple(record for record in _units(connector) if (record in conversations) is wanted)


def _units(connector: Connector) -> tuple[type[Record], ...]:
    """Return the kinds of record of which rows are units, those of dependent tables with a term included."""
    return (*UNITS, *(kind.record for kind in connector.all_kinds.termed))


def shrunk(earlier_plans: EarlierPlans, kind: Kind, seen: dict[str, int], watch: Watch, connector: Connector) -> Iterator[Alarm]:
    """Yield an alarm for each table that shows fewer rows than the last plan saw. Rows that our own runs have
    removed since are not counted as missing."""
    before = earlier_plans.last_view(kind)
    if before is None:
        return
    removed = earlier_plans.removed_since(before, connector)
    for table, now in seen.items():
        was = before.seen.get(table, 0)
        lost = was - removed[table] - now
        if lost > watch.view_shrinks_rows and lost * 100 > watch.view_shrinks_percent * was:
            yield Alarm.of(VIEW_SHRANK, "view_shrank", table=table, rows=now, before=was, removed=removed[table])


def unaccounted(found: DataMap) -> Iterator[Alarm]:
    """Yield an alarm where tables that lead to a unit or a person have rows, and nothing says what becomes of
    them."""
    if names := [place.table for place in found.alarming]:
        yield Alarm.of(UNACCOUNTED_TABLES, "unaccounted", tables=", ".join(names))


def missed_changes(missed: Mapping[str, int]) -> Iterator[Alarm]:
    """Yield an alarm for each table of which the CRM has not told all changes, so that nights by changes went
    by rows that were not as they remembered them. This plan has read the table in full."""
    for table, rows in sorted(missed.items()):
        yield Alarm.of(MISSED_CHANGES, "missed_changes", table=table, rows=rows)


def nothing_due(earlier_plans: EarlierPlans, kind: Kind, units: int, disposals: int, policy: Policy, day: date) -> Iterator[Alarm]:
    """Yield an alarm if a plan finds nothing although it usually does, or reads no unit although there were
    some. A second plan on a day on which a run was completed finds nothing, as it should (R-060)."""
    before = earlier_plans.last_view(kind)
    if units == 0 and before is not None and before.units > earlier_plans.disposed_since(before):
        yield Alarm.of(NOTHING_DUE, "no_unit_read", before=before.units)
        return
    history = earlier_plans.disposals(kind)
    median = median_of(history)
    if disposals or median is None or len(history) < policy.watch.usual_runs or earlier_plans.has_run_on(day, kind, policy.calendar):
        return
    if median >= policy.watch.usual_disposals:
        yield Alarm.of(NOTHING_DUE, "nothing_due", median=median)
