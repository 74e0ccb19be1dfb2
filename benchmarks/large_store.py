"""A store as a large organisation has it after years: a plan and a run for each night, the last two plans
with all their lines, requests and holds."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

import msgspec

from crm_compliance.configuration.settings import load_settings
from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.keys import keys_in_force
from crm_compliance.wiring.schedule import policy_of
from jobs.checks.drift.holds import hold_entry
from jobs.ledger.maintenance_runs import HOUSEKEEPING
from jobs.ledger.plan_lines import digest_head
from jobs.model.plan import Approval, Breaker, CategoryTotal, Counter, Kind, Plan, PlanLine
from jobs.model.request import GIVEN, Given, GivenPerson, SubjectRequest
from jobs.model.run import Run, RunState
from jobs.plans.lines.pages import paged
from rules.holds.placements import HoldType, PlacedHold
from rules.model.requests import Channel, Outcome, RequesterKind, RequestState, Right

PORT: Final = 18_741  # of the emulator: a store belongs to one CRM
CRM: Final = f"http://127.0.0.1:{PORT}/api/data/v9.2/"
CATEGORIES: Final = ("missing_runaway", "social_card", "e_safety", "exploitation_ict")
LARGE: Final = "plan-large-"


class Moved:
    """The clock of a store that is being filled: what happened long ago is dated so."""

    def __init__(self) -> None:
        self.now: datetime | None = None

    def __call__(self) -> datetime:
        return self.now or datetime.now(UTC)


def fill(store: SqlStore, clock: Moved, asked: argparse.Namespace) -> None:
    """Fill a store: a plan and a run for each of the last nights, the last two plans with all their lines.
    Its ledger says the same, or no night would believe it."""
    now = datetime.now(UTC)
    first = now - timedelta(hours=6 * asked.runs)
    for number in range(asked.runs):
        clock.now = at = first + timedelta(hours=6 * number)
        given = (Approval("demo-anna", "crm_admin", at, True), Approval("demo-ben", "dpo", at, True)) if number % 7 == 0 else ()
        plan = a_plan(f"plan-{number}", at, units=1000, applied=False, given=given)
        store.plans.save(plan, [], ("plan", {"plan": plan.id, "digest": plan.digest, "units": plan.units}))
        run = Run(f"run-{number}", Kind.RETENTION, plan.id, RunState.RUNNING, at, at, policy_version="1.0")
        store.runs.start(run, ("run_started", {"plan": plan.id, "kind": "retention", "software": "1"}))
        state = RunState.DONE_WITH_FAILURES if number % 50 == 0 else RunState.DONE
        clock.now = at + timedelta(minutes=9)
        over = msgspec.structs.replace(run, state=state, ended_at=clock.now, counts=counts(number))
        store.runs.save(over, [("run_ended", {"plan": plan.id, "state": state.value})])
        if number % 4 == 0:
            store.ledger.append([(HOUSEKEEPING, {"state": "done"})], f"round-{number}")
    for number in (1, 2):
        save_lines(store, f"{LARGE}{number}", now - timedelta(hours=3 - number), asked.lines, Random(number))
    for number in range(asked.requests):
        register(store, clock, a_request(number, asked.requests, now))
    clock.now = now
    keys = keys_in_force(load_settings(), store, clock)
    for number in range(asked.holds):
        hold = a_hold(number, now)
        store.holds.place(hold, ("hold_placed", hold_entry(hold, keys.reference)))
        if number % 2:
            lifted = msgspec.structs.replace(hold, released_at=now, released_by="demo-anna")
            store.holds.release(lifted, ("hold_released", {"hold": hold.id}))
    clock.now = None


def register(store: SqlStore, clock: Moved, request: SubjectRequest) -> None:
    """Register a request as it was opened, and close it on its day."""
    clock.now = request.received_at
    said = {"request": request.id, "step": "open", "right": request.right.value}
    given = Given(GivenPerson(firstname="Lotte", lastname="Zandstra (fictief)", birthdate="1999-03-04"))
    parts = {GIVEN: msgspec.json.encode(given)} if request.closed_at is None else {}
    store.requests.add(request, parts, ("request", said))
    if request.closed_at is not None:
        clock.now = request.closed_at
        store.ledger.append([("request", {"request": request.id, "step": "close"})])


def a_hold(number: int, now: datetime) -> PlacedHold:
    """Return a hold; of those in force ten are past their review."""
    return PlacedHold(
        id=f"hold-{number}",
        type=HoldType.LEGAL,
        kind="dossier",
        table="cf_dossier",
        row=f"00000000-0000-4000-8000-{number:012d}",
        reason_code="COURT",
        basis=f"court order {number}",
        placed_by="demo-anna",
        placed_at=now - timedelta(days=number % 300),
        review_on=now.date() + timedelta(days=-3 if number < 20 else 90),
    )


def counts(number: int) -> dict[str, object]:
    """Return the counts of a run as `apply` leaves them."""
    failed = 2 if number % 50 == 0 else 0
    return {
        "deleted": 20,
        "anonymised": 5,
        "trimmed": 1,
        "skipped": {"CHANGED": 1},
        "partial": 0,
        "failed": failed,
        "verified": {"gone": 90, "masked": 5, "still_there": 0},
        "rows": {"cf_dossier": 20, "cf_fiche": 40, "annotation": 30},
        "disposed": {"units": 25, "recordings": 3},
        "by_category": dict.fromkeys(CATEGORIES, 5),
        "flags": {"LATE": 2},
        "alarms": [{"code": "LEFT_OVER", "message": "2 units are half done"}] if failed else [],
    }


def a_plan(name: str, at: datetime, units: int, **changes: Any) -> Plan:
    policy = policy_of(load_settings())
    usual = Plan(
        id=name,
        kind=Kind.RETENTION,
        created_at=at,
        proposer="service",
        as_of=at,
        as_of_given=False,
        crm=CRM,
        policy_name="bench",
        policy_version=policy.version,
        policy_digest=policy.digest,
        mapping_digest="b" * 64,
        digest="c" * 64,
        units=units,
        dispose={"delete": 20, "anonymise": 5},
        retain={"NOT_EXPIRED": units - 125, "OPEN_DOSSIER": 100},
        flags={"LATE": 2},
        breaker=Breaker(tripped=False, units=Counter(25, 200, 12.5), recordings=Counter(3, 200, None)),
        valid_until=at + timedelta(hours=72),
        categories=tuple(CategoryTotal(each, 5, 1, 100, 3) for each in CATEGORIES),
        crm_holds=tuple(("cf_dossier", f"00000000-0000-4000-8000-{number:012d}") for number in range(50)),
    )
    return msgspec.structs.replace(usual, **changes)


def save_lines(store: SqlStore, name: str, at: datetime, number: int, random: Random) -> None:
    """Store a plan that waits for people, with so many lines."""
    head = a_plan(name, at, number, needed=("crm_admin", "dpo"), why=("FIRST_RUN",))

    def lines() -> Iterator[PlanLine]:
        for place in range(number):
            is_open, is_due = random.random() < 0.1, random.random() < 0.02
            reason = "OPEN_DOSSIER" if is_open else "EXPIRED" if is_due else "NOT_EXPIRED"
            outcome, disposition = ("dispose", "delete") if reason == "EXPIRED" else ("retain", None)
            id = f"{place:08x}-0000-4000-8000-{place:012x}"
            end = (date(2026, 11, 1) + timedelta(days=place % 6000)).isoformat()
            category = CATEGORIES[place % len(CATEGORIES)]
            yield PlanLine(
                "cf_dossier",
                id,
                outcome,
                disposition,
                end,
                reason,
                (reason,),
                (),
                (category,),
                "RET-08",
                head.policy_version,
                f'W/"{place}"',
            )

    pages, digest = paged(lines(), head.trims, digest_head(head.kind, head.as_of, head.crm, head.policy_digest, head.mapping_digest))
    store.plans.save(
        msgspec.structs.replace(head, digest=digest),
        pages,
        ("plan", {"plan": name, "digest": digest, "units": number, "why": ["FIRST_RUN"]}),
    )


def a_request(number: int, of: int, now: datetime) -> SubjectRequest:
    """Return a request: the last fifty are pending, the others closed."""
    at = now - timedelta(days=10) if number >= of - 50 else now - timedelta(days=60 + number % 900)
    closed = number < of - 50
    return SubjectRequest(
        id=f"request-{number}",
        right=Right.ACCESS,
        requester_kind=RequesterKind.FORMER_CHILD,
        channel=Channel.EMAIL,
        received_at=at,
        received_on=at.date(),
        language="nl",
        on_behalf=False,
        crm=CRM,
        state=RequestState.CLOSED if closed else RequestState.SEARCHING,
        outcome=Outcome.DELIVERED if closed else None,
        released_at=at + timedelta(days=20) if closed else None,
        closed_at=at + timedelta(days=21) if closed else None,
    )
