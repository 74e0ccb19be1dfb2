"""What waits of units: holds past their review or on nothing, units in quarantine, units that nothing decides
on. Source: HLD-01, HLD-03, RET-14. Units are counted here and never named."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from jobs.checks.same_crm import is_of_other_crm
from jobs.inbox.item import InboxItem, ItemKind, Stage
from jobs.model.hold_query import HoldList, HoldQuery
from jobs.model.work_queue import QUEUE_OLD, queue_of
from jobs.ports.store.store import Store
from jobs.runs.quarantine import marks_of
from rules.hints import hint_to
from rules.model.decisions import Flag
from rules.model.roles import Act, Role, roles_of
from rules.policy.policy import Policy
from rules.retention.quarantine import Mark

TONIGHT: Final = timedelta(days=1)


def of_units(store: Store, policy: Policy, day: date, crm: str) -> Iterator[InboxItem]:
    """Yield what waits of the units of one CRM; `crm` is its address as the plans have it."""
    yield from _holds(store, day)
    yield from _quarantine(store, policy, day)
    yield from _undecided(store, policy, day, crm)


def _holds(store: Store, day: date) -> Iterator[InboxItem]:
    """Yield the holds whose review was not done in time, which releases none (HLD-03), and those of which the
    CRM turned out to have no row."""
    for hold in store.holds.page(HoldQuery(day, HoldList.UNSEEN)).holds:
        if hold.looked_up_at is not None and not is_of_other_crm(store, hold.crm):
            yield InboxItem(
                kind=ItemKind.HOLD_NOT_FOUND,
                roles=roles_of(Act.PLACE_HOLD),
                subject=hold.id,
                stage=Stage.OVERDUE,
                since=hold.looked_up_at,
                facts={"type": hold.type.value},
            )
    for hold in store.holds.page(HoldQuery(day, HoldList.REVIEW)).holds:
        if not is_of_other_crm(store, hold.crm):
            yield InboxItem(
                kind=ItemKind.HOLD_TO_REVIEW,
                roles=roles_of(Act.PLACE_HOLD),
                subject=hold.id,
                code=Flag.HOLD_REVIEW_OVERDUE.value,
                stage=Stage.OVERDUE,
                since=hold.placed_at,
                due_on=hold.review_on,
                facts={"type": hold.type.value},
            )


def _quarantine(store: Store, policy: Policy, day: date) -> Iterator[InboxItem]:
    """Yield the units that somebody can still keep, together with those of the same last day."""
    batches: dict[date, list[Mark]] = defaultdict(list)
    for mark in marks_of(store, policy):
        if mark.told and not mark.undone and day <= mark.until:
            batches[mark.until].append(mark)
    for until, marks in batches.items():
        yield InboxItem(
            kind=ItemKind.QUARANTINE,
            roles=roles_of(Act.KEEP_IN_QUARANTINE),
            subject=until.isoformat(),
            stage=Stage.SOON if until - day <= TONIGHT else Stage.WAITS,
            due_on=until,
            count=len(marks),
            hint=hint_to("list_quarantine"),
        )


def _undecided(store: Store, policy: Policy, day: date, crm: str) -> Iterator[InboxItem]:
    waiting = store.work_queue.undecided(crm) if crm else {}
    if not waiting:
        return
    watch = policy.watch.queue
    queue = queue_of(waiting, watch.owner, watch.days, day)
    yield InboxItem(
        kind=ItemKind.UNDECIDED,
        roles=(Role(queue.owner),),
        code=QUEUE_OLD if queue.overdue else "",
        stage=Stage.OVERDUE if queue.overdue else Stage.WAITS,
        due_on=min(unit.since for unit in waiting.values()) + timedelta(days=watch.days),
        count=queue.units,
        facts={"overdue": str(queue.overdue), "oldest_days": str(queue.oldest_days)},
    )
