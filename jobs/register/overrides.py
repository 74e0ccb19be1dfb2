"""Rules that two people set aside together, the DPO and somebody else, each with a reason as a code and never
as prose (RGT-06). Source: RGT-05, SUS-08, SUS-11, IDV-05, IDN-17; the rules of `entitlement.OVERRIDABLE`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.model.request import DECISIONS, RequestApproval, SubjectRequest
from jobs.ports.store.store import Store
from jobs.register.decision import Decision, decision_of, encoded
from jobs.register.request_steps import Actor, authorised, save_transition, wrong_state
from rules.errors import Refused, UsageError
from rules.model.accounts import same_person
from rules.model.requests import ANSWERED, Step
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


SUSPICION_ENDED: Final = "SUS-08"
_ACTS_THOUGH_SUSPECTED: Final = "SUS-11"


def override(actor: Actor, request_id: str, rule: str, reason: str) -> SubjectRequest:
    """Record one of the two approvals needed to override a rule: the DPO's and a second person's (IDV-05,
    SUS-11). The ledger does not say which rule: with some of them it would be a list of suspects (SUS-02).
    After the release it is SUS-08 alone, while something granted waits for it; that is sealed with the
    decision, and no part of the register. Raises UsageError: a rule that nobody may set aside, or a reason
    that is not a code; Refused: with code `same_person`."""
    request = authorised(actor, request_id, Step.OVERRIDE)
    decision = decision_of(actor.store, request.id) if request.state in ANSWERED else None
    if request.state in ANSWERED and not (rule == SUSPICION_ENDED and waits_for_look(decision)):
        raise wrong_state(request, Step.OVERRIDE)
    if rule not in OVERRIDABLE:
        raise UsageError("there is no such rule to set aside", hint=f"one of: {', '.join(OVERRIDABLE)}", field="rule")
    if not _CODE.fullmatch(reason):
        raise UsageError("the reason must be a code", hint="letters, digits, _ and -, without spaces; no personal data", field="reason")
    given = _approvals_of(request.approvals, rule) if decision is None else looks_given(decision)
    if any(same_person(approval.who, actor.who) for approval in given):
        raise Refused(
            "this person has already approved overriding this rule",
            hint="another person gives the second approval",
            where=request.id,
            code="same_person",
        )
    approval = RequestApproval("override", actor.who, actor.role, actor.now, rule, reason)
    if decision is None:
        return save_transition(actor, request, {"approvals": (*request.approvals, approval)}, Step.OVERRIDE, {})
    looked = msgspec.structs.replace(decision, looks=(*decision.looks, approval))
    return save_transition(actor, request, {}, Step.OVERRIDE, {}, parts={DECISIONS: encoded(looked)})


def waits_for_look(decision: Decision | None) -> bool:
    """Return whether something that was granted waits until SUS-08 is set aside."""
    if decision is None or decision.looked_for_at is None or not decision.tasks:
        return False
    return not _is_set_aside(looks_given(decision))


def looks_given(decision: Decision) -> list[RequestApproval]:
    """Return the approvals by which SUS-08 was set aside since something waits for it: an earlier look was at
    another suspicion."""
    since = decision.looked_for_at
    return [each for each in _approvals_of(decision.looks, SUSPICION_ENDED) if since is None or each.at >= since]


def looked_at(approvals: Iterable[RequestApproval]) -> bool:
    """Return whether two people have set SUS-08 aside by these approvals."""
    return _is_set_aside(_approvals_of(approvals, SUSPICION_ENDED))


def looks_of(request: SubjectRequest) -> tuple[RequestApproval, ...]:
    """Return the approvals by which SUS-08 and SUS-11 were set aside before the release."""
    return tuple(given for rule in (SUSPICION_ENDED, _ACTS_THOUGH_SUSPECTED) for given in _approvals_of(request.approvals, rule))


def acts_though_suspected(approvals: Iterable[RequestApproval]) -> bool:
    """Return whether two people have set SUS-11 aside by these approvals."""
    return _is_set_aside(_approvals_of(approvals, _ACTS_THOUGH_SUSPECTED))


def overridden(request: SubjectRequest) -> frozenset[str]:
    """Return the rules, and their blocks, that two people have set aside, one of them as DPO."""
    found: set[str] = set()
    for rule, blocks in OVERRIDABLE.items():
        if _is_set_aside(_approvals_of(request.approvals, rule)):
            found |= {rule, *blocks}
    return frozenset(found)


def _is_set_aside(approvals: Sequence[RequestApproval]) -> bool:
    return any(not same_person(approvals[0].who, approval.who) for approval in approvals) and {
        approval.role for approval in approvals
    }.issuperset(needed(Act.SET_RULE_ASIDE))


def overrides_of(request: SubjectRequest) -> tuple[RequestApproval, ...]:
    """Return the approvals that set rules aside: they outlive a new compilation, unlike an answer's."""
    return tuple(approval for approval in request.approvals if approval.step == "override")


def approvals_needed(store: Store, request: SubjectRequest, rule: str) -> int:
    """Return how many approvals a rule still lacks to be set aside; after the release, for what waits."""
    decision = decision_of(store, request.id) if request.state in ANSWERED else None
    given = _approvals_of(request.approvals, rule) if decision is None else looks_given(decision)
    if _is_set_aside(given) or (decision is None and rule in overridden(request)):
        return 0
    return 1 if given else 2


def _approvals_of(approvals: Iterable[RequestApproval], rule: str) -> list[RequestApproval]:
    return [approval for approval in approvals if approval.step == "override" and approval.rule == rule]
