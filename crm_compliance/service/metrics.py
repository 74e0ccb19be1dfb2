"""Figures of the service for Prometheus (`/metrics`): counts, ages and instants. No label names a plan, a
request, a person or a row of the CRM; what a label can be is a job, a kind, a state or a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crm_compliance.alerts.channels import channels_of
from crm_compliance.service.health import UNREADABLE, Health, last_ends
from crm_compliance.wiring.mapping import rules_in_force
from jobs.inbox.inbox import waiting
from jobs.inbox.item import InboxItem
from jobs.model.hold_query import HoldList, HoldQuery
from jobs.model.plan import Kind, PlanState
from jobs.model.run import RunState
from jobs.register.dates import days_left
from jobs.runs.quarantine import marks_of
from rules.errors import ComplianceError
from rules.rights.deadlines import ALARMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.model.plan import Plan
    from jobs.model.request import SubjectRequest
    from jobs.ports.context import Clock
    from rules.dates.calendar import Calendar
    from rules.policy.policy import Policy

REMEMBERED_S: Final = 15.0
PREFIX: Final = "crm_compliance_"
OUTCOMES: Final = ("deleted", "anonymised", "skipped", "failed")  # of a unit, as lines of runs have them


class Metrics(Collector):
    """The figures, read from the store at most every few seconds."""

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        clock: Clock,
        health: Health,
        calendar: Calendar,
        policy: Callable[[], Policy],
    ) -> None:
        self._settings, self._store, self._clock, self._health = settings, store, clock, health
        self._calendar, self._policy = calendar, policy
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._at, self._text = float("-inf"), b""

    def text(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        if monotonic() - self._at >= REMEMBERED_S:
            self._text = generate_latest(self._registry)
            self._at = monotonic()
        return self._text

    def describe(self) -> Iterable[Metric]:
        return ()  # else the store would be read when it is registered

    def collect(self) -> Iterator[Metric]:
        why = self._health.why_not()
        try:
            found = [*self._of_runs(), *self._of_plans(), *self._of_requests(), *self._of_inbox(), *self._of_crm()]
        except ComplianceError:
            found, why = [], why or (UNREADABLE,)
        yield _gauge("well", "1 while the last night of every job was good and on time, as /healthz says", [({}, float(not why))])
        yield _gauge("not_well", "1 for each code of what is not well", [({"code": code}, 1.0) for code in why])
        yield from found
        with suppress(ComplianceError):  # of the store it is said above, of the file by `not_well`
            yield from list(self._of_channels())

    def _of_runs(self) -> Iterator[Metric]:
        lines = self._store.runs.lines()
        ended = Counter({(line.kind, state.value): 0 for line in lines for state in RunState})
        ended.update((line.kind, line.state.value) for line in lines)
        yield _counter("runs", "Runs and maintenance jobs, by kind and state", ended, "kind", "state")
        units: Counter[tuple[str, str]] = Counter()
        for line in lines:
            if line.plan:
                units.update({(line.kind, name): getattr(line, name) for name in OUTCOMES})
        yield _counter("units", "Units of all runs, by kind of run and outcome", units, "kind", "outcome")
        ends, good = last_ends(self._store.runs), last_ends(self._store.runs, RunState.DONE)
        yield _by_job("last_end_timestamp_seconds", "When each job ended last", {job: end.at.timestamp() for job, end in ends.items()})
        yield _by_job(
            "last_success_timestamp_seconds", "When each job last ended well", {job: end.at.timestamp() for job, end in good.items()}
        )
        took = {job: (end.at - end.began_at).total_seconds() for job, end in ends.items()}
        yield _by_job("last_duration_seconds", "How long each job took last", took)
        late = {job: late.total_seconds() for job, late in self._health.lateness().items()}
        yield _by_job("late_seconds", "By how much each job is past the hour at which it should have run; 0 while it is on time", late)
        stopped = self._store.kill_switch.stopped_since()
        yield _gauge("stopped", "1 while the kill switch is set", [({}, float(stopped is not None))])

    def _of_plans(self) -> Iterator[Metric]:
        now = self._clock()
        left = list(self._store.plans.newest(is_applied=False))  # of the applied ones, which are most, the runs tell
        plans = [plan for plan in left if not plan.as_of_given]
        states = Counter({(state.value,): 0 for state in PlanState})
        states.update((plan.state(now).value,) for plan in plans)
        states[(PlanState.APPLIED.value,)] = sum(
            bool(line.plan) and line.state is not RunState.RUNNING for line in self._store.runs.lines()
        )
        yield _gauge("plans", "Plans by state", _labelled(states, "state"))
        last: dict[str, Plan] = {}
        for each in Kind:
            if (newest := next((plan for plan in self._store.plans.newest([each]) if not plan.as_of_given), None)) is not None:
                last[each.value] = newest
        ages = [({"kind": kind}, _age(plan, now)) for kind, plan in last.items()]
        yield _gauge("plan_age_seconds", "Age of the last plan of each kind", ages)
        open_ = [_age(plan, now) for plan in plans if plan.state(now) is PlanState.WAITING]
        yield _gauge(
            "plan_waiting_seconds", "Age of the oldest plan that waits for approval; 0 without one", [({}, max(open_, default=0.0))]
        )
        units, soon, backlog = [], [], []
        for kind, plan in last.items():
            units += [({"kind": kind, "outcome": what, "reason": ""}, float(number)) for what, number in plan.dispose.items()]
            units += [({"kind": kind, "outcome": "retain", "reason": why}, float(number)) for why, number in plan.retain.items()]
            soon.append(({"kind": kind}, float(sum(number for _, number in plan.due_soon))))
            backlog.append(({"kind": kind}, float(len(plan.backlog) or plan.cleared.get("backlog", 0))))
        yield _gauge("plan_units", "Units of the last plan of each kind, by what becomes of them and why they are kept", units)
        yield _gauge("plan_units_due_soon", "Units whose term ends in the weeks after the last plan", soon)
        yield _gauge("backlog_units", "Units that should have been disposed of long ago, by the last plan of each kind", backlog)

    def _of_requests(self) -> Iterator[Metric]:
        rows = self._store.requests.all(unclosed=True)
        states = Counter((row.state.value,) for row in rows)
        yield _gauge("requests_open", "Subject requests that are not closed, by state", _labelled(states, "state"))
        now = self._clock()
        due: Counter[tuple[str]] = Counter({("overdue",): 0, **{(f"{days} days",): 0 for days in ALARMS}, ("later",): 0})
        due.update((_due(row, now, self._calendar),) for row in rows if days_left(row, now, self._calendar) is not None)
        yield _gauge(
            "requests_due", "Unanswered subject requests by when the answer is due, each in its nearest class", _labelled(due, "within")
        )

    def _of_inbox(self) -> Iterator[Metric]:
        crm = self._settings.crm_url or ""
        rules = rules_in_force(self._settings)
        items: list[InboxItem] = waiting(self._store, self._policy(), self._clock(), crm=crm, rules=rules)
        found = Counter((item.kind.value, item.stage.value) for item in items)
        yield _gauge("waiting", "Things that wait for a person, by kind and urgency", _labelled(found, "kind", "stage"))
        undecided = len(self._store.work_queue.undecided(crm)) if crm else 0
        yield _gauge("undecided_units", "Units kept because nothing in force decides on them", [({}, float(undecided))])
        quarantined = sum(not mark.undone for mark in marks_of(self._store, self._policy()))
        yield _gauge("quarantined_units", "Units in quarantine", [({}, float(quarantined))])
        in_force = HoldQuery(self._calendar.day(self._clock()), HoldList.IN_FORCE)
        yield _gauge("holds", "Holds in force that were placed here", [({}, float(self._store.holds.number(in_force)))])

    def _of_crm(self) -> Iterator[Metric]:
        costs = self._store.crm_use.all()
        for name, text in (
            ("requests", "Requests that jobs have sent to the CRM"),
            ("retries", "Requests that jobs have sent to the CRM again"),
            ("throttled", "Answers of the CRM that refused because of its limits (429)"),
        ):
            sums = {(job,): getattr(cost, name) for job, cost in costs.items()}
            yield _counter(f"crm_{name}", f"{text}, by job", sums, "job")
        waited = {(job,): cost.waited_s for job, cost in costs.items()}
        yield _counter("crm_waited_seconds", "Time that jobs have waited to keep to the CRM's limits", waited, "job")

    def _of_channels(self) -> Iterator[Metric]:
        known = channels_of(self._settings, self._clock).types
        states = {name: state for name, state in self._store.told.channels().items() if name in known}
        messages = {(name, "taken"): state.sent for name, state in states.items()}
        messages |= {(name, "failed"): state.failed for name, state in states.items()}
        yield _counter("alert_messages", "Messages that alert channels have taken, and not taken", messages, "channel", "state")
        failing = [({"channel": name}, float(state.failing_since is not None)) for name, state in states.items()]
        yield _gauge("alert_channel_failing", "1 while an alert channel does not take what it is given", failing)


def _age(plan: Plan, now: datetime) -> float:
    return max((now - plan.created_at).total_seconds(), 0.0)


def _due(row: SubjectRequest, now: datetime, calendar: Calendar) -> str:
    left = days_left(row, now, calendar)
    assert left is not None
    if left < 0:
        return "overdue"
    return next((f"{days} days" for days in sorted(ALARMS) if left <= days), "later")


def _by_job(name: str, text: str, values: Mapping[str, float]) -> Metric:
    return _gauge(name, text, [({"job": job}, value) for job, value in values.items()])


def _labelled(values: Mapping[Any, float], *labels: str) -> list[tuple[dict[str, str], float]]:
    return [(dict(zip(labels, key, strict=True)), float(value)) for key, value in values.items()]


def _gauge(name: str, text: str, values: Iterable[tuple[dict[str, str], float]]) -> Metric:
    values = list(values)
    made = GaugeMetricFamily(PREFIX + name, text, labels=list(values[0][0]) if values else ())
    for labels, value in values:
        made.add_metric(list(labels.values()), value)
    return made


def _counter(name: str, text: str, values: Mapping[Any, float], *labels: str) -> Metric:
    made = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for key, value in values.items():
        made.add_metric(key, float(value))
    return made
