"""What tests of holds share: somebody who places and releases them, and a register of subject requests."""

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from jobs.holds.place import Wanted, place_hold
from jobs.holds.release import release_hold
from jobs.model.plan import Kind, Plan
from jobs.model.run import Run
from jobs.plans.make import make_plan
from jobs.ports.context import JobContext
from jobs.runs.apply import apply_plan
from rules.dates.calendar import BELGIAN
from rules.holds.of_requests import RequestHold
from rules.holds.placements import HoldType, PlacedHold
from tests.drivers.night import Night

LONG_AGO = date(2018, 3, 1)


def place(night: Night, table: str = "", row: str = "", *, kind: str = "judicial", **more: Any) -> PlacedHold:
    """Dora, the DPO, places a hold: on a row, on a `person`, or `where` conditions are met."""
    usual: dict[str, Any] = {
        "type": HoldType(kind),
        "table": table,
        "row": row,
        "reason_code": "REQ-1",
        "basis": "letter",
        "review_on": BELGIAN.day(night.clock()) + timedelta(days=90),
    }
    return place_hold(night.context, Wanted(**(usual | more)), "dora", "dpo")


def release(night: Night, hold: PlacedHold, *, who: str = "erik", **more: Any) -> PlacedHold:
    """Erik releases a hold for which Carl asks."""
    usual: dict[str, Any] = {"role": "approver", "asked_by": "carl", "reason": "over", "notified_on": None}
    return release_hold(
        night.store, hold.id, who=who, now=night.clock(), calendar=night.policy.calendar, reference=night.key.reference, **(usual | more)
    )


class Register:
    """Subject requests as tests want them."""

    def __init__(self, *requests: RequestHold) -> None:
        self.requests = list(requests)

    def preserving(self, closed_since: date) -> Sequence[RequestHold]:
        return [one for one in self.requests if one.closed_on is None or one.closed_on >= closed_since]


def with_register(night: Night, register: Register) -> JobContext:
    return dataclasses.replace(night.context, requests=register)


def carry_out(night: Night, context: JobContext, kind: Kind = Kind.ALL) -> tuple[Plan, Run]:
    """Plan and apply in another context; what only waits for being the first of its kind is approved."""
    plan = make_plan(context, kind)
    if plan.why == ("FIRST_RUN",):
        night.approved(plan)
    return plan, apply_plan(context, plan.id)
