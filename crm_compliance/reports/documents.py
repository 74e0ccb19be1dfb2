"""The documents that commands answer with: views of stored plans and runs, one for every way of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from typing import TYPE_CHECKING

import msgspec

from jobs.ledger.maintenance_runs import MaintenanceRun
from jobs.model.plan import Counter as BreakerCounter
from jobs.model.plan import Plan
from jobs.model.run import Action, Run
from rules.dates.instants import instant

if TYPE_CHECKING:
    pass


def plan_document(plan: Plan, now: datetime, *, files: Sequence[str] = (), state: bool = False, of_no_use: str = "") -> dict[str, object]:
    """Return what `plan` answers; with `state`, what the `plans` commands answer. `of_no_use` says why
    nothing applies a plan that waits."""
    document: dict[str, object] = {
        "plan": plan.id,
        "digest": plan.digest,
        "kind": plan.kind.value,
        "as_of": instant(plan.as_of),
        "policy_version": plan.policy_version,
        "units": plan.units,
        "dispose": plan.dispose,
        "retain": plan.retain,
        "flags": plan.flags,
        "breaker": {
            "tripped": plan.breaker.tripped,
            "units": _counter(plan.breaker.units),
            "recordings": _counter(plan.breaker.recordings),
            "categories": {key: msgspec.to_builtins(counter) for key, counter in plan.breaker.categories.items()},
        },
        "approvals": {
            "needed": list(plan.needed),
            "given": [_approval(approval) for approval in plan.counting(now)],
            "why": list(plan.why),
        },
        "applicable": plan.state(now).value == "ready" and not plan.as_of_given and not of_no_use,
        "valid_until": instant(plan.valid_until),
        "files": list(files),
        "created_at": instant(plan.created_at),
        "proposer": plan.proposer,
        "trims": plan.to_trim,
        "victims": plan.victims,
        "due_soon": [{"retention_end": day, "units": n} for day, n in plan.due_soon],
        "hold_changes": [msgspec.to_builtins(change) for change in plan.hold_changes],
        "warnings": list(map(str, plan.warnings)),
        "retained_rows": plan.retained_rows,
        "lake_instant": None if plan.lake_instant is None else instant(plan.lake_instant),
        "alarms": [alarm.document for alarm in plan.alarms],
        "waiting": plan.waiting,
        "queue": None if plan.queue is None else msgspec.to_builtins(plan.queue),
        "bypass": plan.bypass,
        "cleared": plan.cleared,
    }
    if state:
        document["state"] = plan.state(now).value
        document["of_no_use"] = of_no_use
        document["rejected"] = [_approval(approval) for approval in plan.given if not approval.approves]
    return document


def history_line(run: Run, state: str) -> dict[str, object]:
    """Return what `history list` answers for one run, in the state of which people are told."""
    return {
        "run": run.id,
        "kind": run.kind.value,
        "plan": run.plan,
        "state": state,
        "as_of": instant(run.as_of),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "counts": run.counts,
        "software_version": run.software_version,
        "policy_version": run.policy_version,
    }


def maintenance_line(made: MaintenanceRun, state: str) -> dict[str, object]:
    """Return what `history list` and `history show` answer for a run that carries out no plan, in the state
    of which people are told."""
    return {
        "run": made.id,
        "kind": made.kind,
        "plan": None,
        "state": state,
        "as_of": instant(made.started_at),
        "started_at": instant(made.started_at),
        "ended_at": instant(made.ended_at),
        "counts": made.counts,
        "software_version": made.software_version,
        "policy_version": None,
    }


def newest_first(runs: Iterable[Run], maintenance: Iterable[MaintenanceRun]) -> Iterator[Run | MaintenanceRun]:
    """Yield all runs, of plans and without one, as they are asked for. Both are given newest first, and keep
    their order."""
    both: tuple[Iterable[Run | MaintenanceRun], ...] = (runs, maintenance)
    return merge(*both, key=lambda run: run.started_at, reverse=True)


def history_document(run: Run, state: str, plan: Plan, actions: Iterable[Action]) -> dict[str, object]:
    """Return what `history show` answers: outcomes add up to the units read (ACC-03)."""
    from jobs.model.run import CONTINUED, TECHNICAL, TRIM

    outcomes, beside = Counter[str](), Counter[str]()
    causes: dict[str, Counter[str]] = {}
    for action in actions:
        outcome = f"{action.disposition}:{action.state.value}" + (f":{action.code}" if action.code else "")
        # Trimmed contacts have no line in a plan, and a unit that was only finished here had its line in
        # another.
        (beside if action.disposition == TRIM or CONTINUED in action.flags else outcomes)[outcome] += 1
        if action.code == TECHNICAL:
            causes.setdefault(outcome, Counter())[action.cause] += 1
    kept = {f"retained:{reason}": n for reason, n in plan.retain.items()}
    return history_line(run, state) | {
        "outcomes": dict(sorted(outcomes.items())) | kept,
        "units": plan.units,
        "beside_the_plan": dict(sorted(beside.items())),
        "technical": {outcome: dict(sorted(found.items())) for outcome, found in sorted(causes.items())},
        "approvals": [_approval(approval) for approval in plan.given],
    }


def _counter(counter: BreakerCounter) -> dict[str, object]:
    return {"planned": counter.planned, "limit": counter.limit, "median": counter.median}


def _approval(approval: object) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(approval)
    return {"as": built["who"], "role": built["role"], "at": built["at"], "approves": built["approves"], "comment": built["comment"]}
