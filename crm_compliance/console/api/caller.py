"""Who calls, in which role, and whether they may: checked before each operation, and denials recorded
(ACC-10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends, Request

from crm_compliance.console.frame.services import Services
from crm_compliance.identity.bearer import Bearers, Holder, NoToken
from crm_compliance.identity.signin import Person
from jobs.checks.denials import denied, refuse_role
from rules.errors import Refused, UsageError
from rules.model.roles import HUMAN_ROLES, Act, may

ROLE_HEADER: Final = "Compliance-Role"
READS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose token was good, in the role in which they act, and the services to act with."""

    person: Person
    services: Services

    def may(self, act: Act) -> bool:
        return self.person.may(act)


def acting(act: Act) -> Any:
    """Return the dependency of an operation that takes an act of section 9.4. Whoever has several roles acts
    in the one that the header names, else in their first that may."""

    def caller(request: Request) -> Caller:
        services: Services = request.app.state.services
        bearers: Bearers = request.app.state.bearers
        holder = bearers.holder_of(_token(request))
        person = Person(holder.who, _role(holder, request.headers.get(ROLE_HEADER, ""), act), holder.names)
        if person.role not in holder.roles:
            error = Refused(
                "this token does not carry the role that the call names", hint="leave the header out, or ask for the role", code="role"
            )
            raise denied(services.store, act.value, _signature(services, person), error)
        if not person.may(act):
            refuse_role(services.store, person.who, person.role, act, _signature(services, person))
        if holder.is_app and request.method not in READS:
            error = Refused(
                "an application that calls in nobody's name reads, and does not act",
                hint="act with a token of a person (docs/api.md)",
                code="person_needed",
            )
            raise denied(services.store, act.value, _signature(services, person), error)
        return Caller(person, services)

    caller.act = act  # type: ignore[attr-defined]  # a test goes through all operations by it
    return Depends(caller)


def _signature(services: Services, person: Person) -> dict[str, object]:
    """Return whose attempt a refusal records; the keys are opened for nothing else."""
    return {"role": person.role, "by": services.keys().reference("person", person.who)}


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoToken("this call brings no bearer token", hint="send Authorization: Bearer TOKEN (docs/api.md)")
    return token.strip()


def _role(holder: Holder, wanted: str, act: Act) -> str:
    if not wanted:
        return next((role for role in holder.roles if may(holder.who, role, act)), holder.roles[0])
    if wanted not in HUMAN_ROLES:
        raise UsageError("there is no such role", hint=f"one of: {', '.join(HUMAN_ROLES)}", where=ROLE_HEADER)
    return wanted
