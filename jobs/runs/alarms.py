"""Alarms: what makes a run that went through look wrong all the same."""

from collections import Counter
from collections.abc import Iterator, Sequence

from jobs.holds.look_up import HOLD_NOT_FOUND
from jobs.model.plan import Alarm, Key, Plan
from jobs.model.run import AWAITS_TURN, CONTINUED, REQUEST_UNDONE, Action, ActionState, Run
from jobs.model.work_queue import QUEUE_OLD
from jobs.plans.alarms.earlier_plans import BACKLOG, NOTHING_DUE, VIEW_SHRANK, EarlierPlans
from jobs.plans.alarms.observations import CANARY, MISSED_CHANGES, UNACCOUNTED_TABLES
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.runs.counts import only_waits
from jobs.runs.quarantine import PUT_OFF
from jobs.writing.send import TECHNICAL
from rules.model.decisions import Reason
from rules.model.records import Contact

TECHNICAL_AGAIN, LEFT_OVER, RETAINED_REST = "TECHNICAL", "LEFT_OVER", "RETAINED_REST"
WORK = (QUEUE_OLD, UNACCOUNTED_TABLES, RETAINED_REST)  # work that waits for a person: the night did what it had to
# That two people let a plan through does not make its run a good one.
LASTING = (VIEW_SHRANK, NOTHING_DUE, CANARY, HOLD_NOT_FOUND, REQUEST_UNDONE, MISSED_CHANGES, *WORK)
KEPT = frozenset(reason.value for reason in Reason)  # codes of units that were skipped because they are to be kept
NOT_DONE = (ActionState.SKIPPED, ActionState.PARTIAL, ActionState.FAILED)
POSTPONED = PUT_OFF - {AWAITS_TURN}  # a turn comes within nights: who still awaits it long past its end may be starving


def alarms_of_run(context: JobContext, plan: Plan, run: Run, actions: Sequence[Action]) -> list[Alarm]:
    """Return what is wrong with a run although it completed. With an alarm it ends with failures, unless the
    alarm is WORK for a person. Alarms that the run itself has cured are not among them: a missed night, a
    backlog that is gone now."""
    earlier_plans = EarlierPlans.of(context.store, plan.crm)
    return [
        *(alarm for alarm in plan.alarms if alarm.code in LASTING),
        *_backlog(context, plan, actions),
        *_technical(context, earlier_plans, run, actions),
        *_half_done(earlier_plans, run, actions, context.connector.table(Contact)),
    ]


def _backlog(context: JobContext, plan: Plan, actions: Sequence[Action]) -> Iterator[Alarm]:
    """Yield an alarm for units that are long overdue and that this run has not disposed of either. Those that
    are kept or postponed do not count; those that await their turn do."""
    handled = {
        action.key
        for action in actions
        if action.removed_at
        or action.state is ActionState.DONE
        or (action.state is ActionState.SKIPPED and action.code in KEPT | POSTPONED and AWAITS_TURN not in action.flags)
    }
    if late := [unit for unit in plan.backlog if unit not in handled]:
        yield Alarm.of(BACKLOG, "backlog_left", units=len(late), days=context.policy.watch.backlog_days)


def _technical(context: JobContext, earlier_plans: EarlierPlans, run: Run, actions: Sequence[Action]) -> Iterator[Alarm]:
    """Yield an alarm for units that were skipped for a technical reason in several runs in a row (HLD-13). A
    run in which a unit awaited its turn says nothing of it, so the one before counts."""
    wanted = context.policy.watch.technical_runs
    in_a_row = Counter(_of_code(actions, TECHNICAL))
    again = {key for key in in_a_row if wanted == 1}
    earlier = (each for each in earlier_plans.completed(run.kind) if each.id != run.id)
    while (open_ := in_a_row.keys() - again) and (before := next(earlier, None)) is not None:
        left = context.store.journal.of_run(before.id, NOT_DONE)
        refused = open_ & _of_code(left, TECHNICAL)
        in_a_row.update(refused)
        again |= {key for key in refused if in_a_row[key] == wanted}
        for key in open_ - refused - _of_code(left, AWAITS_TURN):
            del in_a_row[key]
    if again:
        yield Alarm.of(TECHNICAL_AGAIN, "technical", units=len(again), runs=wanted)


def _of_code(actions: Sequence[Action], code: str) -> set[Key]:
    return {action.key for action in actions if action.code == code}


def _half_done(earlier_plans: EarlierPlans, run: Run, actions: Sequence[Action], contacts: str) -> Iterator[Alarm]:
    """Yield an alarm for units that an earlier run left half done and that this one has not finished
    (ERA-15). Contacts are not among them: every plan finds those again, and one that it does not find is in
    use again (RET-20). What only waits for what it shares a row with may do so for years: it is work, since
    no plan tells of it, and no failure."""
    runs = {each.id for each in earlier_plans.runs} - {run.id}
    older = [action for of, action in earlier_plans.store.journal.partials() if of in runs and action.table != contacts]
    again = [action for action in actions if action.state is ActionState.PARTIAL and CONTINUED in action.flags]
    waiting = {action.id for action in actions if action.state is ActionState.SKIPPED and action.code == LONG_TERM}
    left = [*again, *(action for action in older if waiting.isdisjoint(write.id for write in action.rows))]
    if unfinished := sum(not only_waits(action) for action in left):
        yield Alarm.of(LEFT_OVER, "left_over", units=unfinished)
    if waits := sum(only_waits(action) for action in (*again, *older)):
        yield Alarm.of(RETAINED_REST, "retained_rest", units=waits)
