"""Where a run goes on that was cut off: what became of the units that it had announced, what an earlier run
left half done, and whether it may begin anything new (ERA-15, RET-17)."""

from collections.abc import Sequence

import msgspec

from connectors.interface.connector import Connector
from jobs.checks.kill_switch import refuse_if_stopped
from jobs.erasures.register import deleted_by_then
from jobs.holds.look_up import HOLD_NOT_FOUND, look_up_unseen
from jobs.model.plan import Key, Plan
from jobs.model.run import CHANGED, CONTENT_BEGUN, CONTINUED, Action, ActionState, RowWrite
from jobs.ports.context import JobContext
from jobs.residual.outside_content import remove_content
from jobs.residual.purge_retained import purge_retained
from jobs.residual.unmapped_rows import with_unmapped
from jobs.runs.journal import Journal, name_of
from jobs.runs.recheck import held_now
from jobs.writing import send
from jobs.writing.earlier_rows import unanswered
from jobs.writing.partial_units import continued, finish_remaining, is_as_judged, is_shell
from jobs.writing.read_back import still_there
from rules.model.kinds import FILES
from rules.model.records import Contact

JUDGED_BY = (*FILES, "party")  # kinds of rows on which a period depends
Remaining = tuple[Action, Sequence[RowWrite]]  # a unit, and what is left of its rows
# Why an interrupted run begins nothing new.
PLAN_REJECTED, POLICY_CHANGED, PLAN_EXPIRED = "PLAN_REJECTED", "POLICY_CHANGED", "PLAN_EXPIRED"


def lapsed(context: JobContext, plan: Plan) -> str:
    """Return why an interrupted run may reconcile what it had announced and nothing more; empty where it may
    continue."""
    if any(not word.approves for word in plan.given):
        return PLAN_REJECTED
    if (plan.policy_digest, plan.mapping_digest) != (context.policy.digest, context.mapping_digest):
        return POLICY_CHANGED
    if taken_along_since(context, plan):
        return POLICY_CHANGED
    if look_up_unseen(context, plan):
        return HOLD_NOT_FOUND
    return PLAN_EXPIRED if context.clock() >= plan.valid_until else ""


def taken_along_since(context: JobContext, plan: Plan) -> list[str]:
    """Return the lookups, as table.column, by which the CRM has begun since a plan was made to delete rows
    along with what goes."""
    return sorted(context.connector.taken_along().difference(plan.taken_along)) if plan.taken_along is not None else []


def reconcile_intended(journal: Journal) -> None:
    """Find out the outcome of units that an interrupted run had announced: deleted, half done by us, or
    to be judged again."""
    intended = [action for action in journal.actions.values() if action.state is ActionState.INTENDED]
    if not intended:
        return
    left = still_there(journal.context.connector, (write for action in intended for write in action.rows))
    outcomes: list[Action] = []
    there: list[Remaining] = []
    for action in intended:
        remaining = [write for write in action.rows if (write.kind, write.id) in left]
        is_unread = bool(action.unread(journal.context.connector))
        if is_unread and CONTINUED in action.flags:
            outcomes.append(msgspec.structs.replace(action, state=ActionState.PARTIAL, code=CHANGED))
        elif is_unread:  # nobody can tell whether rows are there whose table the mapping has no more
            journal.announced[action.key] = journal.actions.pop(action.key)
        elif not remaining:
            outcomes.append(journal.removed(action))
        elif _is_left_there(journal.context.connector, action, remaining):
            there.append((action, remaining))
        elif len(remaining) < len(action.rows) and (
            CONTINUED in action.flags or len(action.rows) > send.MAX_OPERATIONS or is_shell(action, remaining)
        ):
            # What was half done before this run stands in no plan, and nobody else would go on with it.
            outcomes.append(_finish_remaining(journal, action, remaining))
        else:
            # One change set is whole or not at all: what is missing somebody else has taken. So the unit
            # is judged as it now is.
            journal.announced[action.key] = journal.actions.pop(action.key)
    outcomes += _purge_remaining(journal, there)
    if outcomes:
        journal.record(outcomes, "outcome")


def reconcile_failed(journal: Journal) -> None:
    """Check again units whose write had no answer. One that is gone as a whole was carried out late, and
    is done."""
    failed = [action for action in journal.actions.values() if action.state is ActionState.FAILED and action.rows]
    left = still_there(journal.context.connector, (write for action in failed for write in action.rows)) if failed else set()
    late = [action for action in failed if not any((write.kind, write.id) in left for write in action.rows)]
    if late:
        journal.record([journal.removed(action) for action in late], "outcome")


