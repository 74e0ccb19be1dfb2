"""Subject requests: the words of the register, and which step may follow which. Source: policy §5; section 6
(RGT, IDV), ACC-08; contract 3.6."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Right(StrEnum):
    """The seven rights of policy §5."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    CONSENT_WITHDRAWAL = "consent_withdrawal"


COPIES: Final = frozenset({Right.ACCESS, Right.PORTABILITY})  # rights that are answered with the data themselves
ARTICLES: Final[Mapping[Right, str]] = MappingProxyType(
    {
        Right.ACCESS: "15",
        Right.RECTIFICATION: "16",
        Right.ERASURE: "17",
        Right.RESTRICTION: "18",
        Right.PORTABILITY: "20",
        Right.OBJECTION: "21",
        Right.CONSENT_WITHDRAWAL: "7",
    }
)


RIGHT_NAMES: Final[Mapping[Right, str]] = MappingProxyType(
    {
        Right.ACCESS: "Access",
        Right.RECTIFICATION: "Rectification",
        Right.ERASURE: "Erasure",
        Right.RESTRICTION: "Restriction",
        Right.PORTABILITY: "Portability",
        Right.OBJECTION: "Objection",
        Right.CONSENT_WITHDRAWAL: "Withdrawal of consent",
    }
)


class RequesterKind(StrEnum):
    """What the requester says to be; what the file says decides (RGT-01)."""

    CHILD = "child"
    FORMER_CHILD = "former_child"
    PARENT_SELF = "parent_self"
    PARENT_FOR_CHILD = "parent_for_child"
    GUARDIAN = "guardian"
    REPORTER = "reporter"
    WITNESS = "witness"
    DONOR = "donor"
    VOLUNTEER = "volunteer"
    TRAINING = "training"
    PARTNER = "partner"
    EMPLOYEE = "employee"
    UNKNOWN = "unknown"


class Channel(StrEnum):
    """How the request came, whichever way that was (DDL-02)."""

    FORM = "form"
    EMAIL = "email"
    POST = "post"
    TELEPHONE = "telephone"
    IN_PERSON = "in_person"


class IdentityMethod(StrEnum):
    """The rungs of the ladder, from the least intrusive on (IDV-01, RGT-03)."""

    KNOWN_CHANNEL = "known_channel"
    EID = "eid"
    SHOWN = "shown"
    COPY = "copy"


class Mandate(StrEnum):
    """Whether the requester was shown to act for the child (IDV-04, RGT-04)."""

    SHOWN = "shown"
    NOT_SHOWN = "not_shown"
    CONTESTED = "contested"


class RequestState(StrEnum):
    """Where a request stands; the order is the usual one."""

    RECEIVED = "received"
    IDENTIFYING = "identifying"
    SUSPENDED = "suspended"
    SEARCHING = "searching"
    REVIEWING = "reviewing"
    APPROVED = "approved"
    RELEASED = "released"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a request ended (ACC-08); a refusal carries its RF code beside."""

    DELIVERED = "DELIVERED"
    DELIVERED_PARTLY = "DELIVERED_PARTLY"
    DONE = "DONE"
    NEUTRAL = "NEUTRAL"
    REFUSED = "REFUSED"
    MANDATE_LAPSED = "MANDATE_LAPSED"
    NOT_IDENTIFIED = "NOT_IDENTIFIED"
    WITHDRAWN = "WITHDRAWN"


class Step(StrEnum):
    """What somebody does with a request; each is one command."""

    IDENTIFY = "identify"
    SUSPEND = "suspend"
    RESUME = "resume"
    MATCH = "match"
    CONFIRM = "confirm"
    COMPILE = "compile"
    REVIEW = "review"
    DECIDE = "decide"
    APPROVE = "approve"
    RELEASE = "release"
    NOTIFY = "notices"
    EXTEND = "extend"
    OVERRIDE = "override"
    MISDELIVER = "misdelivered"
    RENEW = "renew"
    CLOSE = "close"


_OPEN: Final = frozenset({RequestState.RECEIVED, RequestState.IDENTIFYING, RequestState.SEARCHING, RequestState.REVIEWING})
_PENDING: Final = _OPEN | {RequestState.SUSPENDED, RequestState.APPROVED}

ANSWERED: Final = frozenset({RequestState.RELEASED, RequestState.CLOSED})

# The states in which each step may be taken. What is done again before the approval (matching, compiling)
# undoes what was built on it.
ALLOWED: Final[Mapping[Step, frozenset[RequestState]]] = MappingProxyType(
    {
        Step.IDENTIFY: _OPEN | {RequestState.SUSPENDED},
        Step.SUSPEND: _OPEN | {RequestState.SUSPENDED},
        Step.RESUME: frozenset({RequestState.SUSPENDED}),
        Step.MATCH: frozenset({RequestState.SEARCHING, RequestState.REVIEWING}),
        Step.CONFIRM: frozenset({RequestState.SEARCHING, RequestState.REVIEWING}),
        Step.COMPILE: frozenset({RequestState.SEARCHING, RequestState.REVIEWING, RequestState.APPROVED}),
        Step.REVIEW: frozenset({RequestState.REVIEWING}),
        Step.DECIDE: frozenset({RequestState.SEARCHING, RequestState.REVIEWING}),
        Step.APPROVE: frozenset({RequestState.REVIEWING}),
        Step.RELEASE: frozenset({RequestState.APPROVED}),
        Step.NOTIFY: frozenset(RequestState),
        Step.EXTEND: _PENDING,
        Step.OVERRIDE: frozenset(RequestState),  # after the release for what waits of it alone (SUS-08)
        Step.MISDELIVER: ANSWERED,
        Step.RENEW: ANSWERED,
        Step.CLOSE: _PENDING | {RequestState.RELEASED},
    }
)


def is_allowed(step: Step, state: RequestState) -> bool:
    """Return whether a step may be taken in a state."""
    return state in ALLOWED[step]
