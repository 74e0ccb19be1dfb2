"""The queue of units on which nothing in force decides (RET-14): a person has to, and each has its age and
its owner. The store remembers the day on which a plan first found a unit there, by a keyed reference, until a
plan no longer finds it there. Lines of plans could not show it: they expire (ACC-07)."""

from datetime import date

from jobs.model.plan import Alarm
from jobs.model.work_queue import QUEUE_OLD, QueueMoves, Waiting, WorkQueue, queue_of
from jobs.plans.alarms.observations import Observations
from jobs.ports.context import JobContext


def look_at_queue(context: JobContext, observations: Observations, day: date) -> tuple[WorkQueue, QueueMoves]:
    """Return the queue of the units that a plan has looked at, as of its day, and what that changes in the
    store. A unit that the store knows by a reference of an older key keeps its age."""
    known = context.store.work_queue.undecided(context.crm)
    waiting: dict[str, Waiting] = {}
    for table, row in observations.undecided:
        now, *older = context.references(table, row)
        before = known.get(now) or next((known[ref] for ref in older if ref in known), None)
        waiting[now] = before or Waiting(table, day)
    looked_at = observations.tables(context.connector)
    moves = QueueMoves(
        context.crm,
        come={ref: unit for ref, unit in waiting.items() if ref not in known},
        left=[ref for ref, unit in known.items() if unit.table in looked_at and ref not in waiting],
    )
    policy = context.policy.watch.queue
    return queue_of(waiting, policy.owner, policy.days, day), moves


def alarm_of(queue: WorkQueue) -> Alarm | None:
    """Return the alarm that units have waited for longer than the policy allows."""
    if not queue.overdue:
        return None
    return Alarm.of(QUEUE_OLD, "queue_old", units=queue.overdue, role=queue.owner, days=queue.days, oldest=queue.oldest_days)
