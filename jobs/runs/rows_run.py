"""Carries out a plan for which the schedule is not consulted. It has every guard of any run: journal, row
versions, holds, other places, reading back, certificates. A row that is not a unit of the schedule may be
deleted alone."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import ClassVar

import msgspec

from jobs.holds.active import active_holds
from jobs.model.plan import Key, Plan, PlanLine
from jobs.model.run import CHANGED, LOOSE, Action, ActionState, RowWrite, Run
from jobs.plans.lines.pages import is_disposal, lines_of
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.reading.owners import UNIT_KINDS, look_around
from jobs.reading.row_kinds import RowKinds
from jobs.runs.contacts_of_plan import ContactsOfPlan
from jobs.runs.recheck import held_since
from jobs.runs.run import Application
from jobs.writing.deletion_order import Rows
from jobs.writing.dependent_rows import below
from rules.model.decisions import Disposition
from rules.model.kinds import WHOLE
from rules.model.records import Unit, UnitKind

Going = Sequence[tuple[PlanLine, Unit]]
Facts = Mapping[str, dict[str, object]]


class UnscheduledRun(Application, ABC):
    """One run of such a plan, from where its journal stands to its end."""

    rule: ClassVar[str]  # the one that its units and contacts go by

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        super().__init__(context, plan, run)
        self.words = RowKinds(context.connector, context.connector.all_kinds.links)
        self.reasons = {line.id: line.reason for line in lines_of(context.store.plans.pages(plan.id), is_disposal)}

    def word_of(self, line: PlanLine) -> str:
        """Return the word for the kind of the row that a line is about."""
        return self.words.of(line.table, line.id)

    def kind_of(self, line: PlanLine | Action) -> UnitKind:
        """Return the kind of unit of a line. A role or a call is none by itself; alone it is written like an
        e-mail that belongs to nothing, before any file."""
        return UNIT_KINDS.get(self.words.of(line.table, line.id), UnitKind.EMAIL)

    @abstractmethod
    def _write(self, rows: Rows, going: Going) -> Facts:
        """Complete and change the writes of what is deleted. Return the rows of statistics to write, by
        unit."""

    @abstractmethod
    def _kept(self, rows: Rows) -> dict[str, str]:
        """Return the units that something other than a hold keeps, each with the code."""

    @abstractmethod
    def _contacts(self) -> ContactsOfPlan:
        """Return the contacts of the plan, which are disposed of by `rule` and for `reasons`."""

    def _has_gone(self, word: str, unit: Unit) -> bool:
        """Return whether an existing row, with the word for its kind, has been disposed of already."""
        return False

    def _below(self, unit: Unit) -> list[RowWrite]:
        """Return what goes with a row that is deleted alone, where the organisation has tables that depend on
        others."""
        connector = self.context.connector
        if not connector.all_kinds.own:
            return []
        retaining = connector.retaining(tuple(kind.record for kind in connector.all_kinds.depending))
        return [write for _, write in below(connector, {unit.id: unit.id}, retaining, with_termed=self.with_termed)]

    def _dispose_of_units(self, lines: Sequence[PlanLine]) -> None:
        read_at = self.context.clock()
        holds = active_holds(self.context, self.day)
        seen = look_around(self.context.connector, [(self.word_of(line), line.id) for line in lines])
        going: list[tuple[PlanLine, Unit]] = []
        for line in lines:
            word = self.word_of(line)
            unit = seen.units.get((word, line.id))
            if unit is None or self._has_gone(word, unit) or unit.etag != line.etag:
                self.journal.is_gone(line)
            elif reasons := holds.covering(unit) or holds.on_rows([(word, line.id)]):
                self.journal.skip_lines([line], reasons[0].value)
            else:
                going.append((line, unit))
        if not going:
            return
        rows = self._rows_of([unit for line, unit in going if self.word_of(line) in WHOLE], seen.found, holds)
        facts = self._write(rows, going)
        self._reach_retained([unit.id for _, unit in going if unit.id in seen.found.retained], rows)
        rows.blocked |= self._kept(rows) | held_since(self.context.connector, [unit for _, unit in going])
        self._remember_named(rows)
        whole = {line.key: line for line, _ in going if self.word_of(line) in WHOLE}
        otherwise = partial(self._grown, whole, rows)
        intents = self._announced(going, rows, facts, seen.loose)
        self.journal.carry_out(intents, {line.key: unit for line, unit in going}, otherwise, read_at)

    def _reach_retained(self, there: Collection[str], rows: Rows) -> None:
        """Have what is in long-term retention itself purged there, where it is deleted. No other write
        reaches it."""
        for row in there:
            own = rows.of[row][-1] if rows.of.get(row) else None
            if own is None or own.operation != "delete" or not self.context.connector.may_purge_retained():
                rows.blocked.setdefault(row, LONG_TERM)
            else:
                rows.of[row][-1] = msgspec.structs.replace(own, retained=True)

    def _grown(self, whole: Mapping[Key, PlanLine], rows: Rows, keys: Collection[Key]) -> dict[Key, str]:
        """Return which of these files and other units would go by now with more than the `rows` that were
        announced: of what has come since nobody has decided that it goes."""
        asked = [whole[key] for key in keys if key in whole]
        seen = look_around(self.context.connector, [(self.word_of(line), line.id) for line in asked])
        found = ((line.key, seen.units.get((self.word_of(line), line.id))) for line in asked)
        units = {key: unit for key, unit in found if unit is not None}
        grown = self._rows_of([*units.values()], seen.found, active_holds(self.context, self.day)).grown_since(rows)
        return {key: CHANGED for key, unit in units.items() if unit.id in grown}

    def _announced(self, going: Going, rows: Rows, facts: Facts, loose: Collection[tuple[str, str]]) -> list[Action]:
        intents = []
        for line, unit in going:
            if unit.id in rows.blocked:
                self.journal.skip_lines([line], rows.blocked[unit.id])
                continue
            intents.append(
                Action(
                    line.table,
                    line.id,
                    line.disposition or Disposition.DELETE.value,
                    ActionState.INTENDED,
                    rows=tuple(rows.of[unit.id]),
                    statistic=facts.get(unit.id),
                    flags=(LOOSE,) if (self.word_of(line), unit.id) in loose else (),
                    categories=line.categories,
                    rule=self.rule,
                    reason=line.reason,
                    end_month=(line.retention_end or "")[:7],
                )
            )
        return intents
