"""Plans, runs and actions for the tests of the store; a test names only what matters to it."""

from datetime import UTC, datetime

import msgspec

from jobs.model.plan import Approval, Breaker, Counter, Kind, Plan
from jobs.model.run import Action, ActionState, Run, RunState

NIGHT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ENTRY = ("planned", {"units": 3})
PAGES = [b"first page", b"", b"\x00third\xff"]


def a_plan(plan: str = "plan-1", **changes: object) -> Plan:
    usual = Plan(
        id=plan,
        kind=Kind.RETENTION,
        created_at=NIGHT,
        proposer="service",
        as_of=NIGHT,
        as_of_given=False,
        crm="http://127.0.0.1:8765/api/data/v9.2/",
        policy_name="childfocus",
        policy_version="2026.1",
        policy_digest="a" * 64,
        mapping_digest="b" * 64,
        digest="c" * 64,
        units=3,
        dispose={"delete": 1, "anonymise": 0},
        retain={"NOT_EXPIRED": 2},
        flags={},
        breaker=Breaker(tripped=False, units=Counter(1, 200, 12.5), recordings=Counter(0, 200, None)),
        valid_until=datetime(2026, 3, 5, 1, 30, tzinfo=UTC),
        needed=("crm_admin", "dpo"),
        due_soon=(("2026-03-31", 2),),
        crm_holds=(("cf_dossier", "0001"),),
    )
    return msgspec.structs.replace(usual, **changes)


def a_word(who: str = "An Admin", role: str = "crm_admin", *, approves: bool = True) -> Approval:
    return Approval(who, role, NIGHT, approves, "seen")


def a_run(run: str = "run-1", plan: str = "plan-1", **changes: object) -> Run:
    return msgspec.structs.replace(Run(run, Kind.RETENTION, plan, RunState.RUNNING, NIGHT, NIGHT), **changes)


def an_action(unit: str, state: ActionState = ActionState.INTENDED, *, table: str = "cf_dossier") -> Action:
    return Action(table, unit, "delete", state, flags=("LATE",), still_there=(("annotation", "9"),))
