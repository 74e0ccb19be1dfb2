"""The journal of one run: what it announces, writes and finds, unit by unit. The intent is recorded here and
in the ledger before the first destructive call, so that a run that was killed continues where it was. Objects
outside the CRM are deleted before the rows that name them (ERA-15)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from jobs.checks.kill_switch import STOPPED, stopped
from jobs.checks.whole_view import permitted
from jobs.erasures.register import announce, deleted_by_then, register
from jobs.holds.look_up import look_up_unseen
from jobs.model.plan import Key, Plan, PlanLine
from jobs.model.run import (
    AWAITS_TURN,
    CHANGED,
    CONTENT_OUT_OF_REACH,
    CRM_REFUSED,
    TECHNICAL,
    UNACCOUNTED,
    Action,
    ActionState,
    RowWrite,
    Run,
)
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.residual.clean import purge_before
from jobs.residual.last_owner import Owner, There, bound_there
from jobs.residual.outside_content import remove_content
from jobs.residual.purge_retained import purge_retained
from jobs.residual.unmapped_rows import with_unmapped
from jobs.runs.deferred_units import units_of
from jobs.runs.recheck import held_now
from jobs.writing.audio_attachments import apart
from jobs.writing.bypass import Bypassing
from jobs.writing.document_folders import DocumentFolders
from jobs.writing.earlier_rows import left_before, with_what_had_gone
from jobs.writing.outside_objects import Outside
from jobs.writing.partial_units import as_it_is, begun, changed_since, come_since, continued, without_mark
from jobs.writing.read_back import still_there
from jobs.writing.send import WriteOutcome, send_and_reconcile
from jobs.writing.turns import Turns
from rules.dates.instants import instant
from rules.model.records import Contact, Unit, UnitKind

# Which of some ids go later in this run, once some rows, by id, have gone.
GoingLater = Callable[[Collection[str], Collection[str]], Collection[str]]
# Which of some units would not go as they were announced by what is read now, each with the code.
Otherwise = Callable[[Collection[Key]], dict[Key, str]]

BELIEVED_FOR = timedelta(seconds=30)  # what was read of a unit; a throttled write waits for up to half an hour


class PlanLapsed(Exception):
    """Somebody has rejected the plan of the run that is at work, or a hold that was placed since is on
    nothing: nothing more of it is begun."""


class Journal:
    """What one run has announced, written and found, from where the store's journal of it stands."""

    group = 100  # units that are recomputed, journalled and sent together; the connector may ask for more

    def __init__(self, context: JobContext, run: Run) -> None:
        self.context = context
        self.run = run.id
        self.plan = run.plan
        self._started = run.started_at
        self._looked_at: dict[Key, datetime] = {}  # when it was looked for what goes along with each
        self.day = context.day(run.as_of)
        self.actions: dict[Key, Action] = {action.key: action for action in context.store.journal.of_run(run.id)}
        self.outside = Outside(context)
        self.folders = DocumentFolders(context)
        self.turns = Turns(context.store.journal)
        self.going_later: GoingLater = lambda *_: ()
        self.people: Collection[str] = ()  # contacts that the plan removes after their units
        self.followers: dict[str, PlanLine] = {}  # lines of attachments that go as part of another unit, by id (RET-03)
        self.announced: dict[Key, Action] = {}  # sent before a run was cut off, and found untouched: perhaps still under way

    # -- writing ---------------------------------------------------------------------------------------------

    def carry_out(self, intents: Sequence[Action], units: Mapping[Key, Unit], otherwise: Otherwise, read_at: datetime) -> None:
        """Journal what is intended, write it, and journal the outcome. `units` are those of the intents that
        are not contacts; they were read from `read_at` on, and what is to be written later is asked of
        `otherwise` (RET-17). Raises PlanLapsed: before anything of them is written."""
        if any(not approval.approves for approval in self.context.store.plans.approvals([self.plan]).get(self.plan, ())):
            raise PlanLapsed
        if look_up_unseen(self.context, self._approved):
            raise PlanLapsed
        intents = self._without_orphans(intents)
        if not intents:
            return
        self._looked_at = dict.fromkeys((action.key for action in intents), read_at)
        permitted(self.context.connector, self.context.policy)  # by what was read until now, all of this was judged
        intents = [self.bypassing.marked(action, self.followers) for action in intents]
        intents = with_what_had_gone(self.context, intents, self._left_before, self.announced)
        intents = [self._placed(action) for action in intents]
        self.record(intents, "intent")
        failed = self._remove_content(intents, units, otherwise)
        sendable = {name_of(action): action for action in intents if action.key not in failed}

        def of(names: Collection[str]) -> dict[str, Action]:
            return {name: sendable[name] for name in names}

        def held(names: Collection[str]) -> dict[str, str]:
            return self.stopped_or_held(of(names), units, otherwise)

        purged = purge_before(self.context, sendable, held=held)
        results = send_and_reconcile(
            self.context.connector,
            {name: action.rows for name, action in sendable.items()},
            held=held,
            rest_held=lambda names: self.rest_held(of(names), units, otherwise),
        )
        written = {name: action.rows for name, action in sendable.items() if results[name].state is ActionState.DONE}
        results |= purge_retained(
            self.context.connector, written, held=lambda names: self.not_purgeable(of(names), written, units, otherwise)
        )
        outcomes = []
        for action in intents:
            if action.key in failed:
                outcomes.append(failed[action.key])
            elif (result := results[name_of(action)]).code != STOPPED:  # else its intent stands: the run goes on there once it may
                outcomes.append(self._outcome_of(action, result, purged.get(action.key, 0)))
        self.record(outcomes, "outcome")
        if len(outcomes) < len(intents):
            raise stopped(self.context.store.kill_switch.stopped_since() or self.context.clock())

    def _outcome_of(self, action: Action, result: WriteOutcome, purged: int) -> Action:
        """Return what became of an action whose rows were sent; `purged` are entries of its history that were
        removed before."""
        if result.state is ActionState.DONE:
            return self.removed(msgspec.structs.replace(action, audit_entries=action.audit_entries + purged))
        has_lost = bool(action.documents) or any(write.object for write in action.rows)  # what lay outside the CRM has gone before
        flags = (*action.flags, CRM_REFUSED) if result.code == TECHNICAL else action.flags
        outcome = msgspec.structs.replace(action, state=ActionState.PARTIAL if has_lost else result.state, code=result.code, flags=flags)
        is_whole = has_lost and result.state is not ActionState.PARTIAL  # no row was written, or all were and nobody has said so
        return begun(outcome) if is_whole else without_mark(outcome)

    def _placed(self, action: Action) -> Action:
        """Return the same with the table of each row said: the mapping may change before it is looked for."""
        return msgspec.structs.replace(action, rows=tuple(write.placed(self.context.connector) for write in action.rows))

    @cached_property
    def _approved(self) -> Plan:
        return self.context.store.plans.get(self.plan)

    @cached_property
    def bypassing(self) -> Bypassing:
        return Bypassing(self.context, self.context.by_now(self.day).policy)

    @cached_property
    def _left_before(self) -> dict[Key, tuple[str, Action]]:
        return left_before(self.context, self.run)

    def whole(self, intents: Sequence[Action], gone: Collection[str] = ()) -> tuple[list[Action], dict[Key, str]]:
        """Return the intents with what is deleted along with them, and with the folders of documents that are
        removed before; and those that must wait, each with the cause: something unmapped would remain of the
        unit (R-158), or its documents are out of reach. The rows `gone`, by id, will have been deleted by
        then."""
        found, orphans = with_unmapped(self.context, intents, gone) if intents else ([], {})
        going, out_of_reach = self.folders.with_documents([action for action in found if action.key not in orphans])
        return going, dict.fromkeys(out_of_reach, CONTENT_OUT_OF_REACH) | {key: UNACCOUNTED + table for key, table in orphans.items()}

    def _without_orphans(self, intents: Sequence[Action]) -> list[Action]:
        """Return those of the intents that are `whole`, and do not wait for what shares a row with them."""
        going, causes = self.whole(intents)
        outcomes = [_skipped(action, TECHNICAL, causes[action.key]) for action in intents if action.key in causes]
        there = self._bound_there(going, intents)
        waiting = ((action, there.bound[action.key]) for action in going if action.key in there.bound)
        self.record(outcomes + [_skipped(action, LONG_TERM, *self._in_turn(owners)) for action, owners in waiting], "outcome")
        left = [action for action in going if action.key not in there.bound]
        return [msgspec.structs.replace(action, rows=(*there.along.get(action.key, ()), *action.rows)) for action in left]

    def _in_turn(self, owners: Collection[Owner]) -> tuple[str, ...]:
        """Return the flag of a unit that waits for people alone who are to go after their units: as long as
        anything else keeps them, somebody has to be told."""
        return (AWAITS_TURN,) if owners and all(word == UnitKind.CONTACT and row in self.people for word, row in owners) else ()

    def _remove_content(self, intents: Sequence[Action], units: Mapping[Key, Unit], otherwise: Otherwise) -> dict[Key, Action]:
        """Remove what units have outside the CRM before their rows (R-053); give the outcome of those that
        stop there."""
        results = remove_content(
            self.context,
            self.outside,
            self.folders,
            intents,
            held=lambda actions: self.kept_now(actions, units, otherwise),
            begin=self._begin_content,
        )
        stopped = ((action, results[action.key]) for action in intents if action.key in results)
        outcomes = [msgspec.structs.replace(action, state=found.state, code=found.code) for action, found in stopped]
        return {each.key: begun(each) if each.state is ActionState.PARTIAL else each for each in outcomes}

    def _begin_content(self, actions: Sequence[Action]) -> None:
        """Note that something of these units outside the CRM is about to go: of that no row tells."""
        noted = [begun(action) for action in actions]
        self.context.store.journal.record(self.run, noted)
        self.actions.update({action.key: action for action in noted})

    def kept_now(self, actions: Sequence[Action], units: Mapping[Key, Unit], otherwise: Otherwise | None = None) -> dict[Key, str]:
        """Return which of these a hold covers at this moment, and which are not what was announced any more
        where that is asked, each with its code."""
        by_name = {name_of(action): action for action in actions}
        codes = self._changed(by_name, otherwise) if otherwise is not None else {}
        codes |= self._held_now(by_name, units)
        return {by_name[name].key: code for name, code in codes.items()}

    def stopped_or_held(
        self, actions: Mapping[str, Action], units: Mapping[Key, Unit], otherwise: Otherwise = lambda _: {}
    ) -> dict[str, str]:
        """Return which of these, by name, must not be written at this moment: all of them once the kill
        switch is set, else those under a hold, and those that are not what was announced any more."""
        codes = self._changed(actions, otherwise) | self._held_now(actions, units)
        is_stopped = self.context.store.kill_switch.stopped_since() is not None
        return dict.fromkeys(actions, STOPPED) if is_stopped else codes

    def rest_held(self, actions: Mapping[str, Action], units: Mapping[Key, Unit], otherwise: Otherwise = lambda _: {}) -> dict[str, str]:
        """Return the same of those of which a part has gone: what is left of a unit cannot be judged, only
        whether it is as it was. Contacts can."""

        def changed(keys: Collection[Key]) -> dict[Key, str]:
            people = [key for key in keys if key[0] == table]
            rest = [action for action in actions.values() if action.key in keys and action.key not in people]
            return dict.fromkeys(changed_since(self.context.connector, rest), CHANGED) | (otherwise(people) if people else {})

        table = self.context.connector.table(Contact)
        return self.stopped_or_held(actions, units, changed)

    def has_grown(self, action: Action, remaining: Sequence[RowWrite]) -> bool:
        """Return whether something has come to what remains of a unit since it was announced (`come_since`).
        What stands apart, as it has a line of its own, is nothing new."""
        come = come_since(self.context.connector, action, remaining)
        others = (*self.actions.values(), *(left for _, left in self._left_before.values())) if come else ()
        return bool(come - {write.id for other in others for write in other.rows})

    def _held_now(self, actions: Mapping[str, Action], units: Mapping[Key, Unit]) -> dict[str, str]:
        """Return which of these, by name, a hold covers, each with the code. It is asked last: reading what
        else there is to know may take half an hour of waiting for the CRM (HLD-07)."""
        return {name: reason.value for name, reason in held_now(self.context, self.day, actions, units).items()}

    def _changed(self, actions: Mapping[str, Action], otherwise: Otherwise) -> dict[str, str]:
        """Return which of these, by name, would not go by now as they were announced, or would take something
        along that was not, or leave something behind, each with the code. It was looked for a moment ago,
        unless the CRM has let us wait since, or an earlier run has announced them."""
        now = self.context.clock()
        asked = [action for action in actions.values() if (at := self._looked_at.get(action.key)) is None or now - at >= BELIEVED_FOR]
        if not asked:
            return {}
        permitted(self.context.connector, self.context.policy)  # what the CRM deletes along may be another by now
        found, waiting = with_unmapped(self.context, asked)
        grown = {after.key for before, after in zip(asked, found, strict=True) if {*after.along} - {*before.along}}
        codes = dict.fromkeys({*grown, *waiting}, CHANGED) | otherwise([each.key for each in asked])
        self._looked_at |= {action.key: now for action in asked}
        return {name: codes[action.key] for name, action in actions.items() if action.key in codes}

    def not_purgeable(
        self,
        actions: Mapping[str, Action],
        rows: Mapping[str, Sequence[RowWrite]],
        units: Mapping[Key, Unit],
        otherwise: Otherwise = lambda _: {},
    ) -> dict[str, str]:
        """Return which of these, by name, must not be purged from long-term retention at this moment: what
        must not be written, and what would take along something of a unit that stays, one of these included.
        `rows` are those that each of them writes now. What lies there as a whole is still whole, and is
        judged again where it had to wait."""
        whole = {action.key for action in actions.values() if all(write.retained for write in action.rows)}

        def changed(keys: Collection[Key]) -> dict[Key, str]:
            return otherwise([key for key in keys if key in whole])

        kept = self.stopped_or_held(actions, units, changed)
        going = {name: msgspec.structs.replace(action, rows=tuple(rows[name])) for name, action in actions.items() if name not in kept}
        there = self._bound_there(list(going.values()), list(actions.values()))
        bound = there.bound.keys() | there.along.keys()  # what was not announced is not taken along
        codes = {name: LONG_TERM for name, action in going.items() if action.key in bound}
        return kept | codes | self.stopped_or_held(going, units, changed)  # to see who is bound may have to wait too

    def _bound_there(self, going: Sequence[Action], of: Sequence[Action]) -> There:
        """Return which of these must wait for others there, `of` their group. What goes later in this run, or
        awaits its turn, is none of those, nor what is left of a unit that itself waits: two would wait for
        each other."""

        def to_come(owners: Collection[Owner], now: Sequence[Action]) -> Collection[str]:
            # Asked of few groups, if of any: each looks at the whole journal.
            actions = self.actions.values()
            waiting = [action for action in actions if action.state is ActionState.PARTIAL and action.code == LONG_TERM]
            left = {write.id for action in waiting for write in action.rows if write.operation == "delete"}
            decided = {action.id for action in (*actions, *of) if action.code != AWAITS_TURN}
            later = {row: units for (_, row), units in units_of(self.context.connector, owners).items() if decided.isdisjoint(units)}
            gone = {row.id for action in now for row in action.rows if row.operation == "delete"} | {action.id for action in now}
            going = {*self.going_later({unit for units in later.values() for unit in units}, gone)} if later else set[str]()
            return {row for _, row in owners if row in left} | {row for row, units in later.items() if not going.isdisjoint(units)}

        return bound_there(self.context.connector, going, to_come)

    # -- noting ----------------------------------------------------------------------------------------------

    def is_gone(self, line: PlanLine) -> None:
        """Note a unit that is not there any more: somebody else's work, or our own earlier work."""
        if not self.has_landed(line.key):
            self.skip_lines([line], CHANGED)

    def has_landed(self, key: Key) -> bool:
        """Note as done what was still under way when this run was cut off, or an earlier one gave up on it,
        and has come to pass since; return whether it has. The plan may be older than that."""
        before = self.announced.get(key)
        if before is None and (left := self._left_before.get(key)) is not None and left[1].rows:
            run, action = left
            before = continued(action, deleted_by_then(self.context, run, action))
        if before is None or before.unread(self.context.connector) or still_there(self.context.connector, before.rows):
            return False
        self.record([self.removed(before)], "outcome")
        return True

    def skip_lines(self, lines: Iterable[PlanLine], code: str) -> None:
        """Note what stays of a plan, all for the same reason."""
        self.skip([(line.table, line.id, line.disposition or "") for line in lines], code)

    def skip(self, units: Sequence[tuple[str, str, str]], code: str, *marks: str) -> None:
        """Note units, as (table, id, disposition), that stay, all for the same reason, which may be a cause
        of SKIPPED_TECHNICAL; `marks` are flags of theirs."""
        is_cause = code in (CRM_REFUSED, CONTENT_OUT_OF_REACH)
        told, flags = (TECHNICAL, (code, *marks)) if is_cause else (code, marks)
        if units:
            self.record([Action(*unit, ActionState.SKIPPED, told, flags=flags) for unit in units], "outcome")

    def record(self, actions: Sequence[Action], kind: str) -> None:
        """Store what is intended or its outcome, in the ledger too. What is about to be deleted, and what is
        deleted, enters the register of erasures with it."""
        if kind == "outcome":
            actions = [as_it_is(action, self.announced.get(action.key)) for action in actions]
            actions = self.turns.noted(apart(actions, self.followers), self._started)
        data: dict[str, object] = {
            "units": [
                {
                    "ref": self.context.reference(action.table, action.id),
                    "table": action.table,
                    "disposition": action.disposition,
                    "state": action.state.value,
                    "code": action.code,
                    "rows": len(action.rows),
                    **({"bypass": list(action.bypass)} if action.bypass else {}),
                }
                for action in actions
            ]
        }
        if kind == "intent":
            noted = announce(self.context, self.run, actions)
        else:
            noted = register(self.context, self.run, [action for action in actions if action.state is ActionState.REMOVED])
        erasures = [msgspec.structs.asdict(each) for each in noted]
        self.context.store.journal.record(self.run, actions, [(kind, data)], erasures)
        self.actions.update({action.key: action for action in actions})

    def note_read_back(self) -> None:
        """Record the moment at which all that is done was read back and found so."""
        at = instant(self.context.clock(), "seconds")
        verified = [action for action in self.actions.values() if action.state is ActionState.DONE and not action.verified_at]
        read_back = [msgspec.structs.replace(action, verified_at=at) for action in verified]
        self.context.store.journal.record(self.run, read_back)
        self.actions.update({action.key: action for action in read_back})

    def removed(self, action: Action) -> Action:
        """Return the outcome of a unit that is gone. What was removed before keeps its day: backups of then
        rotate out from there on (ERA-02)."""
        at = action.removed_at or instant(self.context.clock(), "seconds")
        return msgspec.structs.replace(action, state=ActionState.REMOVED, code="", removed_at=at)


def name_of(action: Action) -> str:
    """Return the name by which the connector knows a unit."""
    return f"{action.table}/{action.id}"


def _skipped(action: Action, code: str, *flags: str) -> Action:
    """Return the outcome of a unit of which nothing was written."""
    return Action(action.table, action.id, action.disposition, ActionState.SKIPPED, code, flags=flags)
