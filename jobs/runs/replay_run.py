"""Carries out a replay plan: rows that had been erased and are back are erased again (ERA-13). The schedule
is not consulted, and nothing is counted in the statistics a second time. A dossier with a fiche that was
never erased stays: somebody has written that since, and nobody has judged it (RET-17)."""

from collections.abc import Collection, Sequence
from datetime import UTC
from functools import cached_property
from types import MappingProxyType

import msgspec

from jobs.erasures.register import Register, load_register, version_of
from jobs.holds.active import people_of
from jobs.holds.granted_erasure import despite_answered
from jobs.model.plan import CONSENT_WITHDRAWN, ERASURE_REQUEST, REPLAY_RULE, Plan
from jobs.model.run import AWAITS_TURN, CHANGED, NEW_FICHE, TRIM, WRITTEN_OFF, Mask, RowWrite, Run
from jobs.plans.lines.pages import lines_of
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.runs.contacts_of_plan import ContactsOfPlan
from jobs.runs.quarantine import kept_with
from jobs.runs.rows_run import Facts, Going, UnscheduledRun
from jobs.writing.anonymise import MASKED
from jobs.writing.contact_check import ContactCheck
from jobs.writing.contact_links import unlinked
from jobs.writing.deletion_order import Rows
from jobs.writing.dissociate import dissociation
from jobs.writing.row_writes import EMPTY, write_of_line
from rules.model.decisions import Disposition
from rules.model.kinds import WHOLE

_NOTHING_COUNTED: Facts = MappingProxyType({})


class ContactsAgain(ContactsOfPlan):
    """Empties contacts again that still have the version which was emptied; one that was filled in since is
    somebody's work."""

    def pass_over_held(self, lapsed: str) -> None:
        """Leave to the next plan those who were not erased before and to whom only what has gone again had
        led: what they had otherwise, the restore has lost (RET-20). Without a note they would look like ones
        that were never linked."""
        super().pass_over_held(lapsed)
        people = {person for action in self.journal.actions.values() for person in people_of(action)}
        told = {line.id for line in lines_of(self.context.store.plans.pages(self.plan.id)) if line.table == self.table}
        left = unlinked(self.context.connector, (), people - told)
        self.skip(sorted(one for one in left if (self.table, one) not in self.journal.actions), TRIM, AWAITS_TURN)

    def _trim(self, contacts: Sequence[str], check: ContactCheck) -> None:
        emptied = self._emptied_before(contacts, check)
        others = [one for one in contacts if one not in emptied and not self.journal.has_landed((self.table, one))]
        self.skip(others, TRIM, CHANGED)
        super()._trim([one for one in contacts if one in emptied], check)

    def _emptied_before(self, contacts: Sequence[str], check: ContactCheck) -> Collection[str]:
        register = load_register(self.context)
        return {
            contact
            for contact in contacts
            if contact in check.etags
            and (
                register.find(self.context.references(self.table, version_of(contact, check.etags[contact]))) is not None
                or register.begun(self.context.references(self.table, contact), but_by=self.journal.run) is not None
            )
        }


class Replay(UnscheduledRun):
    """One run of a replay plan, from where its journal stands to its end."""

    rule = REPLAY_RULE

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        super().__init__(despite_answered(context), plan, run)

    def _contacts(self) -> ContactsOfPlan:
        """Return the contacts of the plan. Who had been erased on request had given up what ties them: with
        the row of then the newsletter comes back, and the place at an organisation (R-091)."""
        given_up = [row for row, reason in self.reasons.items() if reason in (ERASURE_REQUEST, CONSENT_WITHDRAWN)]
        return ContactsAgain(self.journal, self.plan, self.terms, rule=REPLAY_RULE, reasons=self.reasons, given_up=given_up)

    def _write(self, rows: Rows, going: Going) -> Facts:
        anonymise = Disposition.ANONYMISE.value
        again = dissociation(
            self.context.connector, [line.id for line, _ in going if self.word_of(line) == "party" and line.disposition == anonymise]
        )
        for line, unit in going:
            word = self.word_of(line)
            if unit.id in again:
                rows.of[unit.id] = again[unit.id]
            elif word not in WHOLE:
                target = unit.children[0] if word == "party" and unit.children else None
                own_row = write_of_line(self.context.connector, word, line, target=target.id if target is not None else "")
                emptied = self.context.connector.all_kinds[word].emptied
                if emptied and line.disposition == anonymise:
                    own_row = msgspec.structs.replace(own_row, operation=EMPTY, target=",".join(emptied))
                rows.of[unit.id] = [*self._below(unit), own_row]
            if line.disposition == anonymise:
                rows.of[unit.id] = [self._masked(write) for write in rows.of[unit.id]]
                if any(write.mask is not None and write.retained for write in rows.of[unit.id]):
                    rows.blocked[unit.id] = LONG_TERM  # no write reaches it
        return _NOTHING_COUNTED

    def _kept(self, rows: Rows) -> dict[str, str]:
        new = {unit: code for unit, writes in rows.of.items() if (code := self._come_since(writes))}
        return new | kept_with(self.context, rows.of, self.day)

    def _come_since(self, writes: Sequence[RowWrite]) -> str:
        """Return the code of a unit, with its own row last, that would take a fiche along which was never
        erased; so of one that a lost run has left half done where it would take or let go anything that was
        not announced with it. Empty where there is nothing of that."""
        register, connector, references = self._register, self.context.connector, self.context.references
        if any(
            write.kind == "fiche" and write.operation in WRITTEN_OFF and register.is_new(references(*write.key(connector)))
            for write in writes
        ):
            return NEW_FICHE
        if not register.has_wholes or not writes:
            return ""
        table, row = writes[-1].key(connector)
        is_rest = register.find(references(table, row)) is None and register.whole(references(table, version_of(row, writes[-1].etag)))
        return CHANGED if is_rest and any(register.is_stranger(references(*write.key(connector))) for write in writes) else ""

    @cached_property
    def _register(self) -> Register:
        return load_register(self.context)

    def _masked(self, write: RowWrite) -> RowWrite:
        """Return the write for a row that was anonymised in place. It stays, and shows nothing of its place
        in the statistics: nothing is counted again."""
        if write.kind not in MASKED or write.operation != "delete":
            return write
        return msgspec.structs.replace(
            write, operation="mask", mask=Mask(self.context.clock().astimezone(UTC).isoformat(timespec="seconds"))
        )
