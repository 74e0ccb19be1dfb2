"""One run of one plan, from the position of its journal to its end.

Each unit is recomputed from current data just before it is written (RET-17). It is disposed of only if plan
and recomputation agree. The intent is recorded in the journal and in the ledger before the first destructive
call, so that a run that was killed continues where it was. The order of work is that of ERA-15: objects
outside the CRM, rows from the leaves on, then residual data, then reading back, then certificates."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import ClassVar

import msgspec

from connectors.interface.remains import ResidualKind
from jobs.checks.kill_switch import refuse_if_stopped
from jobs.checks.same_clock import refuse_other_clock
from jobs.checks.whole_view import permitted
from jobs.erasures.register import begin, end, leave
from jobs.model.plan import LOOKING_AT_DOSSIERS, Key, Kind, Plan, PlanLine
from jobs.model.run import AWAITS_TURN, CHANGED, COUNTED, RECORDING_DUE, TRIM, Action, ActionState, Run, RunState
from jobs.plans.lines.pages import is_disposal, lines_of
from jobs.ports.context import JobContext
from jobs.proof.certify import certify
from jobs.proof.checkpoint import make_checkpoint
from jobs.reading.gather import gather_units
from jobs.reading.row_kinds import RowKinds
from jobs.reading.units import Gathering
from jobs.runs.alarms import WORK, alarms_of_run
from jobs.runs.clean_up import clean_up, look_again
from jobs.runs.contacts_of_plan import ContactsOfPlan
from jobs.runs.counts import HALF_DONE, counts_of, has_failures
from jobs.runs.deferred_units import going_later
from jobs.runs.journal import Journal
from jobs.runs.quarantine import kept_with, waiting
from jobs.runs.recheck import held_since, judge
from jobs.runs.resume import continue_partials, lapsed, reconcile_failed, reconcile_intended
from jobs.runs.waves import waves_of
from jobs.writing.anonymise import InPlace
from jobs.writing.audio_attachments import goes_with_its_unit, may_follow
from jobs.writing.bypass import bypass_used
from jobs.writing.deletion_order import Rows, rows_of_units
from jobs.writing.read_back import verify_actions
from jobs.writing.statistics import facts_for, write_statistics
from rules.holds.holds import Holds
from rules.model.decisions import Decision, Flag, Reason
from rules.model.kinds import RELATIONS
from rules.model.records import KINDS, RELATION_KINDS, Record, Recording, Unit, UnitKind, unit_kind
from rules.policy.policy import Policy
from rules.retention.recording_owners import owner_of
from rules.retention.relations import RelationTerms, relation_terms

ORDER = (UnitKind.RECORDING, UnitKind.ATTACHMENT, UnitKind.EMAIL, UnitKind.FICHE, UnitKind.DOSSIER, *RELATION_KINDS)


class Application:
    """One run of one plan, from where its journal stands to its end. What has a term of its own stays when
    what it belongs to is deleted, unless the run is `with_termed`."""

    with_termed: ClassVar[bool] = False

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        self.context, self.plan, self.run = context, plan, run
        self.journal = Journal(context, run)
        self.day = self.journal.day
        self.termed = tuple(kind.word for kind in context.connector.all_kinds.termed)
        self.kinds = RowKinds(context.connector, (*(kind.value for kind in UnitKind), *self.termed))
        self.in_place = InPlace(context)
        self._due: Sequence[PlanLine] = ()

    @property
    def in_force(self) -> Policy:
        """The version of the schedule in force by now, which may begin while the run is at work. A plan keeps
        the one by which it was made; what this one keeps stays all the same."""
        return self.context.by_now(self.day).policy

    @property
    def terms(self) -> RelationTerms:
        """When relations are over, by both."""
        return relation_terms(self.context.policy).agreed(relation_terms(self.in_force))

    def carry_out(self) -> Run:
        journal = self.journal
        self.context.connector.reconcile_earlier()
        due = list(lines_of(self.context.store.plans.pages(self.plan.id), is_disposal))
        self.kinds.load(line.key for line in due)
        if not lapsed(self.context, self.plan):
            journal.going_later = partial(self._going_later, {line.id: line for line in due})
        journal.people = {line.id for line in due if self.kind_of(line) is UnitKind.CONTACT}
        journal.followers = {line.id: line for line in due if may_follow(line, self.kind_of(line))}
        reconcile_intended(journal)
        self._due = due
        people = self._contacts()
        is_whole = not journal.actions and begin(self.context, self.run.id, self._contacts_to_come(due))
        if is_whole and self.plan.kind in LOOKING_AT_DOSSIERS and not lapsed(self.context, self.plan):
            people.pass_over_unlinked([line for line in due if self.kind_of(line) is UnitKind.CONTACT])
        if due:  # what could be read before a row goes, and cannot after, has still to be cleaned (ERA-12)
            self.context.connector.residual_data(ResidualKind.HISTORY, [due[0].key])
        pending = [line for line in due if line.key not in journal.actions]
        self._continue_partials(due)
        trims = people.trims()
        if code := lapsed(self.context, self.plan):
            self._pass_over_lapsed(people, pending, trims, code)
        else:
            self._dispose(people, pending, trims)
        people.pass_over_held(code)
        reconcile_failed(journal)
        people.remember_late()
        clean_up(journal)
        look_again(journal)
        permitted(self.context.connector, self.context.policy)  # what looks gone may be out of sight
        self.run = write_statistics(self.context, self.run, list(journal.actions.values()))
        certify(self.context, self.run, self.plan, list(journal.actions.values()))
        run = self._finish()
        make_checkpoint(self.context.store, self.context.notary, self.context.clock)
        return run

    def _pass_over_lapsed(self, people: ContactsOfPlan, pending: Sequence[PlanLine], trims: Collection[str], code: str) -> None:
        """Note what an interrupted run may not dispose of any more, and why."""
        journal = self.journal
        journal.going_later = lambda *_: ()
        left = [line for line in pending if not journal.has_landed(line.key)]
        journal.skip_lines([line for line in left if line.key not in journal.actions], code)  # what went along is done too
        people.skip([contact for contact in trims if not journal.has_landed((people.table, contact))], TRIM, code)

    def _dispose(self, people: ContactsOfPlan, lines: Sequence[PlanLine], trims: Sequence[str]) -> None:
        """Dispose of units, kind by kind, and then of people. Never two kinds in one group: a recording goes
        by its own line before its fiche is looked at, and so does a row of a dependent table with a term of
        its own."""
        followers = [line for line in lines if goes_with_its_unit(line)]
        pending = [line for line in lines if not goes_with_its_unit(line)]
        others = [line for line in pending if line.table not in self.termed]
        by_kind = [(kind.value, [line for line in others if self.kind_of(line) is kind]) for kind in ORDER]
        by_table = [(word, [line for line in pending if line.table == word]) for word in self.termed]
        done = 0
        for word, of_word in (*by_table, *by_kind):
            for group in self._groups_of(KINDS[word], of_word):
                refuse_if_stopped(self.context.store)
                refuse_other_clock(self.context)
                self.context.progress("applying", done, len(pending))
                self._dispose_of_units(group)
                done += len(group)
        self._reconcile_followers(followers)
        contacts = [line for line in pending if self.kind_of(line) is UnitKind.CONTACT]
        if contacts or trims:
            people.dispose(contacts, trims)

    def kind_of(self, line: PlanLine | Action) -> UnitKind:
        """Return the kind of unit that a line of the plan or the journal is about."""
        return unit_kind(self.kinds.of(line.table, line.id))

    def _going_later(self, due: Mapping[str, PlanLine], ids: Collection[str], gone: Collection[str]) -> set[str]:
        """Return those of some ids that are units of the plan which go later, once the rows `gone` have."""
        lines = [due[each] for each in ids if each in due]
        people = [line for line in lines if self.kind_of(line) is UnitKind.CONTACT]
        going = {line.id for line in self._contacts().free(people, gone)} if people else set[str]()
        if others := [line for line in lines if line not in people]:
            going |= going_later(self.context, others, self.kind_of, self.in_force, self.day, partial(self._kept_by_rows, gone))
        return going

    def _kept_by_rows(self, gone: Collection[str], units: Sequence[Unit], found: Gathering, holds: Holds) -> set[str]:
        """Return those of some units, by id, that something which goes with them, or would stay behind, keeps
        once the rows `gone` have gone. Whoever awaits its turn goes as well."""
        rows = self._rows_of(units, found, holds)
        self._block(rows, units)
        kept = {unit for unit, code in rows.blocked.items() if code != AWAITS_TURN}
        tables = {unit.id: rows.of[unit.id][-1].key(self.context.connector)[0] for unit in units if unit.id not in kept}
        going = [Action(table, unit, "delete", ActionState.INTENDED, rows=tuple(rows.of[unit])) for unit, table in tables.items()]
        return kept | {unit for _, unit in self.journal.whole(going, gone)[1]}

    def _block(self, rows: Rows, units: Sequence[Unit]) -> None:
        """Note which of some units what goes with them keeps, or a hold that has come to their dossier."""
        rows.blocked |= kept_with(self.context, rows.of, self.day) | held_since(self.context.connector, units)
        rows.blocked = self._taking_what_stays(rows) | rows.blocked  # what is known better stays the reason

    def _contacts_to_come(self, due: Sequence[PlanLine]) -> Iterator[tuple[str, str, str]]:
        """Yield the contacts to be deleted or trimmed once the units are gone, those that a hold keeps for
        now included."""
        for line in due:
            if self.kind_of(line) is UnitKind.CONTACT:
                yield line.id, line.disposition or "", line.reason
        yield from ((contact, TRIM, Reason.EXPIRED.value) for contact in self.plan.trims)
        yield from self.plan.held_contacts

    def _continue_partials(self, due: Sequence[PlanLine]) -> None:
        continue_partials(self.journal, {line.key for line in due}, self.plan.crm)

    def _contacts(self) -> ContactsOfPlan:
        return ContactsOfPlan(self.journal, self.plan, self.terms)

    def _groups_of(self, record: type[Record], lines: Sequence[PlanLine]) -> Iterator[Sequence[PlanLine]]:
        """Yield groups as large as the CRM handles well, what is below another before that. One may show how
        large the next should be."""
        for wave in waves_of(self.context.connector, record, lines):
            at = 0
            while at < len(wave):
                size = self.context.connector.group_size(record, len(wave) - at, self.journal.group)
                yield wave[at : at + size]
                at += size

    # -- units -----------------------------------------------------------------------------------------------

    def _dispose_of_units(self, lines: Sequence[PlanLine]) -> None:
        context, read_at = self.context, self.context.clock()
        judged = judge(context, self.in_force, self.day, lines, self.kind_of)
        for line, code in judged.left:
            if code:
                self.journal.skip_lines([line], code)
            else:
                self.journal.is_gone(line)
        going = self._without_waiting(judged.going, judged.found.retained)
        if not going:
            return
        rows = self._rows_of([unit for _, unit, _ in going], judged.found, judged.holds)
        facts = facts_for(context, [(unit, decision) for _, unit, decision in going])
        self.in_place.mask([(unit, decision) for _, unit, decision in going], rows, facts)
        self._block(rows, [unit for _, unit, _ in going])
        self._remember_named(rows)
        otherwise = partial(self._otherwise, {line.key: line for line, _, _ in going}, rows)
        intents = self._intents(going, rows, facts, self._named_since(judged.found, rows))
        self.journal.carry_out(intents, {line.key: unit for line, unit, _ in going}, otherwise, read_at)

    def _named_since(self, found: Gathering, rows: Rows) -> dict[str, tuple[str, ...]]:
        """Return by unit whom those that go name without the plan saying anything of them."""
        going = {unit: writes for unit, writes in rows.of.items() if unit not in rows.blocked and writes[-1].kind not in RELATIONS}
        people: dict[str, list[str]] = {unit: [] for unit in going}
        for one, place in zip(found.people, found.places, strict=True):
            if place is not None and place.id in going:
                people[place.id].append(one)
        return self._contacts().named_since(people, going)

    def _otherwise(self, lines: Mapping[Key, PlanLine], rows: Rows, keys: Collection[Key]) -> dict[Key, str]:
        """Return which of these units would stay by now, or go with more than the `rows` that were announced,
        each with the code. Of what is gone the write itself tells."""
        judged = judge(self.context, self.in_force, self.day, [lines[key] for key in keys], self.kind_of)
        units = [unit for _, unit, _ in judged.going]
        now = self._rows_of(units, judged.found, judged.holds)
        self._block(now, units)
        codes = {line.key: code for line, code in judged.left if code}
        codes |= {line.key: now.blocked[unit.id] for line, unit, _ in judged.going if unit.id in now.blocked}
        grown = now.grown_since(rows)
        return dict.fromkeys((line.key for line, unit, _ in judged.going if unit.id in grown), CHANGED) | codes

    def _remember_named(self, rows: Rows) -> None:
        """Note whom rows name that go. What goes with a course or an agreement says nothing of the missions:
        whoever it names would be trimmed for it."""
        units = (writes for unit, writes in rows.of.items() if unit not in rows.blocked)
        self._contacts().remember(write for writes in units for write in writes if writes[-1].kind not in RELATIONS)

    def _reconcile_followers(self, lines: Sequence[PlanLine]) -> None:
        """Note what became of attachments whose dossier or lone fiche did not take them along: they stay with
        it, for its reason."""
        journal = self.journal
        left = [line for line in lines if line.key not in journal.actions]
        found = gather_units(self.context.connector, {UnitKind.ATTACHMENT: [line.id for line in left]}) if left else Gathering(())
        of_units = {action.id: action for action in journal.actions.values()}
        for line in left:
            unit = found.attachments.get(line.id)
            owner = of_units.get(owner_of(unit) or "") if unit is not None else None
            if unit is None:
                journal.is_gone(line)
            elif owner is not None and owner.state in (ActionState.SKIPPED, ActionState.FAILED):
                journal.record([Action(line.table, line.id, line.disposition or "", owner.state, owner.code)], "outcome")
            else:
                journal.skip_lines([line], CHANGED)

    def _rows_of(self, units: Sequence[Unit], found: Gathering, holds: Holds) -> Rows:
        """Return the writes of units with all that belongs to them."""
        context, outside = self.context, self.journal.outside
        return rows_of_units(
            context.connector,
            found,
            units,
            policy=context.policy,
            in_force=self.in_force,
            holds=holds,
            as_of=self.day,
            outside=outside,
            turns=self.journal.turns,
            with_termed=self.with_termed,
        )

    def _without_waiting(
        self, going: list[tuple[PlanLine, Unit, Decision]], unwritable: Collection[str]
    ) -> list[tuple[PlanLine, Unit, Decision]]:
        """Return those that may be disposed of now: no canary, and none in quarantine."""
        codes = waiting(self.context, [line for line, _, _ in going], self.day, unwritable)
        for line, _, _ in going:
            if line.id in codes:
                self.journal.skip_lines([line], codes[line.id])
        return [each for each in going if each[0].id not in codes]

    @cached_property
    def _planned(self) -> frozenset[tuple[str, str]]:
        return frozenset(line.key for line in self._due)

    @cached_property
    def _kept_in_plan(self) -> Mapping[tuple[str, str], str]:
        """The versions of what the plan keeps in tables of recordings; read where one is due by now."""
        tables = self.context.connector.tables(Recording)
        kept = lines_of(self.context.store.plans.pages(self.plan.id), lambda line: line.table in tables and not line.is_disposal)
        return {line.key: line.etag for line in kept}

    def _taking_what_stays(self, rows: Rows) -> dict[str, str]:
        """Return the units, each with the code, with which a recording would go that a plan of all kinds does
        not dispose of, or that is not what was planned any more. It is a unit of its own (RET-03): nobody has
        approved that it goes as it now is (RET-17). One that has only become due since then has not changed:
        the next plan has a line for it."""
        if self.plan.kind is not Kind.ALL:
            return {}
        crm, recording = self.context.connector, UnitKind.RECORDING.value
        found: dict[str, str] = {}
        for unit, writes in rows.of.items():
            taken = [row for row in writes if row.kind == recording and row.operation == "delete" and not self._is_agreed(row.key(crm))]
            if taken:
                is_due = all(self._kept_in_plan.get(row.key(crm)) == row.etag for row in taken)
                found[unit] = RECORDING_DUE if is_due else CHANGED
        return found

    def _is_agreed(self, key: Key) -> bool:
        """Return whether the plan disposes of a row, and the run has not found it changed."""
        action = self.journal.actions.get(key)
        is_changed = action is not None and action.state is ActionState.SKIPPED and action.code == CHANGED
        return key in self._planned and not is_changed

    def _intents(
        self,
        going: Sequence[tuple[PlanLine, Unit, Decision]],
        rows: Rows,
        facts: Mapping[str, dict[str, object]],
        named: Mapping[str, tuple[str, ...]],
    ) -> list[Action]:
        intents = []
        for line, unit, decision in going:
            if unit.id in rows.blocked:
                self.journal.skip_lines([line], rows.blocked[unit.id])
                continue
            lost = rows.not_taken_over[unit.id] + (Flag.DISPOSED_NOT_TAKEN_OVER in decision.flags)
            intents.append(
                Action(
                    line.table,
                    line.id,
                    decision.disposition.value,
                    ActionState.INTENDED,
                    rows=tuple(rows.of[unit.id]),
                    named=named.get(unit.id, ()),
                    statistic=facts.get(unit.id),
                    flags=(Flag.DISPOSED_NOT_TAKEN_OVER.value,) * lost,
                    categories=line.categories,
                    rule=line.rule,
                    reason=line.reason,
                    end_month=(line.retention_end or "")[:7],  # for age-based rules the day is a birthday (9.2)
                )
            )
        return intents

    # -- the end ---------------------------------------------------------------------------------------------

    def _finish(self) -> Run:
        actions = list(self.journal.actions.values())
        half_done = [action for action in actions if action.state in HALF_DONE]
        there = verify_actions(self.context.connector, half_done)
        counts, failed = counts_of(actions, self.kind_of, self.context.connector, there), has_failures(actions)
        counts["statistics"] = self.run.statistics.written if self.run.statistics is not None else 0
        counts["bypass"] = bypass_used(actions)
        alarms = alarms_of_run(self.context, self.plan, self.run, actions)
        counts["alarms"] = [alarm.document for alarm in alarms]
        failed = failed or any(alarm.code not in WORK for alarm in alarms)
        run = msgspec.structs.replace(
            self.run,
            state=RunState.DONE_WITH_FAILURES if failed else RunState.DONE,
            ended_at=self.context.clock(),
            counts=counts,
            alarms=tuple(alarms),
        )
        leave(self.context, run.id, half_done, there)
        if self._due or any(True for _ in self._contacts_to_come(self._due)):
            end(self.context, run.id)
        told = {
            "plan": run.plan,
            "state": run.state.value,
            **{name: counts[name] for name in COUNTED},
            **({"bypass": counts["bypass"]} if counts["bypass"] else {}),
            "alarms": [alarm.code for alarm in alarms],
            "erasures": self.context.store.erasures.head(),
        }
        self.context.store.runs.save(run, [("run_ended", told)])
        return run
