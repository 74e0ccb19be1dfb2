"""Carries out the plan of a granted request. The schedule does not decide whether; the DPO has decided. Of
the holds only those give way that table 4.2 lets a granted erasure pass: the person's own request, and a
restriction or an objection that the person obtained (HLD-12, R-078, R-079)."""

from collections.abc import Sequence

from jobs.holds.granted_erasure import erasure_of, given_up, giving_way, ways_of
from jobs.model.plan import REQUEST_RULE, Plan, PlanLine
from jobs.model.run import CHANGED, Run
from jobs.plans.alarms.observations import CANARY
from jobs.ports.context import JobContext
from jobs.reading.units import is_anonymised
from jobs.register.decision import decision_of
from jobs.runs.contacts_of_plan import ContactsOfPlan
from jobs.runs.quarantine import kept_with
from jobs.runs.rows_run import Facts, Going, UnscheduledRun
from jobs.writing.deletion_order import Rows
from jobs.writing.dissociate import dissociation, unnaming
from jobs.writing.row_writes import write_of_line
from jobs.writing.statistics import facts_for
from rules.model.decisions import Disposition
from rules.model.kinds import FILES, WHOLE
from rules.model.records import Unit


class Fulfilment(UnscheduledRun):
    """One run of the plan of one request, from where its journal stands to its end."""

    rule = REQUEST_RULE
    with_termed = True  # what was granted is the file with all that depends on it

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        decision = decision_of(context.store, plan.request)
        super().__init__(giving_way(context, erasure_of(plan.request, decision)), plan, run)
        self._contacts_named = decision.contacts if decision is not None else ()
        self._named = {own.word for own in context.connector.all_kinds.own}
        self.given_up = given_up(context, decision)

    def _continue_partials(self, due: Sequence[PlanLine]) -> None:
        """Leave to other runs what they left half done: here holds give way that apply there."""

    def _contacts(self) -> ContactsOfPlan:
        return ContactsOfPlan(self.journal, self.plan, self.terms, rule=REQUEST_RULE, reasons=self.reasons, given_up=self.given_up)

    def _has_gone(self, word: str, unit: Unit) -> bool:
        return word in FILES and is_anonymised(unit)

    def _write(self, rows: Rows, going: Going) -> Facts:
        """Dissociate a role, just delete another row that is not a unit, and dispose of a file as the
        schedule says, with its row of statistics."""
        disowned = [unit.id for line, unit in going if self.word_of(line) == "party"]
        writes = dissociation(self.context.connector, disowned)
        for line, unit in going:
            word = self.word_of(line)
            if word == "party":
                rows.of[unit.id] = writes.get(unit.id, [])
                if not rows.of[unit.id]:
                    rows.blocked[unit.id] = CHANGED
            elif word in self._named and line.disposition == Disposition.ANONYMISE:
                own_row = write_of_line(self.context.connector, word, line)
                rows.of[unit.id] = list(unnaming(self.context.connector, [own_row], self._contacts_named).values())
                if not rows.of[unit.id]:
                    rows.blocked[unit.id] = CHANGED
            elif word not in WHOLE:
                rows.of[unit.id] = [*self._below(unit), write_of_line(self.context.connector, word, line)]
        files = [unit for line, unit in going if self.word_of(line) in FILES]
        ways = [(unit, decision) for unit, decision in zip(files, ways_of(self.context, files), strict=True) if decision is not None]
        facts = facts_for(self.context, ways)
        self.in_place.mask(ways, rows, facts)
        return facts

    def _kept(self, rows: Rows) -> dict[str, str]:
        return {unit: code for unit, code in kept_with(self.context, rows.of, self.day).items() if code == CANARY}
