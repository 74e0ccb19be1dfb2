"""Removes and trims the contacts of a plan, after its units: only those that nothing refers to now
(RET-20)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import Final

from jobs.checks.kill_switch import refuse_if_stopped
from jobs.holds.active import held_contacts, people_of
from jobs.model.plan import LOOKING_AT_DOSSIERS, Key, Kind, Plan, PlanLine
from jobs.model.run import AWAITS_TURN, CHANGED, TRIM, UNANSWERED, UNLINKED, Action, ActionState, RowWrite
from jobs.plans.lines.pages import lines_of
from jobs.reading.participations import named_in
from jobs.residual.clean import PLACES_LEFT
from jobs.runs.journal import Journal
from jobs.writing.contact_check import STILL_REFERRED, ContactCheck, Situation, check_contacts
from jobs.writing.contact_links import unlinked
from jobs.writing.deletion_order import rows_of_contacts
from jobs.writing.turns import Waits
from rules.model.decisions import Reason
from rules.model.records import Contact
from rules.retention.relations import RelationTerms

_NO_REASONS: Final[Mapping[str, str]] = MappingProxyType({})
_GONE: Final = (ActionState.REMOVED, ActionState.DONE, ActionState.PARTIAL)
_SETTLED: Final = (ActionState.SKIPPED, ActionState.REMOVED, ActionState.DONE)


class ContactsOfPlan:
    """The contacts of one plan, from the current position of its run's journal.

    `rule` is the one for a removal or trim, `reasons` gives the reason by contact; without it a contact is
    deleted because its term has expired. People who have `given_up` what ties them, on their own request, are
    not tied by it any more."""

    def __init__(
        self,
        journal: Journal,
        plan: Plan,
        terms: RelationTerms,
        *,
        rule: str = "RET-20",
        reasons: Mapping[str, str] = _NO_REASONS,
        given_up: Collection[str] = (),
    ) -> None:
        self.journal = journal
        self.context = journal.context
        self.plan, self.terms, self.rule = plan, terms, rule
        self.reasons, self.given_up = reasons, given_up
        self.table = self.context.connector.table(Contact)

    def trims(self) -> list[str]:
        """Return the contacts to trim that are not in the journal yet."""
        return [contact for contact in self.plan.trims if (self.table, contact) not in self.journal.actions]

    def free(self, lines: Sequence[PlanLine], gone: Collection[str]) -> list[PlanLine]:
        """Return those of some contacts that could be removed now if some rows, by id, had gone."""
        check = self._check({line.id for line in lines}, (), (), gone)
        free = [line for line in lines if check.etags.get(line.id) == line.etag and not check.keeps(line.id)]
        etags = {line.id: line.etag for line in free}
        rows = rows_of_contacts(self.context.connector, etags, self.terms, given_up=self.given_up, retained=check.retained)
        waiting = self.journal.whole([self._action(contact, "delete", rows[contact]) for contact in etags], gone)[1]
        return [line for line in free if line.key not in waiting]

    def dispose(self, lines: Sequence[PlanLine], trims: Sequence[str]) -> None:
        """Remove or trim contacts, but only those that nothing refers to now: a unit that was skipped keeps
        its people. A new reference changes no version of the contact, so each group is looked at again just
        before it is written."""
        etags = {line.id: line.etag for line in lines}
        check = self._check(etags, trims, ())
        for line in lines:
            if line.id not in check.etags:
                self.journal.is_gone(line)
        kept = {one: check.keeps(one) for one in check.etags if one in etags}
        self._keep(kept, "delete", check)
        # A contact that points to another goes before it, or the other's removal would change its version.
        going = check.pointing_first([contact for contact in etags if not check.keeps(contact)])
        remaining = set(going)
        for group in self._groups(going):
            self.context.progress("removing contacts", len(going) - len(remaining), len(going))
            self._remove(group, etags, frozenset(remaining))
            remaining -= set(group)
        for group in self._groups(trims):
            self.context.progress("trimming contacts", 0, len(trims))
            self._trim(group, self._check((), group, ()))

    def pass_over_unlinked(self, lines: Sequence[PlanLine]) -> None:
        """Note the contacts to which nothing leads any more before anything of the plan has gone: no unit
        takes them along, so they stay as ones that were never linked (RET-17, RET-20). Of those that a hold
        keeps too the hold is told: once it is over they stay all the same. What an earlier run should have
        removed or emptied is not asked about: its units have gone."""
        undone = self.context.store.journal.undone(self.table)
        planned = dict.fromkeys((line.id for line in lines), "delete") | dict.fromkeys(self.trims(), TRIM)
        planned |= {contact: disposition for contact, disposition, _ in self.plan.held_contacts}
        of_this = {contact: disposition for contact, disposition in planned.items() if contact not in undone}
        trims = [contact for contact, disposition in of_this.items() if disposition == TRIM]
        left = unlinked(self.context.connector, of_this.keys() - {*trims}, trims)
        held = held_contacts(self.context, self.journal.day, left) if left else {}
        codes = {contact: held[contact].value if contact in held else UNLINKED for contact in sorted(left)}
        for code in sorted({*codes.values()}):
            self.journal.skip([(self.table, contact, of_this[contact]) for contact in codes if codes[contact] == code], code, UNLINKED)

    def pass_over_held(self, lapsed: str) -> None:
        """Note the contacts that a hold, or somebody who mentions them, has kept in the plan: without it a
        later run would take them for ones that were never linked."""
        for contact, disposition, reason in self.plan.held_contacts:
            if (self.table, contact) not in self.journal.actions:
                self.skip([contact], disposition, lapsed or reason)

    def remember(self, going: Iterable[RowWrite]) -> None:
        """Note, before they go, whom calls, e-mails and rows of dependent tables name. A plan that does not
        look at everybody says nothing of them, and the next one that does would take them for ones that were
        never linked (RET-20)."""
        if self.plan.kind in LOOKING_AT_DOSSIERS:
            return
        found = named_in(self.context.connector, ((write.kind, write.id) for write in going if write.operation == "delete"))
        named = {contact for contacts in found.values() for contact in contacts}
        named -= {contact for table, contact in self.journal.actions if table == self.table} | {*self.plan.trims}
        if named:
            lines = lines_of(self.context.store.plans.pages(self.plan.id), lambda line: line.table == self.table)
            # Of a replay also who was emptied before: a person has to look at them.
            told = {line.id for line in lines if line.is_disposal or self.plan.kind is Kind.REPLAY}
            self.skip(sorted(named - told), TRIM, AWAITS_TURN)

    def named_since(self, people: Mapping[str, Collection[str]], rows: Mapping[str, Sequence[RowWrite]]) -> dict[str, tuple[str, ...]]:
        """Return by unit whom it names, by a role, these `people`, or by a call, an e-mail or a row of a
        dependent table among its `rows`, and of whom the plan says nothing: something else kept them, or they
        have come to the unit since."""
        if self.plan.kind not in LOOKING_AT_DOSSIERS:
            return {}
        deleted = {unit: [write for write in writes if write.operation == "delete"] for unit, writes in rows.items()}
        found = named_in(self.context.connector, ((write.kind, write.id) for writes in deleted.values() for write in writes))
        named = {
            unit: {*people.get(unit, ())}.union(*(found.get(write.id, ()) for write in writes)) - self._told
            for unit, writes in deleted.items()
        }
        return {unit: tuple(sorted(contacts)) for unit, contacts in named.items() if contacts}

    def remember_late(self) -> None:
        """Note those of whom the plan said nothing that nothing keeps now that a unit has gone which named
        them. Nobody has approved that they go, and the next plan would take them for ones that were never
        linked (RET-17, RET-20)."""
        gone = [action for action in self.journal.actions.values() if action.state in _GONE]
        named = {contact for action in gone for contact in action.named} - self._told
        if contacts := {contact for contact in named if (self.table, contact) not in self.journal.actions}:
            check = self._check(contacts, (), ())
            self.skip(sorted(one for one in check.etags if check.keeps(one) != STILL_REFERRED), TRIM, AWAITS_TURN)

    @cached_property
    def _told(self) -> frozenset[str]:
        return frozenset((*self.journal.people, *self.plan.trims, *(contact for contact, _, _ in self.plan.held_contacts)))

    def skip(self, contacts: Collection[str], disposition: str, code: str) -> None:
        """Note contacts that stay, all for the same reason."""
        self.journal.skip([(self.table, contact, disposition) for contact in contacts], code)

    def _groups(self, contacts: Sequence[str]) -> Iterator[Sequence[str]]:
        for start in range(0, len(contacts), self.journal.group):
            refuse_if_stopped(self.context.store)
            yield contacts[start : start + self.journal.group]

    def _check(
        self, removals: Collection[str], trims: Collection[str], going: Collection[str], leaving: Collection[str] = ()
    ) -> ContactCheck:
        context, day = self.context, self.journal.day
        # A unit of which a part is left has not been disposed of, although the roles in it may have gone
        # already.
        partials = [action for _, action in context.store.journal.partials() if action.code != PLACES_LEFT and action.id not in leaving]
        half_done = {person for action in partials for person in people_of(action)}
        situation = Situation(going, held_contacts(context, day, {*removals, *trims}), half_done, self.given_up, leaving)
        return check_contacts(context.connector, removals, trims, situation, day=day, terms=self.terms)

    def _remove(self, contacts: Sequence[str], etags: Mapping[str, str], going: Collection[str]) -> None:
        read_at = self.context.clock()
        check = self._check(contacts, (), going)
        codes = {contact: check.keeps(contact) or ("" if check.etags[contact] == etags[contact] else CHANGED) for contact in contacts}
        self._keep(codes, "delete", check)
        versions = {contact: etags[contact] for contact in contacts if not codes[contact]}
        waits = Waits(self.journal.turns)  # of several who have a row in common the last goes with it
        rows = rows_of_contacts(self.context.connector, versions, self.terms, given_up=self.given_up, retained=check.retained, waits=waits)
        for contact in sorted(waits):
            self.skip([contact], "delete", AWAITS_TURN)
        self.remember(write for contact in versions if contact not in waits for write in rows[contact])
        intents = [self._action(contact, "delete", rows[contact]) for contact in versions if contact not in waits]
        self.journal.carry_out(intents, {}, partial(self._kept, lambda asked: self._check(asked, (), going)), read_at)

    def _trim(self, contacts: Sequence[str], check: ContactCheck) -> None:
        intents = []
        for contact in contacts:
            if self.journal.has_landed((self.table, contact)):
                continue
            if code := check.keeps(contact):
                self._keep({contact: code}, TRIM, check)
                continue
            # Where nothing is left to empty the row is not touched: a new version of it would be noise in its
            # history.
            writes = () if contact in check.already_empty else (RowWrite("contact", contact, check.etags[contact], TRIM),)
            intents.append(self._action(contact, TRIM, writes))
        self.journal.carry_out(intents, {}, partial(self._kept, lambda asked: self._check((), asked, ())), self.context.clock())

    def _kept(self, check: Callable[[Collection[str]], ContactCheck], keys: Collection[Key]) -> dict[Key, str]:
        """Return which of these something keeps by now, each with the code. Of who is gone the write itself
        tells."""
        now = check([contact for _, contact in keys])
        return {key: code for key in keys if key[1] in now.etags and (code := now.keeps(key[1]))}

    def _keep(self, codes: Mapping[str, str], disposition: str, check: ContactCheck) -> None:
        """Note the contacts that stay, by what keeps each, if anything does. One to whom a role leads goes
        with that unit: should somebody take the role away before, no later run has to make good for it."""
        groups: dict[tuple[str, bool], list[str]] = {}
        for contact, code in sorted(codes.items()):
            if code:
                may_leave = code == STILL_REFERRED and check.is_of_another(contact) and self._is_settled
                groups.setdefault((code, may_leave), []).append(contact)
        for (code, has_role), contacts in sorted(groups.items()):
            units = [(self.table, contact, disposition) for contact in contacts]
            self.journal.skip(units, code, *([UNLINKED] if has_role else ()))

    @cached_property
    def _is_settled(self) -> bool:
        """Whether all units of the plan, of which contacts are the last, have gone or stay. Who was erased
        before is looked for until gone, and so is who belongs to a unit that may go yet."""
        others = [action for action in self.journal.actions.values() if action.table != self.table]
        is_known = all(action.state in _SETTLED and UNANSWERED not in action.flags for action in others)
        return is_known and self.plan.kind is not Kind.REPLAY

    def _action(self, contact: str, disposition: str, rows: Sequence[RowWrite]) -> Action:
        reason = self.reasons.get(contact, Reason.EXPIRED.value)
        return Action(self.table, contact, disposition, ActionState.INTENDED, rows=tuple(rows), rule=self.rule, reason=reason)
