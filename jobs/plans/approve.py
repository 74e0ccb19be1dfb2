"""A person's word on a plan: two people in two roles let a plan through that a guard has stopped (RET-24,
section 9.4)."""

from __future__ import annotations

from datetime import datetime

from jobs.checks.ledger_agreement import Reference, References, approval_entry, refuse_altered_plan
from jobs.checks.same_crm import refuse_other_crm
from jobs.model.plan import Approval, Plan, PlanState, is_service
from jobs.ports.store import Store
from rules.errors import Refused
from rules.model.accounts import account, same_person
from rules.model.roles import APPROVING_ROLES


def approve_plan(
    store: Store,
    plan_id: str,
    who: str,
    role: str,
    comment: str,
    *,
    approves: bool,
    now: datetime,
    reference: Reference,
    references: References,
) -> Plan:
    """Record that one person approves or rejects a plan, and return the plan as it then stands.

    The ledger keeps the role and a keyed reference of the person; the name stands with the plan alone
    (section 9.2).

    Raises:
        UsageError: a name that is none.
        StoreAltered: the plan, or what was said on it, is not what the ledger says.
        Refused: a plan of another CRM, the wrong role, the proposer, a person who has spoken before, or a
            plan that waits for nobody.
    """
    plan = store.plan(plan_id)
    who, state = account(who), plan.state(now)
    data: dict[str, object] = {"plan": plan.id, "digest": plan.digest, "role": role, "approves": approves, "by": reference("person", who)}
    refuse_other_crm(store, plan.crm, data, plan.id)
    refuse_altered_plan(store, references, plan)
    refused: tuple[str, str, str] | None = None
    if role not in APPROVING_ROLES:
        refused = ("role", f"the role {role[:40]} neither approves nor rejects plans", "a crm_admin and a dpo do (section 9.4)")
    elif is_service(who) or same_person(who, plan.proposer):
        refused = ("same_person", "the proposer of a plan cannot approve it", "ask somebody else (ACC-09)")
    elif any(same_person(word.who, who) for word in _speaking(plan, now)):
        refused = (
            "same_person",
            "this person has already approved or rejected the plan",
            "the second approval is another person's (RET-24)",
        )
    elif state in (PlanState.REJECTED, PlanState.EXPIRED, PlanState.APPLIED):
        refused = ("plan_state", f"the plan is {state.value}", "make a new plan")
    elif approves and role in plan.needed and role not in plan.missing(now):
        refused = ("role", f"a {role} has approved already", f"lacking: {', '.join(plan.missing(now)) or 'nobody'}")
    if refused is not None:
        code, message, hint = refused
        store.append([("denied", data | {"code": code})])  # ACC-10
        raise Refused(message, hint=hint, where=plan.id, code=code)
    word = Approval(who, role, now, approves, comment)
    return store.approve(plan.id, word, ("approval", approval_entry(plan, word, reference)))


def _speaking(plan: Plan, now: datetime) -> list[Approval]:
    """Whose word stands at `now`: approvals that have not run out, and every rejection."""
    return [*plan.counting(now), *(word for word in plan.given if not word.approves)]
