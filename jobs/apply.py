"""Carries out a stored plan: the only way to write to the CRM, for the clock, the DPO and the admin alike.

Each unit is recomputed from current data just before it is written (RET-17); it goes only if plan and recomputation agree. The intent
stands in the journal and in the ledger before the first destructive call, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from connectors.interface import Among
from jobs import settling
from jobs.contacts import STILL_REFERRED, ContactCheck, check_contacts
from jobs.counting import facts_for, write_statistics
from jobs.disposal import CHANGED, Rows, rows_of_contacts, rows_of_units
from jobs.drafting import is_unaltered
from jobs.gather import gather_units, rows_of
from jobs.gathering import Gathering
from jobs.plan import Plan, PlanLine
from jobs.planning import lines_of
from jobs.ports import JobContext
from jobs.resuming import finish_remaining, is_as_judged, is_shell
from jobs.runs import Action, ActionState, RowWrite, Run, RunState
from jobs.settling import settle_writes
from jobs.tally import CONTINUED, TRIM, counts_of, has_failures
from jobs.verify import still_there, verify_actions
from rules.decide import decide
from rules.disposition import Decision, Flag, Reason
from rules.errors import Refused
from rules.periods import brussels_date
from rules.records import KINDS, Contact, Dossier, Unit, UnitKind

GROUP = 100  # units that are recomputed, journalled and sent together; the connector may ask for more
ORDER = (UnitKind.RECORDING, UnitKind.ATTACHMENT, UnitKind.EMAIL, UnitKind.FICHE, UnitKind.DOSSIER)
# Why an interrupted run begins nothing new.
PLAN_REJECTED, POLICY_CHANGED, PLAN_EXPIRED = "PLAN_REJECTED", "POLICY_CHANGED", "PLAN_EXPIRED"

T = TypeVar("T")


def apply_plan(context: JobContext, plan_id: str) -> Run:
    """Carry out one plan and return its run; a plan that was carried out already gives the same run, without a write.

    Raises:
        Refused: the plan may not be applied (state, validity, approvals, policy, another CRM), or another run is going on.
        ConnectorError: the CRM cannot be reached; what was done is journalled, and applying again goes on from there.
    """
    store = context.store
    plan = store.plan(plan_id)
    run = store.run_of(plan.id)
    if run is not None and run.is_over:
        return run
    if plan.crm != context.crm:
        raise Refused("the plan was made for another CRM", hint="set CRM_COMPLIANCE_CRM_URL to the one that was planned", where=plan.id)
    if run is None:
        plan.refuse_unless_ready(context.clock())
        _refuse_other_rules(context, plan)
    with store.exclusive():
        run = store.run_of(plan.id)
        if run is not None and run.is_over:
            return run
        if not is_unaltered(plan, store.plan_pages(plan.id)):
            raise _refused("plan_altered", "the stored lines are not those of the plan's digest", "tell the DPO; make a new plan", plan.id)
        if run is None:
            for other in unfinished(context):
                raise _refused("another_run", f"run {other.id} was interrupted", f"first: crm-compliance apply {other.plan}", plan.id)
            run = _start(context, plan)
        with context.logged_as(run.id):
            return Application(context, plan, run).carry_out()


def unfinished(context: JobContext) -> list[Run]:
    """The runs on this CRM that were interrupted, oldest first: they are finished before anything else is written."""
    store = context.store
    return [run for run in reversed(store.runs()) if not run.is_over and store.plan(run.plan).crm == context.crm]


def _refuse_other_rules(context: JobContext, plan: Plan) -> None:
    if (plan.policy_digest, plan.mapping_digest) != (context.policy.digest, context.mapping_digest):
        raise Refused("the policy or the mapping has changed since the plan was made", hint="make a new plan", where=plan.id)


def _refused(code: str, message: str, hint: str, where: str) -> Refused:
    error = Refused(message, hint=hint, where=where)
    error.code = code
    return error


def _start(context: JobContext, plan: Plan) -> Run:
    now = context.clock()
    run = Run(
        id=context.new_id("run"),
        kind=plan.kind,
        plan=plan.id,
        state=RunState.RUNNING,
        as_of=now,
        started_at=now,
        software_version=context.software_version,
        policy_version=plan.policy_version,
        policy_digest=plan.policy_digest,
    )
    context.store.start_run(
        run, ("run_started", {"plan": plan.id, "digest": plan.digest, "kind": plan.kind.value, "software": run.software_version})
    )
    return run


class Application:
    """One run of one plan, from where its journal stands to its end."""

    def __init__(self, context: JobContext, plan: Plan, run: Run) -> None:
        self.context = context
        self.plan = plan
        self.run = run
        self.day = brussels_date(run.as_of)
        self.kinds = {context.connector.table(KINDS[kind.value]): kind for kind in UnitKind if context.connector.has(KINDS[kind.value])}
        self.actions: dict[tuple[str, str], Action] = {(action.table, action.id): action for action in context.store.journal(run.id)}
        self.announced: dict[tuple[str, str], Action] = {}  # sent before a run was cut off, and found untouched: perhaps still under way

    def carry_out(self) -> Run:
        self.context.connector.settle_earlier()
        self._settle_intended()
        due = [line for line in lines_of(self.context.store.plan_pages(self.plan.id)) if line.is_disposal]
        pending = [line for line in due if (line.table, line.id) not in self.actions]
        trims = [contact for contact in self.plan.trims if (self._contact_table, contact) not in self.actions]
        if code := self._lapsed():
            self._skip([(line.table, line.id, line.disposition or "") for line in pending], code)
            self._skip([(self._contact_table, contact, TRIM) for contact in trims], code)
            pending, trims = [], []
        self._continue_partials({(line.table, line.id) for line in due})
        done = 0
        for kind in ORDER:  # never two kinds in one group: a recording goes by its own line before its fiche is looked at
            for group in self._groups_of(kind, [line for line in pending if self.kinds[line.table] is kind]):
                self.context.progress("applying", done, len(pending))
                self._dispose_of_units(group)
                done += len(group)
        contacts = [line for line in pending if self.kinds[line.table] is UnitKind.CONTACT]
        if contacts or trims:
            self._dispose_of_contacts(contacts, trims)
        self._verify()
        self.run = write_statistics(self.context, self.run, list(self.actions.values()))
        return self._finish()

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
        wanted: dict[UnitKind, list[str]] = {}
        for line in lines:
            wanted.setdefault(self.kinds[line.table], []).append(line.id)
        found = gather_units(context.connector, wanted)
        going: list[tuple[PlanLine, Unit, Decision]] = []
        for line in lines:
            unit = unit_in(found, self.kinds[line.table], line.id)
            decision = decide(unit, context.policy, context.holds, as_of=self.day) if unit is not None else None
            if unit is None or decision is None:
                self._is_gone(line)
            elif not decision.is_disposal:
                self._skip([(line.table, line.id, line.disposition or "")], decision.reason.value)
            elif not agrees(line, unit, decision):
                self._skip([(line.table, line.id, line.disposition or "")], CHANGED)
            else:
                going.append((line, unit, decision))
        if not going:
            return
        rows = rows_of_units(
            context.connector, found, [unit for _, unit, _ in going], policy=context.policy, holds=context.holds, as_of=self.day
        )
        facts = facts_for(context, [(unit, decision) for _, unit, decision in going])
        rows.blocked |= self._held_since([unit for _, unit, _ in going])
        self._carry_out(self._intents(going, rows, facts))

    def _is_gone(self, line: PlanLine) -> None:
        """A unit that is not there any more: somebody else's work, or our own of before the run was cut off."""
        before = self.announced.get((line.table, line.id))
        if before is not None and not still_there(self.context.connector, before.rows):
            self._record([msgspec.structs.replace(before, state=ActionState.DONE)], "outcome")
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
        for code in (CHANGED, STILL_REFERRED):
            self._skip([(self._contact_table, one, "delete") for one in check.etags if one in etags and check.keeps(one) == code], code)
        # A contact that points to another goes before it, or the other's removal would change its version.
        going = check.pointing_first([contact for contact in etags if not check.keeps(contact)])
        remaining = set(going)
        for group in _groups(going):
            self.context.progress("removing contacts", len(going) - len(remaining), len(going))
            self._remove(group, etags, self._check(group, (), remaining))
            remaining -= set(group)
        for group in _groups(trims):
            self.context.progress("trimming contacts", 0, len(trims))
            self._trim(group, self._check((), group, ()))

    def _check(self, removals: Collection[str], trims: Collection[str], going: Collection[str]) -> ContactCheck:
        context = self.context
        return check_contacts(context.connector, removals, trims, day=self.day, progress=context.progress, going=going)

    def _remove(self, contacts: Sequence[str], etags: Mapping[str, str], check: ContactCheck) -> None:
        codes = {contact: check.keeps(contact) or ("" if check.etags[contact] == etags[contact] else CHANGED) for contact in contacts}
        for contact, code in codes.items():
            if code:
                self._skip([(self._contact_table, contact, "delete")], code)
        removable = [contact for contact in contacts if not codes[contact]]
        rows = rows_of_contacts(self.context.connector, {contact: etags[contact] for contact in removable})
        self._carry_out([Action(self._contact_table, one, "delete", ActionState.INTENDED, rows=tuple(rows[one])) for one in removable])

    def _trim(self, contacts: Sequence[str], check: ContactCheck) -> None:
        intents = []
        for contact in contacts:
            if code := check.keeps(contact):
                self._skip([(self._contact_table, contact, TRIM)], code)
                continue
            # Where nothing is left to empty the row is not touched: a new version of it would be noise in its history.
            writes = () if contact in check.already_empty else (RowWrite("contact", contact, check.etags[contact], TRIM),)
            intents.append(Action(self._contact_table, contact, TRIM, ActionState.INTENDED, rows=writes))
        self._carry_out(intents)

    # -- the journal ---------------------------------------------------------------------------------------------------------------

    def _carry_out(self, intents: Sequence[Action]) -> None:
        """Journal what is intended, write it, journal what became of it."""
        if not intents:
            return
        self._record(intents, "intent")
        doubtful = {f"{table}/{row}" for table, row in self.announced}
        settled = settle_writes(self.context.connector, {f"{action.table}/{action.id}": action.rows for action in intents}, doubtful)
        outcomes = []
        for action in intents:
            result = settled[f"{action.table}/{action.id}"]
            outcomes.append(msgspec.structs.replace(action, state=result.state, code=result.code))
        self._record(outcomes, "outcome")

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
        self.context.store.record(self.run.id, actions, [(kind, data)])
        self.actions.update({(action.table, action.id): action for action in actions})

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
                outcomes.append(msgspec.structs.replace(action, state=ActionState.DONE))
            elif len(remaining) < len(action.rows) and (len(action.rows) > settling.MAX_OPERATIONS or is_shell(action, remaining)):
                outcomes.append(finish_remaining(self.context.connector, action, remaining))
            else:
                # One change set is whole or not at all: what is missing somebody else has taken. So the unit is judged as it now is.
                self.announced[(action.table, action.id)] = self.actions.pop((action.table, action.id))
        if outcomes:
            self._record(outcomes, "outcome")

    def _continue_partials(self, planned: set[tuple[str, str]]) -> None:
        """Go on with units that an earlier run left half done (ERA-15): they can no longer be judged by what is left of them. Contacts are
        not among them: a plan finds those again (`Store.undone`)."""
        for run in self.context.store.runs():
            if (
                run.id == self.run.id
                or run.state is not RunState.DONE_WITH_FAILURES
                or self.context.store.plan(run.plan).crm != self.plan.crm
            ):
                continue
            for action in self.context.store.journal(run.id):
                key = (action.table, action.id)
                if action.state is not ActionState.PARTIAL or key in planned or key in self.actions or action.table == self._contact_table:
                    continue
                left = still_there(self.context.connector, action.rows)
                remaining = [write for write in action.rows if (write.kind, write.id) in left]
                if remaining and is_as_judged(self.context.connector, action, remaining):
                    again = msgspec.structs.replace(action, state=ActionState.INTENDED, code="", still_there=(), flags=(CONTINUED,))
                    self._record([again], "intent")
                    self._record([finish_remaining(self.context.connector, again, remaining)], "outcome")

    # -- the end -------------------------------------------------------------------------------------------------------------------

    def _verify(self) -> None:
        done = [action for action in self.actions.values() if action.state is ActionState.DONE]
        self.context.progress("verifying", 0, len(done))
        left = verify_actions(self.context.connector, done)
        outcomes = [
            msgspec.structs.replace(self.actions[key], state=ActionState.PARTIAL, code="STILL_THERE", still_there=rows)
            for key, rows in left.items()
        ]
        if outcomes:
            self._record(outcomes, "outcome")

    def _finish(self) -> Run:
        written = self.run.statistics.written if self.run.statistics is not None else 0
        counts, failed = counts_of(self.actions.values(), self.kinds, self.context.connector.table), has_failures(self.actions.values())
        counts["statistics"] = written
        run = msgspec.structs.replace(
            self.run,
            state=RunState.DONE_WITH_FAILURES if failed else RunState.DONE,
            ended_at=self.context.clock(),
            counts=counts,
        )
        summary = {name: counts[name] for name in ("deleted", "anonymised", "trimmed", "skipped", "partial", "failed", "rows")}
        self.context.store.save_run(run, [("run_ended", {"plan": run.plan, "state": run.state.value, **summary})])
        return run

    @property
    def _contact_table(self) -> str:
        return self.context.connector.table(Contact)


def agrees(line: PlanLine, unit: Unit, decision: Decision) -> bool:
    """Whether a fresh decision is the planned one: same version of the unit's row, disposition, end and categories (RET-17)."""
    end = decision.retention_end.isoformat() if decision.retention_end is not None else None
    return (line.etag, line.disposition, line.retention_end, line.categories) == (
        unit.etag,
        decision.disposition.value,
        end,
        decision.categories,
    )


def unit_in(found: Gathering, kind: UnitKind, row: str) -> Unit | None:
    """The unit of this kind and id, if it was found."""
    tables = {
        UnitKind.DOSSIER: found.dossiers,
        UnitKind.FICHE: found.lone,
        UnitKind.RECORDING: found.recordings,
        UnitKind.ATTACHMENT: found.attachments,
        UnitKind.EMAIL: found.emails,
    }
    return tables[kind].get(row)


def _groups(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]
