"""Carries out a replay plan: rows that had been erased and are back go again (ERA-13).

Everything is as in any run (journal, row versions, holds, other places, reading back, certificates) but three things: the schedule is not
asked, nothing is counted in the statistics a second time, and a row may go alone that is no unit of the schedule.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC

import msgspec

from jobs.anonymising import MASKED
from jobs.application import Application
from jobs.contacts import ContactCheck
from jobs.disowning import disowning
from jobs.disposal import CHANGED, Rows, rows_of_units
from jobs.erasures import load_register, version_of
from jobs.holding import active_holds
from jobs.plan import Plan, PlanLine
from jobs.planning import lines_of
from jobs.ports import JobContext
from jobs.quarantine import kept_with
from jobs.replaying import RULE, despite_answered
from jobs.returned import LINKS
from jobs.runs import Action, ActionState, Mask, RowWrite, Run
from jobs.surroundings import WHOLE, look_around
from jobs.tally import LOOSE, TRIM
from rules.disposition import Disposition
from rules.records import KINDS, Unit, UnitKind


class Replay(Application):
    """One run of a replay plan, from where its journal stands to its end."""

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        super().__init__(despite_answered(context), plan, run)
        mapped = {kind: KINDS[kind] for kind in LINKS if context.connector.has(KINDS[kind])}
        self.words = {context.connector.table(record): kind for kind, record in mapped.items()}
        # A role or a call is no unit by itself; alone it is written like an e-mail that hangs on nothing.
        self.kinds = dict.fromkeys(self.words, UnitKind.EMAIL) | self.kinds
        self.reasons = {line.id: line.reason for line in lines_of(context.store.plan_pages(plan.id)) if line.is_disposal}

    def _dispose_of_units(self, lines: Sequence[PlanLine]) -> None:
        context = self.context
        holds = active_holds(context, self.day)
        seen = look_around(context.connector, [(self.words[line.table], line.id) for line in lines])
        going: list[tuple[PlanLine, Unit]] = []
        for line in lines:
            unit = seen.units.get((self.words[line.table], line.id))
            if unit is None:
                self._is_gone(line)
            elif unit.etag != line.etag:
                self._skip([(line.table, line.id, line.disposition or "")], CHANGED)
            elif reasons := holds.covering(unit):
                self._skip([(line.table, line.id, line.disposition or "")], reasons[0].value)
            else:
                going.append((line, unit))
        if not going:
            return
        whole = [unit for line, unit in going if self.words[line.table] in WHOLE]
        rows = rows_of_units(context.connector, seen.found, whole, policy=context.policy, holds=holds, as_of=self.day, outside=self.outside)
        anonymise = Disposition.ANONYMISE.value
        again = disowning(
            context.connector, [line.id for line, _ in going if self.words[line.table] == "party" and line.disposition == anonymise]
        )
        for line, unit in going:
            word = self.words[line.table]
            if unit.id in again:
                rows.of[unit.id] = again[unit.id]
            elif word not in WHOLE:
                target = unit.children[0] if word == "party" and unit.children else None
                rows.of[unit.id] = [RowWrite(word, unit.id, unit.etag, target=target.id if target is not None else "")]
            if line.disposition == anonymise:
                rows.of[unit.id] = [self._masked(write) for write in rows.of[unit.id]]
        rows.blocked |= kept_with(context, rows.of, self.day) | self._held_since([unit for _, unit in going])
        self._carry_out(self._intents_again(going, rows, seen.loose), {(line.table, line.id): unit for line, unit in going})

    def _intents_again(self, going: Sequence[tuple[PlanLine, Unit]], rows: Rows, loose: Collection[tuple[str, str]]) -> list[Action]:
        intents = []
        for line, unit in going:
            if unit.id in rows.blocked:
                self._skip([(line.table, line.id, line.disposition or "")], rows.blocked[unit.id])
                continue
            intents.append(
                Action(
                    line.table,
                    line.id,
                    line.disposition or "delete",
                    ActionState.INTENDED,
                    rows=tuple(rows.of[unit.id]),
                    flags=(LOOSE,) if (self.words[line.table], unit.id) in loose else (),
                    rule=RULE,
                    reason=line.reason,
                )
            )
        return intents

    def _masked(self, write: RowWrite) -> RowWrite:
        """A row that was anonymised in place stays, and shows nothing of its place in the statistics: nothing is counted again."""
        if write.kind not in MASKED or write.operation != "delete":
            return write
        return msgspec.structs.replace(
            write, operation="mask", mask=Mask(self.context.clock().astimezone(UTC).isoformat(timespec="seconds"))
        )

    def _contact_action(self, contact: str, disposition: str, rows: Sequence[RowWrite]) -> Action:
        action = super()._contact_action(contact, disposition, rows)
        return msgspec.structs.replace(action, rule=RULE, reason=self.reasons.get(contact, action.reason))

    def _trim(self, contacts: Sequence[str], check: ContactCheck) -> None:
        """Empty contacts again that still have the version which was emptied; one that was filled in since is somebody's work."""
        emptied = self._emptied_before(contacts, check)
        self._skip([(self._contact_table, one, TRIM) for one in contacts if one not in emptied], CHANGED)
        super()._trim([one for one in contacts if one in emptied], check)

    def _emptied_before(self, contacts: Sequence[str], check: ContactCheck) -> Collection[str]:
        register = load_register(self.context)
        return {
            contact
            for contact in contacts
            if contact in check.etags
            and register.find(self.context.references(self._contact_table, version_of(contact, check.etags[contact]))) is not None
        }
