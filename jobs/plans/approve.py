"""A person's approval of a plan: two people in two roles approve a plan that a guard has stopped (RET-24,
section 9.4)."""

from datetime import datetime

from jobs.checks.denials import denied, refuse_role
from jobs.checks.drift.plans import approval_entry
from jobs.checks.drift.references import CLOSE_BY, Reference, References
from jobs.checks.ledger_drift import unaltered_plan
from jobs.checks.same_crm import refuse_other_crm
from jobs.model.plan import Approval, Plan
from jobs.ports.store.store import Store
from rules.errors import Refused, UsageError
from rules.model.accounts import account, same_person
from rules.model.roles import Act, is_service


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
    (section 9.2). Raises UsageError: a name that is none, or a rejection without a word; StoreAltered: the
    plan, or what was said on it, is not what the ledger says; Refused: a plan of another CRM, the wrong role,
    the proposer, a person who has spoken before, a clock that was put back since the plan was made, or a plan
    that waits for nobody."""
    plan = store.plans.get(plan_id)
    who = account(who)
    if not approves and not comment.strip():
        raise UsageError("whoever rejects a plan says why", hint="in a few words, without personal data", field="comment")
    told: dict[str, object] = {"plan": plan.id, "digest": plan.digest, "role": role, "approves": approves, "by": reference("person", who)}
    refuse_other_crm(store, plan.crm, Act.APPROVE_PLAN, told, plan.id)
    plan = unaltered_plan(store, references, plan.id)
    if not is_service(who):  # to the service is said that it proposes plans
        refuse_role(store, who, role, Act.APPROVE_PLAN, told, where=plan.id)
    approval = Approval(who, role, now, approves, comment)
    try:
        _refuse_outright(plan, approval)
        return store.plans.approve(plan.id, approval, ("approval", approval_entry(plan, approval, reference)))
    except Refused as error:
        raise denied(store, Act.APPROVE_PLAN, told, error) from None


def has_said(plan: Plan, who: str, role: str, comment: str, *, approves: bool, now: datetime) -> bool:
    """Return whether this person has said this on a plan already, and it still counts."""
    return any(
        same_person(approval.who, who) and (approval.role, approval.comment, approval.approves) == (role, comment, approves)
        for approval in plan.speaking(now)
    )


def _refuse_outright(plan: Plan, approval: Approval) -> None:
    """Refuse what does not count whatever others say on the plan."""
    if is_service(approval.who) or same_person(approval.who, plan.proposer):
        hint = "another person has to approve it (ACC-09)"
        raise Refused("the proposer of a plan cannot approve it", hint=hint, where=plan.id, code="same_person")
    if approval.at < plan.created_at - CLOSE_BY:
        hint = "set the clock of this machine right (NTP)"
        raise Refused("the clock of this machine says a time before this plan was made", hint=hint, where=plan.id, code="clock_back")
    if approval.approves and plan.as_of_given:
        why = "the plan looks at a day of somebody's choice and can never be applied (DAT-12)"
        raise Refused(why, hint="make a plan without a day of your choice", where=plan.id, code="plan_state")
