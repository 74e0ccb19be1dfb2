"""What a granted erasure request may overrule: the third column of the table of precedence. Source: table
4.2, HLD-12, R-078, R-079."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from rules.holds.holds import Hold
from rules.holds.precedence import HOLD_REASONS, ranked
from rules.model.decisions import Reason

_ERASURE: Final = "erasure"
_OF_REQUESTS: Final = frozenset({Reason.HOLD_REQUEST, Reason.HOLD_RESTRICTION, Reason.HOLD_OBJECTION})  # as what a request preserves


class Ruling(StrEnum):
    """Whether a reason stands in the way of an erasure that was granted; the strongest first."""

    BLOCKED = "BLOCKED"
    ANSWER_FIRST = "ANSWER_FIRST"  # the person's own pending request is answered before anything goes
    DPO_DECISION = "DPO_DECISION"
    ALLOWED = "ALLOWED"


_STRENGTH: Final = {ruling: at for at, ruling in enumerate(Ruling)}
# Reasons that are not holds; one that the table does not name is decided by the DPO too.
_OF_REASON: Final = MappingProxyType({Reason.DATA_ERROR: Ruling.ALLOWED, Reason.EXPIRED: Ruling.ALLOWED})


class GrantedErasure(msgspec.Struct, frozen=True):
    """An erasure that was granted: its request, the contacts of the requester, and whether the DPO has
    decided to erase despite what only a DPO may overrule. `is_grown`: an adult for certain asks for
    himself or herself. `decided_at` is when it was granted."""

    request: str
    contacts: frozenset[str]
    dpo_decided: bool = False
    is_grown: bool = False
    decided_at: datetime | None = None


class Verdict(msgspec.Struct, frozen=True):
    """Whether the erasure may go on, and the reasons that decided it, in the order of ranks."""

    ruling: Ruling
    because: tuple[Reason, ...]


def rule_on(reasons: Iterable[Reason], holds: Iterable[Hold], erasure: GrantedErasure) -> Verdict:
    """Return whether a granted erasure may dispose of a unit now. Every hold has to let it pass, and every
    other reason. `reasons` are those of the unit's decision, `holds` the holds that cover it; a hold reason
    without its hold is blocked, since it is unknown whose it is."""
    found = [(hold.reason, ruling_on_hold(hold, erasure)) for hold in holds]
    known = {reason for reason, _ in found}
    for reason in reasons:
        if reason not in HOLD_REASONS:
            found.append((reason, ruling_on_reason(reason, erasure)))
        elif reason not in known:
            found.append((reason, Ruling.BLOCKED))
    worst = min((ruling for _, ruling in found), key=_STRENGTH.__getitem__, default=Ruling.ALLOWED)
    return Verdict(worst, ranked(reason for reason, ruling in found if ruling is worst))


def ruling_on_hold(hold: Hold, erasure: GrantedErasure) -> Ruling:
    """Return whether one hold prevents the erasure. Legal and judicial holds always do. So does a complaint,
    unless it is about the refusal to erase and the DPO decides to erase. The person's own request is answered
    first, their own grace does not prevent it, and a request never prevents itself. A restriction or an
    objection gives way to the person who obtained it, and to nobody else; one that was obtained in the name
    of a child also to that child alone, once it is of age: nobody acts for it any more (RGT-07). A
    restriction that was placed or asked for after the erasure was granted is what the person wants by now
    (GDPR art. 18(1)(b))."""
    if hold.reason in _OF_REQUESTS and hold.hold_id == erasure.request:
        return Ruling.ALLOWED
    is_own = bool(hold.persons) and erasure.contacts.issuperset(hold.persons)
    if hold.reason is Reason.HOLD_COMPLAINT and hold.is_about_erasure:
        return _decided(erasure)
    if hold.reason is Reason.HOLD_REQUEST:
        if not is_own:
            return Ruling.BLOCKED
        return Ruling.ANSWER_FIRST if hold.is_pending and hold.right != _ERASURE else Ruling.ALLOWED
    if hold.reason is Reason.HOLD_RESTRICTION and hold.since and erasure.decided_at and hold.since > erasure.decided_at:
        return Ruling.BLOCKED
    is_the_childs = bool(hold.child) and erasure.is_grown and erasure.contacts.issuperset(hold.child)
    if hold.reason in (Reason.HOLD_RESTRICTION, Reason.HOLD_OBJECTION) and (is_own or is_the_childs):
        return Ruling.ALLOWED
    return Ruling.BLOCKED


def ruling_on_reason(reason: Reason, erasure: GrantedErasure) -> Ruling:
    """Return whether a reason that is not a hold prevents the erasure. Doubtful data and an ended period
    never do; about the rest the DPO decides."""
    return _OF_REASON.get(reason) or _decided(erasure)


def _decided(erasure: GrantedErasure) -> Ruling:
    return Ruling.ALLOWED if erasure.dpo_decided else Ruling.DPO_DECISION
