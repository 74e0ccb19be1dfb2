"""The documents that commands answer with: views of stored plans and runs, one for every way of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from heapq import merge
from typing import TYPE_CHECKING

import msgspec

from jobs.ledger.rounds import RoundMade
from jobs.model.plan import LOOKING_AT_DOSSIERS, Plan
from jobs.model.plan import Counter as BreakerCounter
from jobs.model.run import INTERRUPTED, Action, Run
from rules.dates.instants import instant
from rules.holds.placements import PlacedHold

if TYPE_CHECKING:
    from jobs.ports.store import Store


def plan_document(plan: Plan, now: datetime, *, files: Sequence[str] = (), state: bool = False) -> dict[str, object]:
    """Return what `plan` answers; with `state`, what the `plans` commands answer."""
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
        "approvals": {"needed": list(plan.needed), "given": [_word(word) for word in plan.counting(now)], "why": list(plan.why)},
        "applicable": plan.state(now).value == "ready" and not plan.as_of_given,
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
        document["rejected"] = [_word(word) for word in plan.given if not word.approves]
    return document


def history_line(run: Run, at_work: str | None = None) -> dict[str, object]:
    """Return what `history list` answers for one run; `at_work` is the run a process is working on."""
    return {
        "run": run.id,
        "kind": run.kind.value,
        "plan": run.plan,
        "state": run.state.value if run.is_over or run.id == at_work else INTERRUPTED,
        "as_of": instant(run.as_of),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "counts": run.counts,
        "software_version": run.software_version,
        "policy_version": run.policy_version,
    }


def round_line(made: RoundMade) -> dict[str, object]:
    """Return what `history list` and `history show` answer for a run that carries out no plan."""
    return {
        "run": made.id,
        "kind": made.kind,
        "plan": None,
        "state": made.state.value,
        "as_of": instant(made.started_at),
        "started_at": instant(made.started_at),
        "ended_at": instant(made.ended_at),
        "counts": made.counts,
        "software_version": made.software_version,
        "policy_version": None,
    }


def newest_first(runs: Iterable[Run], rounds: Iterable[RoundMade]) -> Iterator[Run | RoundMade]:
    """Yield all runs, of plans and without one, as they are asked for. Both are given newest first, and keep
    their order."""
    both: tuple[Iterable[Run | RoundMade], ...] = (runs, rounds)
    return merge(*both, key=lambda run: run.started_at, reverse=True)


def history_document(run: Run, plan: Plan, actions: Iterable[Action], at_work: str | None = None) -> dict[str, object]:
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
    return history_line(run, at_work) | {
        "outcomes": dict(sorted(outcomes.items())) | kept,
        "units": plan.units,
        "beside_the_plan": dict(sorted(beside.items())),
        "technical": {outcome: dict(sorted(found.items())) for outcome, found in sorted(causes.items())},
        "approvals": [_word(word) for word in plan.given],
    }


def _counter(counter: BreakerCounter) -> dict[str, object]:
    return {"planned": counter.planned, "limit": counter.limit, "median": counter.median}


def _word(word: object) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(word)
    return {"as": built["who"], "role": built["role"], "at": built["at"], "approves": built["approves"], "comment": built["comment"]}


def hold_document(hold: PlacedHold, day: date) -> dict[str, object]:
    """Return what the `holds` commands answer for one hold, as it is on a day. Texts that people
    wrote stay in the store."""
    return {
        "hold": hold.id,
        "type": hold.type.value,
        "table": hold.table,
        "id": hold.row or None,
        "state": hold.state(day).value,
        "ends_on": _day(hold.ends_on),
        "review_on": hold.review_on.isoformat(),
        "review_overdue": hold.is_overdue(day),
        "person": hold.everything,
        "where": [f"{condition.field}={value}" for condition in hold.conditions for value in condition.values],
        "reason": hold.told_reason,
        "placed_by": hold.placed_by,
        "placed_at": instant(hold.placed_at),
        "released_by": hold.released_by or None,
        "released_at": instant(hold.released_at),
        "notified_on": _day(hold.notified_on),
        "source": "placed",
    }


def request_hold_documents(store: Store, tables: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what pending subject requests hold, for the DPO alone. There is one line for each request and
    row, with the request's id as the hold (HLD-08). A closed request no longer leads to any row, although it
    still holds for a while (ACC-08)."""
    from jobs.model.request import FROZEN, Frozen
    from rules.holds.of_requests import REASON_OF_RIGHT

    lines: list[dict[str, object]] = []
    empty = dict.fromkeys(("ends_on", "review_on", "placed_by", "released_by", "released_at", "notified_on"))
    for request in store.requests.all():
        part = store.requests.part(request.id, FROZEN) if not request.is_closed else None
        frozen = msgspec.json.decode(part, type=Frozen) if part is not None else None
        rows = [*(("contact", row) for row in frozen.contacts), *frozen.rows] if frozen is not None else []
        lines += [
            {"hold": request.id, "type": "request", "table": tables.get(kind, kind), "id": row, "state": "active", **empty}
            | {"review_overdue": False, "person": kind == "contact", "where": [], "reason": REASON_OF_RIGHT[request.right].value}
            | {"placed_at": instant(request.received_at), "source": "request"}
            for kind, row in rows
            if request.right in REASON_OF_RIGHT
        ]
    return lines


def flag_documents(plans: Iterable[Plan], crm: str | None) -> list[dict[str, object]]:
    """Return the CRM's hold flags as the last plan saw them; plans come newest first (HLD-14)."""
    last = next((plan for plan in plans if plan.kind in LOOKING_AT_DOSSIERS and plan.crm == crm), None)
    empty = dict.fromkeys(("reason", "placed_by", "placed_at", "released_by", "released_at", "notified_on"))
    dates = {"state": "active", "ends_on": None, "review_on": None, "review_overdue": False, "person": False}
    return [
        {"hold": f"crm:{row}", "type": "legal", "table": table, "id": row, **dates, "where": [], **empty, "source": "crm"}
        for table, row in (last.crm_holds if last is not None else ())
    ]


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
