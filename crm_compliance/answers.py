"""The documents that commands answer with: views of stored plans and runs, one for every way of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from jobs.plan import Counter as BreakerCounter
from jobs.plan import Plan
from jobs.runs import Action, Run
from jobs.tally import CONTINUED, TRIM

RUN_KEYS = ("deleted", "anonymised", "skipped", "partial", "failed", "verified", "rows")


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plan_document(plan: Plan, now: datetime, *, files: Sequence[str] = (), state: bool = False) -> dict[str, object]:
    """What `plan` answers; with `state`, what the `plans` commands answer."""
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
        },
        "approvals": {"needed": list(plan.needed), "given": [_word(word) for word in plan.given if word.approves]},
        "applicable": plan.state(now).value == "ready" and not plan.as_of_given,
        "valid_until": instant(plan.valid_until),
        "files": list(files),
        "created_at": instant(plan.created_at),
        "proposer": plan.proposer,
        "trims": len(plan.trims),
        "due_soon": [{"retention_end": day, "units": n} for day, n in plan.due_soon],
        "hold_changes": [msgspec.to_builtins(change) for change in plan.hold_changes],
        "warnings": list(plan.warnings),
    }
    if state:
        document["state"] = plan.state(now).value
        document["rejected"] = [_word(word) for word in plan.given if not word.approves]
    return document


def run_document(run: Run) -> dict[str, object]:
    """What `apply` answers."""
    counts = run.counts
    return {"run": run.id, "plan": run.plan, "state": run.state.value, **{key: counts.get(key) for key in RUN_KEYS}} | {
        key: value for key, value in counts.items() if key not in RUN_KEYS
    }


def history_line(run: Run) -> dict[str, object]:
    """What `history list` answers for one run."""
    return {
        "run": run.id,
        "kind": run.kind.value,
        "plan": run.plan,
        "state": run.state.value,
        "as_of": instant(run.as_of),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "counts": run.counts,
        "software_version": run.software_version,
        "policy_version": run.policy_version,
    }


def history_document(run: Run, plan: Plan, actions: Iterable[Action]) -> dict[str, object]:
    """What `history show` answers: outcomes add up to the units read (ACC-03)."""
    outcomes, beside = Counter[str](), Counter[str]()
    for action in actions:
        outcome = f"{action.disposition}:{action.state.value}" + (f":{action.code}" if action.code else "")
        # Trimmed contacts have no line in a plan, and a unit that was only finished here had its line in another.
        (beside if action.disposition == TRIM or CONTINUED in action.flags else outcomes)[outcome] += 1
    kept = {f"retained:{reason}": n for reason, n in plan.retain.items()}
    return history_line(run) | {
        "outcomes": dict(sorted(outcomes.items())) | kept,
        "units": plan.units,
        "beside_the_plan": dict(sorted(beside.items())),
        "approvals": [_word(word) for word in plan.given],
    }


def _counter(counter: BreakerCounter) -> dict[str, object]:
    return {"planned": counter.planned, "limit": counter.limit, "median": counter.median}


def _word(word: object) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(word)
    return {"as": built["who"], "role": built["role"], "at": built["at"], "approves": built["approves"], "comment": built["comment"]}
