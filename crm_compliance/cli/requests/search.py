"""requests, the search for the person: match and confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.requests.ids import REQUEST
from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output
from crm_compliance.cli.terminal.people import AS, role_for
from rules.errors import UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.model.request import Candidate, Candidates


def add_to(requests: typer.Typer) -> None:
    """Add the commands to the group."""
    requests.command("match")(match)
    requests.command("confirm")(confirm)


def match(
    request: str = REQUEST, as_: str = AS, role: str = role_for(Act.HANDLE_REQUEST, "; may be left out for a CRM on this machine only.")
) -> None:
    """Search the CRM for the person and the child, and list who may be them: the strongest first, what
    contradicts last.

    Example: crm-compliance requests match request-0123 --json
    """
    from crm_compliance.cli.requests.discarded_decisions import telling_undone
    from crm_compliance.identity.signin import person
    from jobs.register.request_steps import actor_of
    from jobs.requests.search.confirm import match_request

    settings = arguments.settings()
    someone = person(settings, as_, role, looks_only=True)
    with arguments.opened() as desk:
        actor = actor_of(desk.context, someone.who, someone.role)
        with telling_undone(desk.context.store, request) as told:
            candidates = match_request(desk.context, request, actor)
    document = {
        "request": request,
        "candidates": [_document(candidate) for candidate in candidates.found],
        "not_searched": list(candidates.not_searched),
        "left_out": list(candidates.left_out),
        **told,
    }
    output.answer(document, lambda console: _show(console, candidates, request), ids=("request", request))


def confirm(
    request: str = REQUEST,
    candidates: list[str] = typer.Argument(
        None, metavar="CANDIDATE…", help="Who the person or the child is, by the names that match gave."
    ),
    none: bool = typer.Option(False, "--none", help="Nobody in the CRM is."),
    as_: str = AS,
    role: str = role_for(Act.HANDLE_REQUEST),
) -> None:
    """Record which candidates are the person, each by name; only these get into an answer. It replaces what
    was confirmed before.

    Example: crm-compliance requests confirm request-0123 c1 c3 --as dora --role dpo
    """
    from crm_compliance.cli.requests.discarded_decisions import telling_undone
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.register.request_steps import Actor
    from jobs.requests.search.confirm import confirm_candidates

    if bool(candidates) == none:
        raise UsageError("name the candidates, or say --none", hint=f"crm-compliance requests confirm {request[:64]} CANDIDATE… | --none")
    settings = arguments.settings()
    someone = person(settings, as_, role)
    with arguments.opened_store(settings) as (store, clock):
        actor = Actor(store, someone.who, someone.role, clock(), register_key(settings).reference, calendar_of(settings, store))
        with telling_undone(store, request) as undone:
            confirmed = confirm_candidates(actor, request, candidates or ())
        state = store.requests.get(request).state.value
    document = {"request": request, "confirmed": list(confirmed.candidates), "state": state, **undone}
    told = f"{', '.join(confirmed.candidates) or 'nobody'} confirmed\nNext: crm-compliance requests compile {request}"
    output.answer(document, lambda console: console.print(told, soft_wrap=True), ids=("request", request))


def _document(candidate: Candidate) -> dict[str, object]:
    return {
        "candidate": candidate.candidate,
        "for": candidate.person,
        "table": candidate.table,
        "id": candidate.id,
        "class": candidate.strength,
        "flags": list(candidate.flags),
        "evidence": list(candidate.evidence),
        "kind": candidate.kind,
        "born_in": candidate.born_in,
        "number": candidate.number or None,
    }


def _show(console: Console, candidates: Candidates, request: str) -> None:
    for one in candidates.found:
        console.print(f"{one.candidate:<4} {one.strength:<13} {one.person:<9} {one.table} {one.id}")
        console.print("     " + ", ".join((*one.evidence, *one.flags, *_known(one))))
    if not candidates.found:
        console.print("No candidate.")
    if candidates.left_out:
        console.print(f"Left out, since what was given cannot be read as such: {', '.join(candidates.left_out)}")
    console.print(f"Not searched: {', '.join(candidates.not_searched)}")
    console.print(f"Next: crm-compliance requests confirm {request} CANDIDATE… | --none", soft_wrap=True)


def _known(candidate: Candidate) -> tuple[str, ...]:
    """Return what helps to recognise a person, as far as it may stand on a screen (IDN-08)."""
    year = (f"born in {candidate.born_in}",) if candidate.born_in is not None else ()
    return (*year, *((candidate.number,) if candidate.number else ()))
