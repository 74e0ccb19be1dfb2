"""Rules that two people set aside together, the DPO and somebody else, each with a reason as a code and never
as prose (RGT-06). Source: RGT-05, SUS-08, SUS-11, IDV-05, IDN-17; the rules of `entitlement.OVERRIDABLE`."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from jobs.model.request import RequestApproval, SubjectRequest
from jobs.register.request_steps import Actor, authorised, save_transition
from rules.errors import Refused, UsageError
from rules.model.accounts import same_person
from rules.model.requests import Step
from rules.model.roles import Act, needed
from rules.rights import entitlement

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}")

# The rules that two people may set aside together, with the blocks that go with each. A transfer without a
# basis is none of them.
OVERRIDABLE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(entitlement.OVERRIDABLE, frozenset[str]()),
        "IDN-17": frozenset(),
        "IDV-05": frozenset({"NO_CONTACT", "CHANNEL_CHANGED"}),
        "NO_CONTACT": frozenset(),
        "CHANNEL_CHANGED": frozenset(),
    }
)


def override(actor: Actor, request_id: str, rule: str, reason: str) -> SubjectRequest:
    """Record one of the two approvals needed to override a rule: the DPO's and a second person's (IDV-05,
    SUS-11). The ledger does not say which rule: with some of them it would be a list of suspects (SUS-02).
    Raises UsageError: a rule that nobody may set aside, or a reason that is not a code; Refused: with code
    `same_person`."""
    request = authorised(actor, request_id, Step.OVERRIDE)
    if rule not in OVERRIDABLE:
        raise UsageError("there is no such rule to set aside", hint=f"one of: {', '.join(OVERRIDABLE)}", field="rule")
    if not _CODE.fullmatch(reason):
        raise UsageError("the reason must be a code", hint="letters, digits, _ and -, without spaces; no personal data", field="reason")
    if any(same_person(approval.who, actor.who) for approval in _approvals_of(request, rule)):
        raise Refused(
            "this person has already approved overriding this rule",
            hint="another person gives the second approval",
            where=request.id,
            code="same_person",
        )
    approval = RequestApproval("override", actor.who, actor.role, actor.now, rule, reason)
    return save_transition(actor, request, {"approvals": (*request.approvals, approval)}, Step.OVERRIDE, {})


def overridden(request: SubjectRequest) -> frozenset[str]:
    """Return the rules, and their blocks, that two people have set aside, one of them as DPO."""
    found: set[str] = set()
    for rule, blocks in OVERRIDABLE.items():
        approvals = _approvals_of(request, rule)
        if any(not same_person(approvals[0].who, approval.who) for approval in approvals) and {
            approval.role for approval in approvals
        }.issuperset(needed(Act.SET_RULE_ASIDE)):
            found |= {rule, *blocks}
    return frozenset(found)


def overrides_of(request: SubjectRequest) -> tuple[RequestApproval, ...]:
    """Return the approvals that set rules aside: they outlive a new compilation, unlike an answer's."""
    return tuple(approval for approval in request.approvals if approval.step == "override")


def approvals_needed(request: SubjectRequest, rule: str) -> int:
    """Return how many approvals a rule still lacks to be set aside."""
    if rule in overridden(request):
        return 0
    return 1 if _approvals_of(request, rule) else 2


def _approvals_of(request: SubjectRequest, rule: str) -> list[RequestApproval]:
    return [approval for approval in request.approvals if approval.step == "override" and approval.rule == rule]