def continue_partials(journal: Journal, planned: set[Key], crm: str) -> None:
    """Go on with units that an earlier run left half done (ERA-15): what is left of them cannot be judged
    any more. Contacts whose row is still there are not among them: a plan finds those again
    (`JournalStore.undone`). A write that had no answer may have been carried out afterwards, also one of a
    unit that was then passed over: a unit that is gone as a whole is in no plan either."""
    store = journal.context.store
    there: list[Remaining] = []
    failures = [(run, action) for run, action in store.journal.failures() if action.rows]
    for run, action in [*store.journal.partials(), *failures, *unanswered(store.journal)]:
        key = action.key
        if run == journal.run or key in planned or key in journal.actions or store.plans.get(store.runs.get(run).plan).crm != crm:
            continue
        if action.unread(journal.context.connector):
            continue  # of rows whose table the mapping has no more nobody can tell whether they are there
        left = still_there(journal.context.connector, action.rows)
        remaining = [write for write in action.rows if (write.kind, write.id) in left]
        again = continued(action, deleted_by_then(journal.context, run, action))
        is_planned = any(write.key(journal.context.connector) in planned for write in remaining)
        if not remaining:
            journal.record([journal.removed(again)], "outcome")
        elif CONTENT_BEGUN in action.flags:
            continue  # no row of it was written: a plan judges it as it now is, whoever has taken rows since
        elif not is_planned and _is_left_there(journal.context.connector, action, remaining):
            there.append((msgspec.structs.replace(again, removed_at=""), remaining))
        elif len(remaining) == len(action.rows) or action.state is not ActionState.PARTIAL:
            continue  # all rows are there, so a plan finds the unit again and judges it as it now is
        elif action.table != journal.context.connector.table(Contact) and is_as_judged(journal.context.connector, action, remaining):
            again = msgspec.structs.replace(_with_unmapped(journal.context, again), removed_at="")  # part of it is only removed now
            journal.record([again], "intent")
            journal.record([_finish_remaining(journal, again, remaining)], "outcome")
    if there:
        journal.record([again for again, _ in there], "intent")
        journal.record(_purge_remaining(journal, there), "outcome")


def _with_unmapped(context: JobContext, action: Action) -> Action:
    """Return what is left of a unit with what is deleted along with it by now, beside what was before: to be
    cleaned too (ERA-12)."""
    ((now,), _) = with_unmapped(context, [action])
    return msgspec.structs.replace(action, along=tuple(sorted({*action.along, *now.along})))


def _is_left_there(connector: Connector, action: Action, remaining: Sequence[RowWrite]) -> bool:
    """Return whether something that a unit was judged by is gone and only rows in long-term retention
    remain. Nobody can have changed these. As long as the former is whole the unit can be judged again."""
    judged = [write for write in action.rows if write.kind in JUDGED_BY or write is action.rows[-1]]
    is_part = any(write not in remaining for write in judged) and all(write.retained for write in remaining)
    return is_part and not still_there(connector, remaining, live_only=True)


def _purge_remaining(journal: Journal, there: Sequence[Remaining]) -> list[Action]:
    """Continue units of which only rows in long-term retention remain, unless a hold covers them. They go
    together, since a row there may belong to several. Returns their outcomes."""
    if not there:
        return []
    refuse_if_stopped(journal.context.store)
    actions = {name_of(action): action for action, _ in there}
    rows = {name_of(action): remaining for action, remaining in there}
    results = purge_retained(
        journal.context.connector, rows, held=lambda names: journal.not_purgeable({name: actions[name] for name in names}, rows, {})
    )
    outcomes = []
    for name, action in actions.items():
        if results[name].state is ActionState.DONE:
            outcomes.append(journal.removed(action))
        else:
            outcomes.append(msgspec.structs.replace(action, state=ActionState.PARTIAL, code=results[name].code))
    return outcomes


def _finish_remaining(journal: Journal, action: Action, remaining: Sequence[RowWrite]) -> Action:
    """Continue a unit of which a part is gone, unless a hold covers what remains of it, or something has come
    to that since: with it the unit might have another end."""
    refuse_if_stopped(journal.context.store)
    if journal.has_grown(action, remaining):
        return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=CHANGED)
    if held := held_now(journal.context, journal.day, {"rest": action}, {}):
        return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=held["rest"])
    rest = msgspec.structs.replace(action, rows=tuple(remaining), documents=())  # rows go once the documents have
    kept = remove_content(
        journal.context,
        journal.outside,
        journal.folders,
        [rest],
        held=lambda actions: journal.kept_now(actions, {}),
        begin=lambda _: None,  # it is known to be half done
    )
    if stopped := kept.get(action.key):
        return msgspec.structs.replace(action, state=ActionState.PARTIAL, code=stopped.code)
    outcome = finish_remaining(
        journal.context.connector,
        action,
        remaining,
        as_sent=journal.bypassing.still_allowed(action, remaining),
        held=lambda names: journal.rest_held(dict.fromkeys(names, action), {}),
    )
    return journal.removed(outcome) if outcome.state is ActionState.DONE else outcome
