"""Taking a step of a subject request: who may, in which state, what comes next, and how it is written down in
register and ledger. The steps themselves are in transitions.py. That two steps are two people's is checked
where they are taken (`overrides.py`, `jobs/requests/answer/release_check.py`). Source: ACC-08 to ACC-10,
section 9.4."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from jobs.checks.denials import refuse_role
from jobs.checks.same_crm import refuse_other_crm
from jobs.model.request import SubjectRequest
from jobs.ports.context import JobContext
from jobs.ports.store.ledger import Entry
from jobs.ports.store.store import Store
from rules.dates.calendar import Calendar
from rules.errors import Refused
from rules.hints import Hint, hint_to
from rules.model.requests import COPIES, Outcome, RequestState, Step, is_allowed
from rules.model.roles import Act

_NEXT: Final = MappingProxyType(
    {
        RequestState.RECEIVED: "next_identify",
        RequestState.IDENTIFYING: "next_identify",
        RequestState.SUSPENDED: "next_resume",
        RequestState.SEARCHING: "next_search",
        RequestState.REVIEWING: "next_approve",
        RequestState.APPROVED: "next_release",
        RequestState.RELEASED: "next_close",
    }
)
# What each step is in the table of who may do what; the other steps are the handling of a request.
_ACTS: Final = MappingProxyType({Step.OVERRIDE: Act.SET_RULE_ASIDE, Step.APPROVE: Act.APPROVE_ANSWER, Step.RELEASE: Act.RELEASE_ANSWER})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step of a request now. `reference` makes the keyed reference of an account; `calendar` is
    that of the schedule."""

    store: Store
    who: str
    role: str
    now: datetime
    reference: Callable[[str, str], str]
    calendar: Calendar

    @property
    def today(self) -> date:
        return self.calendar.day(self.now)


def actor_of(context: JobContext, who: str, role: str) -> Actor:
    """Return the actor who changes a request now."""
    return Actor(context.store, who, role, context.clock(), context.reference, context.policy.calendar)


def authorised(actor: Actor, request_id: str, step: Step) -> SubjectRequest:
    """Return the request for a step that this person may take in its present state. Raises UsageError: an
    unknown request; Refused: with code `role` or `other_crm`, which are recorded (ACC-10, R-127), or
    `state`."""
    check_role(actor, step)
    request = of_this_crm(actor, request_id, step)
    if not is_allowed(step, request.state):
        raise wrong_state(request, step)
    return request


def of_this_crm(actor: Actor, request_id: str, step: Step) -> SubjectRequest:
    """Return a request of the CRM that the store is open for; refuse one of another CRM."""
    request = actor.store.requests.get(request_id)
    told = {"step": step.value, "request": request.id, **_signature(actor)}
    refuse_other_crm(actor.store, request.crm, _ACTS.get(step, Act.HANDLE_REQUEST), told, request.id)
    return request


def check_role(actor: Actor, step: Step, act: Act | None = None) -> None:
    """Refuse the service, and a role that never takes a step; the attempt leaves a trace (section 9.4,
    ACC-10). `act`: what the step is this time, where it only looks."""
    told = {"step": step.value, **_signature(actor)}
    act = act or _ACTS.get(step, Act.HANDLE_REQUEST)
    refuse_role(actor.store, actor.who, actor.role, act, told, never=f"never takes the step {step.value}")


def next_step(request: SubjectRequest) -> Hint | None:
    """Return what comes next, the same for every answer (SUS-04); nothing for a closed request."""
    following = _NEXT.get(request.state)
    if request.state is RequestState.REVIEWING and request.outcome is Outcome.MANDATE_LAPSED:
        following = "close_lapsed"
    elif has_to_be_compiled_again(request):
        following = "compile"
    elif request.state is RequestState.REVIEWING and request.right not in COPIES:
        following = "next_decide"
    return hint_to(following, request=request.id) if following is not None else None


def has_to_be_compiled_again(request: SubjectRequest) -> bool:
    """Return whether an answer was sent back at its release because it does not hold any more. Whatever else
    leads back to the search takes the answer away."""
    return request.state is RequestState.SEARCHING and bool(request.answer)


def wrong_state(request: SubjectRequest, step: Step) -> Refused:
    """Return the error of a step that the state does not allow, with the command that comes next."""
    following = next_step(request)
    hint = following if following is not None else "a closed request takes no further step"
    return Refused(f"{step.value} is not possible while the request is {request.state.value}", hint=hint, where=request.id, code="state")


def save_transition(
    actor: Actor,
    request: SubjectRequest,
    changes: Mapping[str, Any],
    step: Step,
    told: Mapping[str, object],
    *,
    parts: Mapping[str, bytes | None] | None = None,
) -> SubjectRequest:
    """Store a row of the register as a step leaves it, and return it. Raises Refused: with code `changed`, if
    somebody has taken another step since `request` was read: what that decided is not overwritten."""
    moved = msgspec.structs.replace(request, crm=request.crm or actor.store.crms.current, transitions=request.transitions + 1, **changes)
    entry: Entry = ("request", {"request": request.id, "step": step.value, **told})
    actor.store.requests.save(moved, [signed(entry, actor)], since=request, parts=parts)
    return moved


def signed(entry: Entry, actor: Actor) -> Entry:
    kind, data = entry
    return kind, {**data, **_signature(actor)}


def _signature(actor: Actor) -> dict[str, object]:
    return {"role": actor.role, "by": actor.reference("person", actor.who)}
