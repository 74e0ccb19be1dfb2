"""Somebody who asks for another right than access, and the people who decide about it: everything but the
letter."""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from jobs.model.answer import Addressee, Compilation
from jobs.model.request import (
    CANDIDATES,
    COMPILATION,
    CONFIRMED,
    GIVEN,
    Candidate,
    Candidates,
    Confirmed,
    Details,
    Given,
    GivenPerson,
    IdentityCheck,
    RequestApproval,
    SubjectRequest,
)
from jobs.model.run import Run
from jobs.ports.context import JobContext
from jobs.register.decision import Decision, decision_of
from jobs.register.request_steps import Actor
from jobs.requests.decisions.carry_out import fulfil
from jobs.requests.decisions.decide import Decided, grant, refuse
from jobs.requests.decisions.propose import propose
from jobs.requests.search.assess import assess
from jobs.requests.search.preserve import StoredRequests
from rules.dates.calendar import BELGIAN
from rules.model.requests import Channel, IdentityMethod, Mandate, RequesterKind, RequestState, Right
from tests.drivers.night import Night

LOTTE = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)")


def context_of(night: Night) -> JobContext:
    """The context with the register of requests, as the desk makes it."""
    context = night.context
    return dataclasses.replace(context, requests=StoredRequests(context))


def ask(
    night: Night,
    right: Right,
    contact: str,
    *,
    child: str | None = None,
    role: str | None = None,
    kind: RequesterKind = RequesterKind.UNKNOWN,
    given: GivenPerson = LOTTE,
    of_child: GivenPerson = LOTTE,
    details: Details | None = None,
    **changes: Any,
) -> SubjectRequest:
    """A request of an identified person, confirmed to be this contact, and a `role` without one; with a
    `child`, on its behalf."""
    now = night.clock()
    request = SubjectRequest(
        id=f"request-{uuid.uuid4().hex[:12]}",
        right=right,
        requester_kind=kind,
        channel=Channel.FORM,
        received_at=now,
        received_on=BELGIAN.day(now),
        language="nl",
        on_behalf=child is not None,
        state=RequestState.SEARCHING,
        identity=IdentityCheck(IdentityMethod.EID, now, "dora", Mandate.SHOWN if child else None, child is not None),
    )
    found = [Candidate("candidate-1", "requester", "contact", "contact", contact, "strong")]
    if child is not None:
        found.append(Candidate("candidate-2", "child", "contact", "contact", child, "strong"))
    if role is not None:
        found.append(Candidate("candidate-3", "requester", "role", "party", role, "strong"))
    parts = {
        GIVEN: Given(given, of_child if child else None, details or Details()),
        CANDIDATES: Candidates(tuple(found), (), now),
        CONFIRMED: Confirmed(tuple(one.candidate for one in found), "dora", now),
    }
    request = msgspec.structs.replace(request, **changes)
    night.store.requests.add(
        request, {name: msgspec.json.encode(part) for name, part in parts.items()}, ("request", {"request": request.id})
    )
    return request


def compile_(night: Night, request: SubjectRequest) -> Compilation:
    """The answer as far as it can be decided about."""
    context = context_of(night)
    found = assess(context, request)
    shell = Compilation(
        request=request.id,
        reference="R-1",
        right=request.right.value,
        answer=found.entitlement.answer,
        scope=found.entitlement.scope,
        language="nl",
        generated_at=night.clock(),
        received_on=request.received_on,
        addressee=Addressee("Lotte Peeters (fictief)"),
        refusal=found.entitlement.refusal,
    )
    answer = propose(context, request, found.given, found.entitlement, found.material, shell)
    now = night.store.requests.get(request.id)
    after = msgspec.structs.replace(now, state=RequestState.REVIEWING, answer=answer.answer, scope=answer.scope)
    night.store.requests.save(after, since=now, parts={COMPILATION: msgspec.json.encode(answer)})
    return answer


def whats(answer: Compilation) -> list[tuple[str, str]]:
    """What each item proposes, and of which kind of row."""
    return [(item.title, item.kind) for item in answer.items]


def dora(night: Night, who: str = "dora", role: str = "dpo") -> Actor:
    return Actor(night.store, who, role, night.clock(), night.key.reference, night.policy.calendar)


def decide(night: Night, request: SubjectRequest, *items: str) -> Decided:
    return grant(context_of(night), dora(night), request.id, items)


def decline(night: Night, request: SubjectRequest, code: str) -> Decided:
    return refuse(context_of(night), dora(night), request.id, code)


def release(night: Night, request: SubjectRequest, context: JobContext | None = None) -> Run | None:
    """Dora approves the content, Erik releases it, and what was granted is carried out."""
    now = night.store.requests.get(request.id)
    approvals = (RequestApproval("content", "dora", "dpo", night.clock()), RequestApproval("release", "erik", "approver", night.clock()))
    after = msgspec.structs.replace(now, state=RequestState.RELEASED, approvals=approvals, released_at=night.clock())
    night.store.requests.save(after, since=now)
    return fulfil(context or context_of(night), request.id)[0]


def close(night: Night, request: SubjectRequest) -> None:
    now = night.store.requests.get(request.id)
    after = msgspec.structs.replace(now, state=RequestState.CLOSED, closed_at=night.clock())
    night.store.requests.save(after, since=now, parts={CANDIDATES: None, CONFIRMED: None})


def decision(night: Night, request: SubjectRequest) -> Decision:
    found = decision_of(night.store, request.id)
    assert found is not None
    return found


def granted(night: Night, request: SubjectRequest, items: Sequence[str] = ()) -> Run | None:
    """From the compilation to the end, everything granted."""
    compile_(night, request)
    decide(night, request, *items)
    return release(night, request)
