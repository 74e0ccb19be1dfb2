"""Carries out the plan of a granted request, with every guard of any run: journal, row versions, holds, other places, reading back,
certificates.

The schedule is not asked whether; the DPO has decided. Of the holds only those give way that table 4.2 lets a granted erasure pass: the
person's own request, and a restriction or an objection that the person obtained (HLD-12, R-078, R-079).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jobs.application import Application, Key
from jobs.counting import facts_for
from jobs.disowning import disowning
from jobs.disposal import CHANGED, Rows, rows_of_units
from jobs.erasing import RULE, erasure_of, giving_way, way_of
from jobs.gathering import is_anonymised
from jobs.granted import What, decision_of
from jobs.holding import active_holds
from jobs.lookout import CANARY
from jobs.plan import Plan, PlanLine
from jobs.planning import lines_of
from jobs.ports import JobContext
from jobs.quarantine import kept_with
from jobs.returned import LINKS
from jobs.runs import Action, ActionState, RowWrite, Run
from jobs.surroundings import WHOLE, Surroundings, look_around
from jobs.tally import LOOSE
from rules.disposition import Disposition
from rules.records import KINDS, Unit, UnitKind

_FILES = ("dossier", "fiche")


class Fulfilment(Application):
    """One run of the plan of one request, from where its journal stands to its end."""

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        decision = decision_of(context.store, plan.request)
        super().__init__(giving_way(context, erasure_of(plan.request, decision)), plan, run)
        mapped = {kind: KINDS[kind] for kind in LINKS if self.context.connector.has(KINDS[kind])}
        self.words = {self.context.connector.table(record): kind for kind, record in mapped.items()}
        # A role is no unit by itself; alone it is written like an e-mail that hangs on nothing, before any file (as in a replay).
        self.kinds = dict.fromkeys(self.words, UnitKind.EMAIL) | self.kinds
        self.given_up = frozenset(task.id for task in (decision.of({What.PROFILE}) if decision is not None else ()))
        lines = lines_of(context.store.plan_pages(plan.id))
        self.reasons = {line.id: line.reason for line in lines if line.is_disposal}

    def _continue_partials(self, planned: set[Key]) -> None:
        """What other runs left half done is theirs: here holds give way that stand in theirs."""

    def _dispose_of_units(self, lines: Sequence[PlanLine]) -> None:
        context = self.context
        holds = active_holds(context, self.day)
        seen = look_around(context.connector, [(self.words[line.table], line.id) for line in lines])
        going: list[tuple[PlanLine, Unit]] = []
        for line in lines:
            unit = seen.units.get((self.words[line.table], line.id))
            if unit is None or (self.words[line.table] in _FILES and is_anonymised(unit)):
                self._is_gone(line)
            elif unit.etag != line.etag:
                self._skip([(line.table, line.id, line.disposition or "")], CHANGED)
            elif reasons := holds.covering(unit):
                self._skip([(line.table, line.id, line.disposition or "")], reasons[0].value)
            else:
                going.append((line, unit))
        if not going:
            return
        rows = self._rows(going, seen)
        decided = [(unit, way_of(context, unit)) for line, unit in going if self.words[line.table] in _FILES]
        ways = [(unit, decision) for unit, decision in decided if decision is not None]
        facts = facts_for(context, ways)
        self.in_place.mask(ways, rows, facts)
        kept = {unit: code for unit, code in kept_with(context, rows.of, self.day).items() if code == CANARY}
        rows.blocked |= kept | self._held_since([unit for _, unit in going])
        intents = []
        for line, unit in going:
            if unit.id in rows.blocked:
                self._skip([(line.table, line.id, line.disposition or "")], rows.blocked[unit.id])
                continue
            intents.append(
                Action(
                    line.table,
                    line.id,
                    line.disposition or Disposition.DELETE.value,
                    ActionState.INTENDED,
                    rows=tuple(rows.of[unit.id]),
                    statistic=facts.get(unit.id),
                    flags=(LOOSE,) if (self.words[line.table], unit.id) in seen.loose else (),
                    categories=line.categories,
                    rule=RULE,
                    reason=line.reason,
                    end_month=(line.retention_end or "")[:7],
                )
            )
        self._carry_out(intents, {(line.table, line.id): unit for line, unit in going})

    def _rows(self, going: Sequence[tuple[PlanLine, Unit]], seen: Surroundings) -> Rows:
        """The writes of each unit: a file or recording with all that hangs on it, a role that is disowned, or just the row."""
        context = self.context
        whole = [unit for line, unit in going if self.words[line.table] in WHOLE]
        holds = active_holds(context, self.day)
        rows = rows_of_units(context.connector, seen.found, whole, policy=context.policy, holds=holds, as_of=self.day, outside=self.outside)
        disowned = [unit.id for line, unit in going if self.words[line.table] == "party"]
        writes = disowning(context.connector, disowned)
        for line, unit in going:
            word = self.words[line.table]
            if word == "party":
                rows.of[unit.id] = writes.get(unit.id, [])
                if not rows.of[unit.id]:
                    rows.blocked[unit.id] = CHANGED
            elif word not in WHOLE:
                rows.of[unit.id] = [RowWrite(word, unit.id, unit.etag)]
        return rows

    def _contact_action(self, contact: str, disposition: str, rows: Sequence[RowWrite]) -> Action:
        action = super()._contact_action(contact, disposition, rows)
        return msgspec.structs.replace(action, rule=RULE, reason=self.reasons.get(contact, action.reason))
