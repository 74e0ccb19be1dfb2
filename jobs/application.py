"""One run of one plan, from where its journal stands to its end.

Each unit is recomputed from current data just before it is written (RET-17); it goes only if plan and recomputation agree. The intent
stands in the journal and in the ledger before the first destructive call, so that a run that was killed goes on where it was. The order of
work is that of ERA-15: objects outside the CRM, rows from the leaves on, then what outlives them, then reading back, then certificates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from connectors.interface import Among
from jobs import settling
from jobs.anonymising import InPlace, anonymity_code
from jobs.certifying import certify
from jobs.checkpointing import make_checkpoint
from jobs.cleaning import clean_places, purge_before
from jobs.contacts import ContactCheck, check_contacts
from jobs.counting import facts_for, write_statistics
from jobs.disposal import CHANGED, Rows, rows_of_contacts, rows_of_units
from jobs.erasures import register
from jobs.gather import gather_units, rows_of
from jobs.gathering import is_anonymised
from jobs.holding import active_holds, held_actions, held_contacts, people_of
from jobs.judging import agrees, unit_in
from jobs.objects import OBJECT_LEFT, objects_left, remove_objects
from jobs.outside import Outside
from jobs.plan import Plan, PlanLine
from jobs.planning import lines_of
from jobs.ports import JobContext
from jobs.quarantine import kept_with, waiting
from jobs.resuming import as_found_again, finish_remaining, is_as_judged, is_shell
from jobs.runs import Action, ActionState, RowWrite, Run, RunState
from jobs.settling import TECHNICAL, settle_writes
from jobs.stopping import STOPPED, refuse_if_stopped, stopped
from jobs.tally import CONTINUED, TRIM, counts_of, has_failures
from jobs.unmapped import with_unmapped
from jobs.verify import still_there, verify_actions
from jobs.watch import alarms_of_run
from rules.decide import decide
from rules.disposition import Decision, Flag, Reason
from rules.holds import Holds
from rules.periods import brussels_date
from rules.places import PlaceState
from rules.records import KINDS, RELATION_KINDS, Contact, Dossier, Unit, UnitKind
from rules.relations import relation_terms

GROUP = 100  # units that are recomputed, journalled and sent together; the connector may ask for more
ORDER = (UnitKind.RECORDING, UnitKind.ATTACHMENT, UnitKind.EMAIL, UnitKind.FICHE, UnitKind.DOSSIER, *RELATION_KINDS)
# Why an interrupted run begins nothing new.
PLAN_REJECTED, POLICY_CHANGED, PLAN_EXPIRED = "PLAN_REJECTED", "POLICY_CHANGED", "PLAN_EXPIRED"

PLACES_LEFT = "PLACES_LEFT"  # rows are gone, and something of them is still in another place (ERA-12)
CLEANED_TOGETHER = 1_000  # units whose other places are cleaned and read back at once

T = TypeVar("T")
Key = tuple[str, str]  # table and id of a unit


class Application:
    """One run of one plan, from where its journal stands to its end."""

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        self.context = context
        self.plan = plan
        self.run = run
        self.day = brussels_date(run.as_of)
        # A plan keeps the version of the schedule by which it was made; what the one in force by now keeps stays all the same.
        self.in_force = context.on(self.day).policy
        self.terms = relation_terms(context.policy).agreed(relation_terms(self.in_force))
        self.kinds = {context.connector.table(KINDS[kind.value]): kind for kind in UnitKind if context.connector.has(KINDS[kind.value])}
        self.actions: dict[Key, Action] = {key_of(action): action for action in context.store.journal(run.id)}
        self.outside = Outside(context)
        self.in_place = InPlace(context)
        self.given_up: frozenset[str] = frozenset()  # people who gave up, on their own request, what ties them
        self.announced: dict[Key, Action] = {}  # sent before a run was cut off, and found untouched: perhaps still under way

    def carry_out(self) -> Run:
        self.context.connector.settle_earlier()
        self._settle_intended()
        due = [line for line in lines_of(self.context.store.plan_pages(self.plan.id)) if line.is_disposal]
        pending = [line for line in due if (line.table, line.id) not in self.actions]
        self._continue_partials({(line.table, line.id) for line in due})
        trims = [contact for contact in self.plan.trims if (self._contact_table, contact) not in self.actions]
        if code := self._lapsed():
            self._skip([(line.table, line.id, line.disposition or "") for line in pending], code)
            self._skip([(self._contact_table, contact, TRIM) for contact in trims], code)
            pending, trims = [], []
        done = 0
        for kind in ORDER:  # never two kinds in one group: a recording goes by its own line before its fiche is looked at
            for group in self._groups_of(kind, [line for line in pending if self.kinds[line.table] is kind]):
                refuse_if_stopped(self.context.store)
                self.context.progress("applying", done, len(pending))
                self._dispose_of_units(group)
                done += len(group)
        contacts = [line for line in pending if self.kinds[line.table] is UnitKind.CONTACT]
        if contacts or trims:
            self._dispose_of_contacts(contacts, trims)
        self._pass_over_held(code)
        self._clean()
        self._verify()
        self.run = write_statistics(self.context, self.run, list(self.actions.values()))
        certify(self.context, self.run, self.plan, list(self.actions.values()))
        run = self._finish()
        make_checkpoint(self.context.store, self.context.notary, self.context.clock)
        return run

    def _lapsed(self) -> str:
        """Why an interrupted run may settle what it had announced and nothing more, empty where it may go on."""
        plan, context = self.plan, self.context
        if any(not word.approves for word in plan.given):
            return PLAN_REJECTED
        if (plan.policy_digest, plan.mapping_digest) != (context.policy.digest, context.mapping_digest):
            return POLICY_CHANGED
        return PLAN_EXPIRED if context.clock() >= plan.valid_until else ""

    def _groups_of(self, kind: UnitKind, lines: Sequence[PlanLine]) -> Iterator[Sequence[PlanLine]]:
        """Groups as large as the CRM takes them well; it may learn from one how large the next should be."""
        at = 0
        while at < len(lines):
            size = self.context.connector.group_size(KINDS[kind.value], len(lines) - at, GROUP)
            yield lines[at : at + size]
            at += size

    # -- units ---------------------------------------------------------------------------------------------------------------------

    def _dispose_of_units(self, lines: Sequence[PlanLine]) -> None:
        context = self.context
        holds = active_holds(context, self.day)
        wanted: dict[UnitKind, list[str]] = {}
        for line in lines:
            wanted.setdefault(self.kinds[line.table], []).append(line.id)
        found = gather_units(context.connector, wanted)
        going: list[tuple[PlanLine, Unit, Decision]] = []
        for line in lines:
            unit = unit_in(found, self.kinds[line.table], line.id)
            is_left = unit is not None and not is_anonymised(unit)  # ERA-07, R-087
            decision = decide(unit, context.policy, holds, as_of=self.day) if unit is not None and is_left else None
            if unit is None or decision is None:
                self._is_gone(line)
            elif not decision.is_disposal:
                self._skip([(line.table, line.id, line.disposition or "")], decision.reason.value)
            elif not agrees(line, unit, decision):
                self._skip([(line.table, line.id, line.disposition or "")], CHANGED)
            elif (kept := self._kept_by_now(unit, holds)) is not None:
                self._skip([(line.table, line.id, line.disposition or "")], kept.value)
            else:
                going.append((line, unit, decision))
        going = self._without_waiting(going)
        if not going:
            return
        units = [unit for _, unit, _ in going]
        rows = rows_of_units(context.connector, found, units, policy=context.policy, holds=holds, as_of=self.day, outside=self.outside)
        facts = facts_for(context, [(unit, decision) for _, unit, decision in going])
        self.in_place.mask([(unit, decision) for _, unit, decision in going], rows, facts)
        rows.blocked |= kept_with(context, rows.of, self.day) | self._held_since([unit for _, unit, _ in going])
        self._carry_out(self._intents(going, rows, facts), {(line.table, line.id): unit for line, unit, _ in going})

    def _without_waiting(self, going: list[tuple[PlanLine, Unit, Decision]]) -> list[tuple[PlanLine, Unit, Decision]]:
        """Those that may go now: no canary, and none in quarantine."""
        codes = waiting(self.context, [line for line, _, _ in going], self.day)
        for line, _, _ in going:
            if line.id in codes:
                self._skip([(line.table, line.id, line.disposition or "")], codes[line.id])
        return [each for each in going if each[0].id not in codes]

    def _kept_by_now(self, unit: Unit, holds: Holds) -> Reason | None:
        """Why the version of the schedule in force by now keeps a unit that the plan's version disposes of; None where it does not."""
        if self.in_force.digest == self.context.policy.digest:
            return None
        decision = decide(unit, self.in_force, holds, as_of=self.day)
        return None if decision.is_disposal else decision.reason

    def _is_gone(self, line: PlanLine) -> None:
        """A unit that is not there any more: somebody else's work, or our own of before the run was cut off."""
        before = self.announced.get((line.table, line.id))
        if before is not None and not still_there(self.context.connector, before.rows):
            self._record([self._removed(before)], "outcome")
        else:
            self._skip([(line.table, line.id, line.disposition or "")], CHANGED)

    def _held_since(self, units: Sequence[Unit]) -> dict[str, str]:
        """Units whose dossier, another row than the unit's own, has come under a hold since it was read: no version tells (HLD-07)."""
        dossiers = {unit.id: unit.belongs_to.id for unit in units if unit.belongs_to is not None}
        rows = rows_of(self.context.connector, Dossier, ("legal_hold",), Among("id", sorted(set(dossiers.values()))))
        held = {row.id for row in rows if row.legal_hold}
        return {unit: Reason.HOLD_LEGAL.value for unit, dossier in dossiers.items() if dossier in held}

    def _intents(
        self, going: Sequence[tuple[PlanLine, Unit, Decision]], rows: Rows, facts: Mapping[str, dict[str, object]]
    ) -> list[Action]:
        intents = []
        for line, unit, decision in going:
            if unit.id in rows.blocked:
                self._skip([(line.table, line.id, line.disposition or "")], rows.blocked[unit.id])
                continue
            lost = rows.not_taken_over[unit.id] + (Flag.DISPOSED_NOT_TAKEN_OVER in decision.flags)
            intents.append(
                Action(
                    line.table,
                    line.id,
                    decision.disposition.value,
                    ActionState.INTENDED,
                    rows=tuple(rows.of[unit.id]),
                    statistic=facts.get(unit.id),
                    flags=(Flag.DISPOSED_NOT_TAKEN_OVER.value,) * lost,
                    categories=line.categories,
                    rule=line.rule,
                    reason=line.reason,
                    end_month=(line.retention_end or "")[:7],  # for age-based rules the day is a birthday (9.2)
                )
            )
        return intents

    # -- contacts ------------------------------------------------------------------------------------------------------------------

    def _dispose_of_contacts(self, lines: Sequence[PlanLine], trims: Sequence[str]) -> None:
        """Remove or trim contacts, but only those that nothing refers to now: a unit that was skipped keeps its people (RET-20).

        A new reference changes no version of the contact, so each group is looked at again just before it is written.
        """
        etags = {line.id: line.etag for line in lines}
        check = self._check(etags, trims, ())
        for line in lines:
            if line.id not in check.etags:
                self._is_gone(line)
        kept = {one: check.keeps(one) for one in check.etags if one in etags}
        for code in sorted({*kept.values()} - {""}):
            self._skip([(self._contact_table, one, "delete") for one in kept if kept[one] == code], code)
        # A contact that points to another goes before it, or the other's removal would change its version.
        going = check.pointing_first([contact for contact in etags if not check.keeps(contact)])
        remaining = set(going)
        for group in _groups(going):
            refuse_if_stopped(self.context.store)
            self.context.progress("removing contacts", len(going) - len(remaining), len(going))
            self._remove(group, etags, self._check(group, (), remaining))
            remaining -= set(group)
        for group in _groups(trims):
            refuse_if_stopped(self.context.store)
            self.context.progress("trimming contacts", 0, len(trims))
            self._trim(group, self._check((), group, ()))

    def _pass_over_held(self, lapsed: str) -> None:
        """Note the contacts that a hold has kept in the plan: without it a later run would take them for ones that were never linked."""
        for contact, disposition, reason in self.plan.held_contacts:
            if (self._contact_table, contact) not in self.actions:
                self._skip([(self._contact_table, contact, disposition)], lapsed or reason)

    def _check(self, removals: Collection[str], trims: Collection[str], going: Collection[str]) -> ContactCheck:
        context = self.context
        # A unit of which a part is left has not been disposed of, although the roles in it may have gone already (RET-20).
        half_done = {person for _, action in context.store.partials() if action.code != PLACES_LEFT for person in people_of(action)}
        return check_contacts(
            context.connector,
            removals,
            trims,
            day=self.day,
            progress=context.progress,
            terms=self.terms,
            going=going,
            held=held_contacts(context, self.day, {*removals, *trims}),
            half_done=half_done,
            given_up=self.given_up,
        )

    def _remove(self, contacts: Sequence[str], etags: Mapping[str, str], check: ContactCheck) -> None:
        codes = {contact: check.keeps(contact) or ("" if check.etags[contact] == etags[contact] else CHANGED) for contact in contacts}
        for contact, code in codes.items():
            if code:
                self._skip([(self._contact_table, contact, "delete")], code)
        removable = [contact for contact in contacts if not codes[contact]]
        versions = {contact: etags[contact] for contact in removable}
        rows = rows_of_contacts(self.context.connector, versions, self.terms, given_up=self.given_up)
        self._carry_out([self._contact_action(one, "delete", rows[one]) for one in removable], {})

    def _contact_action(self, contact: str, disposition: str, rows: Sequence[RowWrite]) -> Action:
        reason = Reason.EXPIRED.value
        return Action(self._contact_table, contact, disposition, ActionState.INTENDED, rows=tuple(rows), rule="RET-20", reason=reason)

    def _trim(self, contacts: Sequence[str], check: ContactCheck) -> None:
        intents = []
        for contact in contacts:
            if code := check.keeps(contact):
                self._skip([(self._contact_table, contact, TRIM)], code)
                continue
            # Where nothing is left to empty the row is not touched: a new version of it would be noise in its history.
            writes = () if contact in check.already_empty else (RowWrite("contact", contact, check.etags[contact], TRIM),)
            intents.append(self._contact_action(contact, TRIM, writes))
        self._carry_out(intents, {})

    # -- the journal ---------------------------------------------------------------------------------------------------------------

    def _carry_out(self, intents: Sequence[Action], units: Mapping[Key, Unit]) -> None:
        """Journal what is intended, write it, journal what became of it. `units` are those of the intents that are no contacts."""
        intents = self._without_orphans(intents)
        if not intents:
            return
        self._record(intents, "intent")
        failed = self._remove_objects(intents, units)
        sendable = {_name(key_of(action)): action for action in intents if key_of(action) not in failed}
        purged: dict[Key, int] = {}
        if self.context.connector.needs_row_for_history():
            held = self._held_now(sendable, units)
            purged = purge_before(self.context, [action for name, action in sendable.items() if name not in held])
        settled = settle_writes(
            self.context.connector,
            {name: action.rows for name, action in sendable.items()},
            {_name(key) for key in self.announced},
            held=lambda names: self._may_not_go({name: sendable[name] for name in names}, units),
        )
        outcomes = []
        for action in intents:
            if (key := key_of(action)) in failed:
                outcomes.append(failed[key])
                continue
            result = settled[_name(key)]
            if result.code == STOPPED:
                continue  # its intent stands; the run goes on from there once the kill switch is lifted
            if result.state is ActionState.DONE:
                outcomes.append(self._removed(msgspec.structs.replace(action, audit_entries=purged.get(key, 0))))
            else:
                has_lost = any(write.object for write in action.rows)  # what lay outside the CRM has gone before
                outcomes.append(msgspec.structs.replace(action, state=ActionState.PARTIAL if has_lost else result.state, code=result.code))
        self._record(outcomes, "outcome")
        if len(outcomes) < len(intents):
            raise stopped(self.context.store.stopped_since() or self.context.clock())

    def _without_orphans(self, intents: Sequence[Action]) -> list[Action]:
        """The intents with what goes along with them; a unit of which something unmapped would be left behind waits (R-158)."""
        found, orphans = with_unmapped(self.context, intents) if intents else ([], {})
        self._skip([(action.table, action.id, action.disposition) for action in found if orphans.get(key_of(action))], TECHNICAL)
        return [action for action in found if key_of(action) not in orphans]

    def _remove_objects(self, intents: Sequence[Action], units: Mapping[Key, Unit]) -> dict[Key, Action]:
        """Remove what recordings have outside the CRM, row by row, before their rows (R-053); give the outcome of units that stop there."""
        having = [action for action in intents if any(write.object for write in action.rows)]
        if not having:
            return {}
        held = self._held_now({_name(key_of(action)): action for action in having}, units)
        outcomes = {
            key_of(action): msgspec.structs.replace(action, state=ActionState.SKIPPED, code=held[_name(key_of(action))])
            for action in having
            if _name(key_of(action)) in held
        }
        left = remove_objects(self.context, self.outside, [action for action in having if key_of(action) not in outcomes])
        for action in having:
            if (code := left.get(key_of(action))) is not None:
                state = ActionState.PARTIAL if code == OBJECT_LEFT else ActionState.SKIPPED
                outcomes[key_of(action)] = msgspec.structs.replace(action, state=state, code=code)
        return outcomes

    def _may_not_go(self, actions: Mapping[str, Action], units: Mapping[Key, Unit]) -> dict[str, str]:
        """Which of these, by name, must not be written at this moment: all of them once the kill switch is set, else those under a hold."""
        if self.context.store.stopped_since() is not None:
            return dict.fromkeys(actions, STOPPED)
        return {name: reason.value for name, reason in self._held_now(actions, units).items()}

    def _held_now(self, actions: Mapping[str, Action], units: Mapping[Key, Unit]) -> dict[str, Reason]:
        """Which of these, by name, a hold covers at this moment, with its reason: asked again right before each write (HLD-07)."""
        return held_actions(self.context, self.day, actions, units)

    def _removed(self, action: Action) -> Action:
        # What was removed before keeps its day: backups of then rotate out from there on (ERA-02).
        at = action.removed_at or _written(self.context.clock())
        return msgspec.structs.replace(action, state=ActionState.REMOVED, code="", removed_at=at)

    def _skip(self, units: Sequence[tuple[str, str, str]], code: str) -> None:
        if units:
            self._record([Action(*unit, ActionState.SKIPPED, code) for unit in units], "outcome")

    def _record(self, actions: Sequence[Action], kind: str) -> None:
        data: dict[str, object] = {
            "units": [
                {
                    "ref": self.context.reference(action.table, action.id),
                    "table": action.table,
                    "disposition": action.disposition,
                    "state": action.state.value,
                    "code": action.code,
                    "rows": len(action.rows),
                }
                for action in actions
            ]
        }
        gone = [action for action in actions if action.state is ActionState.REMOVED]
        erasures = [msgspec.structs.asdict(each) for each in register(self.context, self.run.id, gone)]
        self.context.store.record(self.run.id, actions, [(kind, data)], erasures)
        self.actions.update({key_of(action): action for action in actions})

    def _settle_intended(self) -> None:
        """Find out what became of units that a cut-off run had announced: gone, half done by us, or to be judged afresh."""
        intended = [action for action in self.actions.values() if action.state is ActionState.INTENDED]
        if not intended:
            return
        left = still_there(self.context.connector, (write for action in intended for write in action.rows))
        outcomes: list[Action] = []
        for action in intended:
            remaining = [write for write in action.rows if (write.kind, write.id) in left]
            if not remaining:
                outcomes.append(self._removed(action))
            elif len(remaining) < len(action.rows) and (len(action.rows) > settling.MAX_OPERATIONS or is_shell(action, remaining)):
                outcomes.append(self._finish_remaining(action, remaining))
            else:
                # One change set is whole or not at all: what is missing somebody else has taken. So the unit is judged as it now is.
                self.announced[key_of(action)] = self.actions.pop(key_of(action))
        if outcomes:
            self._record(outcomes, "outcome")

    def _finish_remaining(self, action: Action, remaining: Sequence[RowWrite]) -> Action:
        """Go on with a unit of which a part is gone, unless a hold covers what is left of it."""
        refuse_if_stopped(self.context.store)
        if held := self._held_now({"rest": action}, {}):
            return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=held["rest"])
        left = remove_objects(self.context, self.outside, [msgspec.structs.replace(action, rows=tuple(remaining))])
        if left:
            return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=next(iter(left.values())))
        outcome = finish_remaining(
            self.context.connector, action, remaining, held=lambda names: self._may_not_go(dict.fromkeys(names, action), {})
        )
        return self._removed(outcome) if outcome.state is ActionState.DONE else outcome

    def _continue_partials(self, planned: set[Key]) -> None:
        """Go on with units that an earlier run left half done (ERA-15): what is left of them cannot be judged any more. Contacts whose
        row is still there are not among them: a plan finds those again (`Store.undone`)."""
        store = self.context.store
        for run, action in store.partials():
            key = key_of(action)
            if run == self.run.id or key in planned or key in self.actions or store.plan(store.run(run).plan).crm != self.plan.crm:
                continue
            left = still_there(self.context.connector, action.rows)
            remaining = [write for write in action.rows if (write.kind, write.id) in left]
            again = msgspec.structs.replace(action, state=ActionState.INTENDED, code="", still_there=(), flags=(CONTINUED,))
            if not remaining:
                self._record([self._removed(again)], "outcome")
            elif len(remaining) == len(action.rows):
                continue  # all rows are there, so a plan finds the unit again and judges it as it now is
            elif action.table != self._contact_table and is_as_judged(self.context.connector, action, remaining):
                again = msgspec.structs.replace(again, removed_at="")  # part of it is only removed now
                self._record([again], "intent")
                self._record([self._finish_remaining(again, remaining)], "outcome")

    # -- the end -------------------------------------------------------------------------------------------------------------------

    def _clean(self) -> None:
        """Clean what outlives the rows, and read back that it is gone; what is left makes its unit PARTIAL (ERA-12, R-088)."""
        removed = [action for action in self.actions.values() if action.state is ActionState.REMOVED]
        for at in range(0, len(removed), CLEANED_TOGETHER):
            refuse_if_stopped(self.context.store)
            self.context.progress("cleaning", at, len(removed))
            chunk = removed[at : at + CLEANED_TOGETHER]
            held = self._held_now({_name(key_of(action)): action for action in chunk}, {})
            cleaned = clean_places(self.context, [action for action in chunk if _name(key_of(action)) not in held])
            outcomes = []
            for action in chunk:
                if reason := held.get(_name(key_of(action))):  # what is left of it stays until the hold ends (HLD-07)
                    outcomes.append(msgspec.structs.replace(action, state=ActionState.PARTIAL, code=reason.value))
                    continue
                found = cleaned[key_of(action)]
                is_left = PlaceState.STILL_THERE in found.places.values()
                code = PLACES_LEFT if is_left else anonymity_code(self.context, action, found.places)
                outcomes.append(
                    msgspec.structs.replace(
                        action,
                        state=ActionState.PARTIAL if code else ActionState.DONE,
                        code=code,
                        places=found.places,
                        audit_entries=action.audit_entries + found.audit_entries,
                    )
                )
            self._record(outcomes, "outcome")

    def _verify(self) -> None:
        done = [action for action in self.actions.values() if action.state is ActionState.DONE]
        self.context.progress("verifying", 0, len(done))
        left = verify_actions(self.context.connector, done)
        for key, objects in objects_left(self.context, self.outside, done).items():
            left[key] = tuple(dict.fromkeys([*left.get(key, ()), *objects]))
        outcomes = [
            msgspec.structs.replace(
                as_found_again(self.context.connector, self.actions[key], rows),
                state=ActionState.PARTIAL,
                code="STILL_THERE",
                still_there=rows,
            )
            for key, rows in left.items()
        ]
        if outcomes:
            self._record(outcomes, "outcome")
        at = _written(self.context.clock())
        verified = [action for action in self.actions.values() if action.state is ActionState.DONE and not action.verified_at]
        read_back = [msgspec.structs.replace(action, verified_at=at) for action in verified]
        self.context.store.record(self.run.id, read_back)
        self.actions.update({key_of(action): action for action in read_back})

    def _finish(self) -> Run:
        written = self.run.statistics.written if self.run.statistics is not None else 0
        counts, failed = counts_of(self.actions.values(), self.kinds, self.context.connector.table), has_failures(self.actions.values())
        counts["statistics"] = written
        alarms = alarms_of_run(self.context, self.plan, self.run, list(self.actions.values()))
        counts["alarms"] = [msgspec.structs.asdict(alarm) for alarm in alarms]
        codes = [alarm.code for alarm in alarms]
        failed = failed or bool(alarms)
        run = msgspec.structs.replace(
            self.run,
            state=RunState.DONE_WITH_FAILURES if failed else RunState.DONE,
            ended_at=self.context.clock(),
            counts=counts,
        )
        summary = {name: counts[name] for name in ("deleted", "anonymised", "trimmed", "skipped", "partial", "failed", "rows")}
        self.context.store.save_run(run, [("run_ended", {"plan": run.plan, "state": run.state.value, **summary, "alarms": codes})])
        return run

    @property
    def _contact_table(self) -> str:
        return self.context.connector.table(Contact)


def key_of(action: Action) -> Key:
    """How the journal names a unit."""
    return (action.table, action.id)


def _name(key: Key) -> str:
    """How the connector is told of a unit."""
    return f"{key[0]}/{key[1]}"


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _groups(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]
