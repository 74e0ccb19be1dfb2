"""Who may do what (section 9.4): the roles, the acts, and one table that says which role may do which.

Whatever asks for a role asks here; another place that names a role would be a second table. A role alone is
not enough for every act: where two people must speak, `needed` names the roles that have to be among them,
and whoever asks also compares the people (ACC-09)."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from rules.errors import Refused
from rules.model.accounts import same_person


class Role(StrEnum):
    """In which capacity somebody acts. The value is what a token carries, and what `--role` takes; the order
    is that of section 9.4."""

    SERVICE = "service"
    CRM_ADMIN = "crm_admin"
    DPO = "dpo"
    APPROVER = "approver"
    AUDITOR = "auditor"


# What a role is called, where somebody reads it.
TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Role.SERVICE: "Service",
        Role.CRM_ADMIN: "CRM administrator",
        Role.DPO: "Data protection officer",
        Role.APPROVER: "Second approver",
        Role.AUDITOR: "Auditor",
    }
)
# The same at the beginning of a sentence, of those whose approval a plan may need.
SUBJECTS: Final[Mapping[str, str]] = MappingProxyType({Role.CRM_ADMIN: "A CRM administrator", Role.DPO: "The DPO"})
HUMAN_ROLES: Final = tuple(role for role in Role if role is not Role.SERVICE)
SERVICE: Final = Role.SERVICE.value  # also the name of the product's own account, which proposes what nobody else did
Deciding: TypeAlias = Literal["crm_admin", "dpo"]  # whose work undecided units can be
DECIDES_BY_DEFAULT: Final[Deciding] = "dpo"


class Act(StrEnum):
    """Something that not everybody may do. The value is the word by which the ledger keeps that somebody
    tried (ACC-10)."""

    PLAN = "plan"
    APPLY = "apply"
    APPROVE_PLAN = "approve_plan"
    STOP = "stop"
    KEEP_IN_QUARANTINE = "keep_in_quarantine"
    PROPOSE_SCHEDULE = "propose_schedule"
    ADVISE_ON_SCHEDULE = "advise_on_schedule"
    APPROVE_SCHEDULE = "approve_schedule"
    SEE_SCHEDULE = "see_schedule"
    PLACE_HOLD = "place_hold"
    RELEASE_HOLD = "release_hold"
    SEE_HOLDS = "see_holds"
    SEE_HOLDS_OF_REQUESTS = "see_holds_of_requests"
    HANDLE_REQUEST = "handle_request"
    SET_RULE_ASIDE = "set_rule_aside"
    APPROVE_ANSWER = "approve_answer"
    RELEASE_ANSWER = "release_answer"
    SEE_ANSWER = "see_answer"
    SEE_REQUESTS = "see_requests"
    SEE_REPORTS = "see_reports"
    SEE_HISTORY = "see_history"
    DESTROY_KEY = "destroy_key"
    READ_CRM = "read_crm"


_SERVICE, _ADMIN, _DPO, _APPROVER, _AUDITOR = Role

MAY: Final[Mapping[Act, frozenset[Role]]] = MappingProxyType(
    {
        Act.PLAN: frozenset({_SERVICE, _ADMIN, _DPO}),
        Act.APPLY: frozenset({_SERVICE}),
        Act.APPROVE_PLAN: frozenset({_ADMIN, _DPO}),
        Act.STOP: frozenset({_ADMIN, _DPO}),
        Act.KEEP_IN_QUARANTINE: frozenset({_ADMIN, _DPO}),
        Act.PROPOSE_SCHEDULE: frozenset({_ADMIN}),
        Act.ADVISE_ON_SCHEDULE: frozenset({_DPO}),
        Act.APPROVE_SCHEDULE: frozenset({_APPROVER}),
        Act.SEE_SCHEDULE: frozenset(HUMAN_ROLES),
        Act.PLACE_HOLD: frozenset({_DPO}),
        Act.RELEASE_HOLD: frozenset({_DPO, _APPROVER}),
        Act.SEE_HOLDS: frozenset({_DPO, _APPROVER, _AUDITOR}),
        Act.SEE_HOLDS_OF_REQUESTS: frozenset({_DPO}),
        Act.HANDLE_REQUEST: frozenset({_DPO}),
        Act.SET_RULE_ASIDE: frozenset({_DPO, _APPROVER}),
        Act.APPROVE_ANSWER: frozenset({_DPO}),
        Act.RELEASE_ANSWER: frozenset({_APPROVER}),
        Act.SEE_ANSWER: frozenset({_DPO, _APPROVER}),
        Act.SEE_REQUESTS: frozenset({_DPO, _APPROVER, _AUDITOR}),
        Act.SEE_REPORTS: frozenset({_ADMIN, _DPO, _AUDITOR}),
        Act.SEE_HISTORY: frozenset({_DPO, _AUDITOR}),
        Act.DESTROY_KEY: frozenset({_DPO}),
        Act.READ_CRM: frozenset({_SERVICE, _DPO, _APPROVER}),
    }
)

# Acts that take the words of two people, and the roles that must be among theirs (RET-24, IDV-05, SUS-11).
_NEEDED: Final[Mapping[Act, frozenset[Role]]] = MappingProxyType(
    {Act.APPROVE_PLAN: frozenset({_ADMIN, _DPO}), Act.SET_RULE_ASIDE: frozenset({_DPO})}
)

# What a refusal says of a role that may not.
_NEVER: Final[Mapping[Act, str]] = MappingProxyType(
    {
        Act.APPROVE_PLAN: "neither approves nor rejects plans",
        Act.KEEP_IN_QUARANTINE: "keeps no unit in quarantine",
        Act.PLACE_HOLD: "never places holds",
        Act.RELEASE_HOLD: "never releases holds",
        Act.DESTROY_KEY: "does not destroy keys",
    }
)


def is_service(who: str) -> bool:
    """Return whether this is the product's own account, in any spelling."""
    return same_person(who, SERVICE)


def may(who: str, role: str, act: Act) -> bool:
    """Return whether somebody may do something in a role; the service's account has its own alone
    (ACC-09)."""
    return role in MAY[act] and not (is_service(who) and role != SERVICE)


def roles_of(act: Act) -> tuple[Role, ...]:
    """Return the roles that may do something, in their order."""
    return _in_order(MAY[act])


def needed(act: Act) -> tuple[Role, ...]:
    """Return the roles that must be among two people's approvals, in order; none if one person's approval is
    enough."""
    return _in_order(_NEEDED.get(act, ()))


def refusal(who: str, role: str, act: Act, *, never: str = "", where: str = "") -> Refused:
    """Return the error for somebody who may not, with the roles that may as its hint; `never` says it in
    other words than those of the act."""
    whose = "the service" if is_service(who) else f"the role {role[:40]}"
    people = roles_of(act)
    is_all = people == needed(act)
    says = (" and " if is_all else " or ").join(f"{'an' if each[0] in 'aeiou' else 'a'} {each}" for each in people)
    hint = f"{says} {'do' if is_all else 'does'}"
    return Refused(f"{whose} {never or _NEVER.get(act, 'may not do this')}", hint=hint, where=where, code="role")


def _in_order(roles: Collection[Role]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)
