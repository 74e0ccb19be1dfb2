"""What waits of plans and runs: approvals, a run that was cut off, the alarms of the last night."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final

from jobs.checks.same_crm import is_of_other_crm
from jobs.inbox.item import InboxItem, ItemKind, Stage
from jobs.inbox.of_no_use import OPEN, Rules, why_of_no_use
from jobs.ledger.heads import KEYS
from jobs.ledger.maintenance_runs import HOUSEKEEPING
from jobs.model.plan import Alarm, Kind, Plan, PlanState
from jobs.model.run import INTERRUPTED, Run, RunState, alarms_of
from jobs.model.work_queue import QUEUE_OLD
from jobs.nightly.housekeeping import WITHOUT_OBJECT, WITHOUT_ROW
from jobs.plans.alarms.observations import UNACCOUNTED_TABLES
from jobs.plans.alarms.overtaken import is_passed_over, is_replaced, overtaken_by
from jobs.ports.store.store import Store
from jobs.restores.detect import RESTORED
from jobs.runs.run_states import run_and_state
from rules.dates.calendar import Calendar
from rules.errors import ComplianceError
from rules.hints import hint_to
from rules.model.roles import Act, Role, roles_of
from rules.policy.policy import Policy

EXPIRES_SOON: Final = "EXPIRES_SOON"
SOON: Final = timedelta(hours=24)
LONGEST_VALID: Final = timedelta(days=92)  # unless the schedule says more: an older plan waits for nobody
TOLD_FOR: Final = timedelta(days=14)  # keys, a restore: whether somebody has seen to it nobody here can see
OPERATORS: Final = roles_of(Act.APPROVE_PLAN)  # who keeps an eye on nights
_NIGHTS: Final = (Kind.RETENTION, Kind.RECORDINGS)
_OF_HOUSEKEEPING: Final = {"without_row": WITHOUT_ROW, "rows_without_object": WITHOUT_OBJECT}


def of_plans(store: Store, policy: Policy, now: datetime, rules: Rules | None) -> Iterator[InboxItem]:
    """Yield everything that waits of plans and runs. What is long over is not read."""
    stopped = store.kill_switch.stopped_since()
    if stopped is not None:
        yield InboxItem(kind=ItemKind.STOPPED, roles=OPERATORS, since=stopped, hint=hint_to("resume"))
    yield from _interrupted(store)
    yield from _open(store, policy, now, rules)
    yield from _alarms(store)
    yield from _of_housekeeping(store)


def _ours(store: Store, plans: Iterable[Plan]) -> Iterator[Plan]:
    """Yield the plans of this CRM that can be applied at all."""
    return (plan for plan in plans if not plan.as_of_given and not is_of_other_crm(store, plan.crm))


def _interrupted(store: Store) -> Iterator[InboxItem]:
    """Yield the runs that have not ended and that nobody is working on."""
    for run in store.runs.unfinished():
        for plan in _ours(store, [store.plans.get(run.plan)]):
            if run_and_state(store, run)[1] == INTERRUPTED:
                facts, hint = {"kind": plan.kind.value}, hint_to("apply", plan=plan.id)
                since = run.started_at
                yield InboxItem(kind=ItemKind.RUN_INTERRUPTED, roles=OPERATORS, subject=run.id, since=since, facts=facts, hint=hint)


def _open(store: Store, policy: Policy, now: datetime, rules: Rules | None) -> Iterator[InboxItem]:
    """Yield the plans that wait, unless a newer plan of the same was carried out, so that nobody needs them
    any more, or rejected, or nothing applies them whoever approves: a night makes another one. Of several of
    a kind to which nobody has said anything the newest waits, as nights without approval make one each."""
    longest = max(LONGEST_VALID, timedelta(hours=policy.plan_valid_hours))
    recent = takewhile(lambda plan: plan.created_at >= now - longest, store.plans.newest(is_applied=False))
    found = [plan for plan in _ours(store, recent) if plan.state(now) in OPEN]
    if not found:
        return
    carried_out: list[Plan] = []
    open_ids = {plan.id for plan in found}
    waiting: set[Kind] = set()
    for plan in _ours(store, store.plans.newest()):
        is_carried_out = store.runs.of_plan(plan.id) is not None
        if plan.id in open_ids:
            is_repeated = plan.kind in waiting and not plan.given and plan.state(now) is PlanState.WAITING
            is_over = is_carried_out or is_replaced(plan, carried_out) or is_passed_over(store, plan, now)
            if not is_over and not is_repeated and not why_of_no_use(store, plan, now, rules):
                if plan.kind in (*_NIGHTS, Kind.ALL) and plan.state(now) is PlanState.WAITING:  # others are about units of their own
                    waiting.add(plan.kind)
                yield from _waiting(plan, now, policy.calendar, overtaken_by(store, plan))
            open_ids.remove(plan.id)
            if not open_ids:
                return
        if is_carried_out:
            carried_out.append(plan)


def _waiting(plan: Plan, now: datetime, calendar: Calendar, overtaken: Run | None) -> Iterator[InboxItem]:
    """Yield the approval that a plan waits for; or that it was approved and nobody has carried it out.
    `overtaken` is the run after which its numbers are no longer so."""
    state = plan.state(now)
    if state is PlanState.WAITING:
        kind, roles, hint = ItemKind.PLAN_TO_APPROVE, tuple(map(Role, plan.missing(now))), hint_to("approve_plan", plan=plan.id)
    elif state is PlanState.READY and plan.needed:
        kind, roles, hint = ItemKind.PLAN_TO_APPLY, OPERATORS, hint_to("apply", plan=plan.id)
    else:
        return
    is_soon = plan.valid_until - now <= SOON
    yield InboxItem(
        kind=kind,
        roles=roles,
        subject=plan.id,
        code=EXPIRES_SOON if is_soon else "",
        stage=Stage.SOON if is_soon else Stage.WAITS,
        since=plan.created_at,
        due_on=calendar.day(plan.valid_until),
        count=sum(plan.dispose.values()),
        not_for=tuple(dict.fromkeys((plan.proposer, *(approval.who for approval in plan.given))))
        if kind is ItemKind.PLAN_TO_APPROVE
        else (),
        facts={
            "kind": plan.kind.value,
            "why": " ".join(plan.why),
            "valid_until": plan.valid_until.isoformat(timespec="seconds"),
            "overtaken_by": overtaken.id if overtaken is not None else "",
        },
        hint=hint,
    )


def _alarms(store: Store) -> Iterator[InboxItem]:
    """Yield the alarms of the last night of each kind: those with which its run ended, else those of its
    plan. The queue of undecided units is told by itself."""
    last = {plan.id: plan for kind in _NIGHTS for plan in islice(_ours(store, store.plans.newest((kind, Kind.ALL))), 1)}
    told: set[str] = set()  # tables of which both kinds have found the same
    for plan in last.values():
        run = store.runs.of_plan(plan.id)
        for alarm in _alarms_of(plan, run):
            if alarm.code != QUEUE_OLD:
                is_table = alarm.code == UNACCOUNTED_TABLES
                item = InboxItem(
                    kind=ItemKind.TABLES_UNACCOUNTED if is_table else ItemKind.ALARM,
                    roles=OPERATORS,
                    subject="" if is_table else plan.kind.value,
                    code=alarm.code,
                    since=plan.created_at,
                    message=alarm.message,
                    sentence=alarm.sentence,
                    hint=hint_to("show_run", run=run.id) if run is not None else None,
                    version=alarm.message if is_table else "",
                )
                if item.key not in told:
                    told.add(item.key)
                    yield item


def _alarms_of(plan: Plan, run: Run | None) -> list[Alarm]:
    found = plan.alarms if run is None or not run.is_over else alarms_of(run)
    return list({alarm.code: alarm for alarm in reversed(found)}.values())


def _of_housekeeping(store: Store) -> Iterator[InboxItem]:
    """Yield what the last housekeeping has found: recordings and objects that have lost each other."""
    last = next(store.runs.newest_maintenance(HOUSEKEEPING), None)
    if last is None or last.state is not RunState.DONE_WITH_FAILURES:
        return
    counted: Any = last.counts.get("objects")
    numbers = counted if isinstance(counted, dict) else {}
    for name, code in _OF_HOUSEKEEPING.items():
        if number := numbers.get(name):
            yield InboxItem(kind=ItemKind.ALARM, roles=OPERATORS, subject=HOUSEKEEPING, code=code, since=last.started_at, count=int(number))


def of_restores(store: Store, now: datetime) -> Iterator[InboxItem]:
    """Yield that the CRM was restored lately, once however often it was noticed before a replay: what people
    wrote since the backup is lost, and who put it back may not know what that has brought back."""
    alarms = store.ledger.between(("alarm",), now - TOLD_FOR, now + timedelta(seconds=1))
    noticed = [entry for entry in alarms if entry.data.get("code") == RESTORED]
    if noticed:
        last = datetime.fromisoformat(noticed[-1].at)
        replays = (store.runs.of_plan(plan.id) for plan in store.plans.newest((Kind.REPLAY,), is_applied=True))
        before = next((run.id for run in replays if run is not None and run.started_at < last), "")
        count = int(str(noticed[-1].data["rows"]))
        yield InboxItem(kind=ItemKind.ALARM, roles=OPERATORS, code=RESTORED, since=last, count=count, version=before)


def of_keys(store: Store, now: datetime) -> Iterator[InboxItem]:
    """Yield that keys were replaced lately, which a night does once a year: a backup from before lacks them,
    and with it alone nothing could go on. What is wrong with ledger or keys keeps nothing else from being
    told: the night that finds it is."""
    try:
        replaced = [datetime.fromisoformat(entry.at) for entry in store.ledger.strand(KEYS) if entry.kind == "key_rotated"]
    except ComplianceError:
        return
    if replaced and now < replaced[-1] + TOLD_FOR:
        yield InboxItem(kind=ItemKind.KEYS_REPLACED, roles=OPERATORS, since=replaced[-1])


def of_health(codes: Sequence[str]) -> Iterator[InboxItem]:
    """Yield the codes of what is not well with the service."""
    for code in codes:
        yield InboxItem(kind=ItemKind.NOT_WELL, roles=OPERATORS, code=code, stage=Stage.OVERDUE)
