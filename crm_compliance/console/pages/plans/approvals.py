"""What people say on a plan: who has approved or rejected it, whose approval it lacks, and whether
this person may add theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.wiring.say_on_plan import say_on_plan
from jobs.model.plan import Approval, Plan, PlanState
from rules.errors import Refused
from rules.model.accounts import same_person
from rules.model.roles import Act


@dataclass(frozen=True, slots=True)
class Given:
    """One approval or rejection; `until` is when an approval counts no more, None for what counts for
    good."""

    given: Approval
    counts: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was said, which roles are lacking, and what this person may say now; `why_not` is empty where they
    may approve or the plan is not theirs to speak on."""

    given: Sequence[Given]
    missing: Sequence[str]
    may_approve: bool
    may_reject: bool
    why_not: str


def approvals_of(visit: Visit, plan: Plan, *, is_of_use: bool) -> Approvals:
    """Return what people have said on a plan, and what the visitor may: with `is_of_use` False, where nothing
    can apply it any more, only reject it. Whether they really may is decided where their approval is
    recorded."""
    now, me = visit.now, visit.person
    counting = set(plan.counting(now))
    given = [
        Given(each, each in counting or not each.approves, each.at + timedelta(hours=plan.approval_hours) if each.approves else None)
        for each in plan.given
    ]
    missing = plan.missing(now)
    speaks = visit.may(Act.APPROVE_PLAN) and not plan.as_of_given and plan.state(now) in (PlanState.WAITING, PlanState.READY)
    why_not = _why_not(visit, plan, [each.given for each in given if each.counts]) if speaks else ""
    may_reject = speaks and not why_not
    return Approvals(given, missing, may_reject and is_of_use and me.role in missing, may_reject, why_not)


def _why_not(visit: Visit, plan: Plan, said: Sequence[Approval]) -> str:
    who = visit.person.who
    if same_person(who, plan.proposer):
        return visit.say("You made this plan: somebody else decides on it.")
    if any(same_person(each.who, who) for each in said):
        return visit.say("You have already approved or rejected this plan.")
    return ""


def _why_not_now(visit: Visit) -> str:
    plan = visit.services.store.plans.get(visit.path("plan"))
    if why := _why_not(visit, plan, plan.speaking(visit.now)):
        return why
    is_given = visit.person.role in plan.needed and visit.person.role not in plan.missing(visit.now)
    return visit.say("Somebody in your role has approved this plan already.") if is_given else ""


def approve(visit: Visit) -> Response:
    """Record that the visitor approves."""
    return _say(visit, visit.given("comment"), approves=True)


def reject(visit: Visit) -> Response:
    """Record that the visitor rejects the plan, which is then of no use any more. Raises UsageError: without
    a reason."""
    return _say(visit, visit.needed("comment", visit.say("Comment")), approves=False)


def _say(visit: Visit, comment: str, *, approves: bool) -> Response:
    services, person, plan = visit.services, visit.person, visit.path("plan")
    try:
        after = say_on_plan(services.settings, services.store, services.clock, plan, person.who, person.role, comment, approves=approves)
    except Refused as error:  # on a page that was opened before: their own part in it is said, not that of two people
        if error.code not in ("same_person", "role") or not (why := _why_not_now(visit)):
            raise
        raise Refused(why, code=error.code, where=error.where) from error
    return visit.see(f"/plans/{after.id}", note="plan_approved" if approves else "plan_rejected")


ENDPOINTS: Final = (
    post("/plans/{plan}/approve", approve, Act.APPROVE_PLAN),
    post("/plans/{plan}/reject", reject, Act.APPROVE_PLAN),
)
