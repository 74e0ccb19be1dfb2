"""requests, transitions: identify, and what happens to a request on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import typer

from crm_compliance.cli.requests.ids import REQUEST
from crm_compliance.cli.requests.register import answer_with
from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.people import AS, role_for
from rules.errors import UsageError
from rules.model.roles import Act, may

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.model.request import SubjectRequest
    from jobs.register.request_steps import Actor

ROLE = role_for(Act.HANDLE_REQUEST)
Code = TypeVar("Code", bound=StrEnum)


def add_to(requests: typer.Typer) -> None:
    """Add the commands to the group, in the order in which a request meets them."""
    for command in (identify, suspend, resume, extend, override, close, misdelivered, renew):
        requests.command(command.__name__)(command)


def identify(
    request: str = REQUEST,
    method: str = typer.Option(..., "--method", metavar="METHOD", help="known_channel, eid, shown or copy: the first that is enough."),
    mandate: str = typer.Option("", "--mandate", metavar="WORD", help="Who asks for a child: shown, not_shown or contested."),
    child_agrees: bool = typer.Option(False, "--child-agrees", help="A child of the age of maturity agrees."),
    as_: str = AS,
    role: str = ROLE,
) -> None:
    """Record how the person was identified; the steps are the same for everybody, whatever is in the file.

    Example: crm-compliance requests identify request-0123 --method known_channel --as dora --role dpo
    """
    from crm_compliance.cli.requests.discarded_decisions import telling_undone
    from jobs.register.transitions import identify as transition
    from rules.model.requests import IdentityMethod, Mandate

    how = _code(IdentityMethod, method, "--method")
    word = _code(Mandate, mandate, "--mandate") if mandate else None
    undone: dict[str, object] = {}

    def identified(actor: Actor) -> SubjectRequest:
        with telling_undone(actor.store, request) as told:
            moved = transition(actor, request, how, mandate=word, child_agrees=child_agrees)
        undone.update(told)
        return moved

    _take(as_, role, identified, more=undone)


def suspend(
    request: str = REQUEST,
    reason: str = typer.Option(..., "--reason", metavar="WHAT", help="identity or scope: what was asked."),
    asked_on: str = typer.Option(..., "--asked-on", metavar="DATE", help="The day of the question."),
    as_: str = AS,
    role: str = ROLE,
) -> None:
    """Record a question to the person. It stops the clock if it was asked within five working days of the
    receipt; a later one does not.

    Example: crm-compliance requests suspend request-0123 --reason identity --asked-on 2026-11-25 --as dora
    --role dpo
    """
    from jobs.register.transitions import suspend as transition

    day = arguments.day(asked_on, "--asked-on")
    _take(as_, role, lambda actor: transition(actor, request, reason, day))


def resume(
    request: str = REQUEST,
    answered_on: str = typer.Option(..., "--answered-on", metavar="DATE", help="The day on which the person answered."),
    reason: str = typer.Option("", "--reason", metavar="WHAT", help="Which of several open questions: identity or scope; else the oldest."),
    as_: str = AS,
    role: str = ROLE,
) -> None:
    """Record that the person has answered; the due date moves by the days in between. Days that several
    questions share count once.

    Example: crm-compliance requests resume request-0123 --answered-on 2026-11-25 --as dora --role dpo
    """
    from jobs.register.transitions import resume as transition

    day = arguments.day(answered_on, "--answered-on")
    _take(as_, role, lambda actor: transition(actor, request, day, reason=reason))


def extend(
    request: str = REQUEST,
    reason: str = typer.Option(..., "--reason", metavar="WHY", help="complexity or number."),
    notified_at: str = typer.Option(..., "--notified-at", metavar="INSTANT", help="When the person was told, with reasons."),
    as_: str = AS,
    role: str = ROLE,
) -> None:
    """Add two months, once, where the person was told before the first due date was over.

    Example: crm-compliance requests extend request-0123 --reason complexity --notified-at
    2026-11-25T10:00:00Z --as dora --role dpo
    """
    from jobs.register.transitions import extend as transition

    moment = arguments.instant(notified_at, "--notified-at", arguments.settings())
    _take(as_, role, lambda actor: transition(actor, request, reason, moment))


def override(
    request: str = REQUEST,
    rule: str = typer.Option(..., "--rule", metavar="RULE", help="The rule that is set aside, for example RGT-05 or NO_CONTACT."),
    reason: str = typer.Option(..., "--reason", metavar="CODE", help="A code without spaces and names."),
    as_: str = AS,
    role: str = role_for(Act.SET_RULE_ASIDE, "; one of the two people is the DPO."),
) -> None:
    """Record one of the two approvals needed to override a rule; a second person records the other. Then
    compile again; what waits after the release for SUS-08 alone, the next night carries out.

    Example: crm-compliance requests override request-0123 --rule RGT-05 --reason CHILD_INTEREST --as dora
    --role dpo
    """
    from jobs.register.overrides import approvals_needed
    from jobs.register.overrides import override as transition

    needed: dict[str, object] = {}

    def overridden(actor: Actor) -> SubjectRequest:
        moved = transition(actor, request, rule, reason)
        needed.update({"rule": rule, "needed": approvals_needed(actor.store, moved, rule)})
        return moved

    _take(as_, role, overridden, more=needed)


def close(
    request: str = REQUEST,
    outcome: str = typer.Option(
        ...,
        "--outcome",
        metavar="CODE",
        help="DELIVERED, DELIVERED_PARTLY, DONE, NEUTRAL, REFUSED:RF-nn, MANDATE_LAPSED, NOT_IDENTIFIED or WITHDRAWN.",
    ),
    as_: str = AS,
    role: str = ROLE,
) -> None:
    """Close a request with the code of its outcome; what leads from it to files is removed. WITHDRAWN also
    ends what was granted and waits after the release, of a closed request too.

    Example: crm-compliance requests close request-0123 --outcome DELIVERED --as dora --role dpo
    """
    from jobs.register.transitions import close as transition

    _take(as_, role, lambda actor: transition(actor, request, outcome))


def misdelivered(request: str = REQUEST, as_: str = AS, role: str = ROLE) -> None:
    """Record that an answer reached the wrong person: its link is dead at once, and 72 hours are left to tell
    the authority.

    Example: crm-compliance requests misdelivered request-0123 --as dora --role dpo
    """
    from jobs.register.misdelivery import misdelivered as transition

    _take(as_, role, lambda actor: transition(actor, request))


def renew(request: str = REQUEST, as_: str = AS, role: str = ROLE) -> None:
    """Let the link of a released answer be used five times more, until the day on which it ends.

    Example: crm-compliance requests renew request-0123 --as dora --role dpo
    """
    from jobs.register.transitions import renew as transition

    _take(as_, role, lambda actor: transition(actor, request))


def _take(who: str, role: str, transition: Callable[[Actor], SubjectRequest], *, more: dict[str, object] | None = None) -> None:
    """Take one step as somebody, and answer with the request as it then stands, and `more`."""
    settings = arguments.settings()
    with _actor(settings, who, role) as (actor, store):
        moved = transition(actor)
        answer_with(settings, store, moved, more, handles=may(actor.who, actor.role, Act.HANDLE_REQUEST))


@contextmanager
def _actor(settings: Settings, who: str, role: str) -> Iterator[tuple[Actor, SqlStore]]:
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import policy_of
    from jobs.checks.same_zone import refuse_other_zone
    from jobs.register.request_steps import Actor

    someone = person(settings, who, role)
    policy = policy_of(settings)
    with arguments.opened_store(settings) as (store, clock):
        refuse_other_zone(store, policy)
        yield Actor(store, someone.who, someone.role, clock(), register_key(settings).reference, policy.calendar), store


def _code(codes: type[Code], text: str, option: str) -> Code:
    if text not in {code.value for code in codes}:
        raise UsageError(f"{option} is unknown", hint=f"one of: {', '.join(codes)}", where=option)
    return codes(text)
