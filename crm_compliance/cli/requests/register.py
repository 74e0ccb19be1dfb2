"""requests, the register: open, list, show, calendar, identify, and what happens to a request on its way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from crm_compliance.cli.requests.ids import REQUEST
from crm_compliance.cli.terminal.output import output
from crm_compliance.cli.terminal.people import AS, role_for
from rules.errors import ComplianceError, UsageError
from rules.model.roles import Act, may

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from crm_compliance.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.model.request import SubjectRequest
    from jobs.register.permissions import Hand

ROLE = role_for(Act.HANDLE_REQUEST)
Code = TypeVar("Code", bound=StrEnum)


def add_to(requests: typer.Typer) -> None:
    """Add the commands to the group, in the order in which a request meets them."""
    requests.command("open")(open_)
    requests.command("list")(list_)
    for command in (show, calendar, identify, suspend, resume, extend, override, close, misdelivered, renew):
        requests.command(command.__name__)(command)


def open_(file: str = typer.Argument(..., metavar="FILE|-", help="A JSON file, or - for standard input.")) -> None:
    """Register a request that has come in, and keep from now on what may be about the person.

    The file has right, requester_kind, received_at, channel, language and given, with on_behalf_of where
    somebody asks for a child; an institution or a lawyer is a guardian. A message that asks for several
    rights is opened once for each. The receipt is registered even where the CRM cannot be reached; the next
    plan then looks up what is kept.

    Example: crm-compliance requests open form.json

    with {"right": "access", "requester_kind": "donor", "received_at": "2026-11-25T09:30:00Z", "channel":
    "form", "language": "nl", "given": {"firstname": "Voorbeeld", "lastname": "Donor (fictief)", "birthdate":
    "1985-07-30", "nationalnumbers": [], "phones": [], "emails": ["voorbeeld@example.org"]}, "on_behalf_of":
    null}
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import calendar_of
    from crm_compliance.wiring.software import new_id
    from crm_compliance.wiring.store import store_of
    from jobs.register.intake import open_request, read_form

    settings = arguments.settings()
    clock = clock_of(settings)
    text = _read(file)
    with store_of(settings, clock) as store:
        days = calendar_of(settings, store)
        request = open_request(store, read_form(text, clock(), days), calendar=days, new_id=new_id)
    _freeze(request)
    with store_of(settings, clock) as store:
        _answer(settings, store, store.requests.get(request.id))


def list_() -> None:
    """The register: what is due first comes first, with the days that are left and the command that comes
    next; closed requests last.

    Example: crm-compliance requests list --json
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.reports.requests.register import by_urgency, request_document
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import calendar_of
    from crm_compliance.wiring.store import store_of

    settings = arguments.settings()
    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        days = calendar_of(settings, store, output.warn)
        documents = [request_document(request, clock(), days) for request in by_urgency(store.requests.all(), days)]
    output.answer(documents, lambda console: _show_list(console, documents))


def show(
    request: str = REQUEST,
    as_: str = AS,
    role: str = role_for(Act.HANDLE_REQUEST, " sees also how many recipients are to be told; nobody else does."),
) -> None:
    """One request as it stands: its dates, how the person was identified, who approved what, and what stops
    its release.

    Example: crm-compliance requests show request-0123
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.store import store_of

    settings = arguments.settings()
    handles = bool(as_ or role) and person(settings, as_, role).may(Act.HANDLE_REQUEST)
    with store_of(settings, clock_of(settings)) as store:
        _answer(settings, store, store.requests.get(request), handles=handles)


def calendar(path: Path = typer.Option(..., "--output", metavar="F.ics")) -> None:
    """Write due dates, alarms and internal targets as a calendar file: request ids, and nothing about
    anybody.

    Example: crm-compliance requests calendar --output requests.ics
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.files import write_whole
    from crm_compliance.reports.parts.sentences import counted
    from crm_compliance.reports.requests.calendar import dates_of
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import calendar_of
    from crm_compliance.wiring.store import store_of

    settings = arguments.settings()
    clock = clock_of(settings)
    file = arguments.target(path)
    with store_of(settings, clock) as store:
        days = calendar_of(settings, store, output.warn)
        pending = [request for request in store.requests.all() if not request.is_answered]
    with write_whole(file, text=True) as out:
        out.write(dates_of(pending, clock(), days))
    document = {"requests": len(pending), "files": [str(file)]}
    output.answer(document, lambda console: console.print(f"{counted(len(pending), 'request')} in {file}"))


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
    from crm_compliance.cli.requests.undone import telling_undone
    from jobs.register.transitions import identify as move
    from rules.model.requests import IdentityMethod, Mandate

    how = _code(IdentityMethod, method, "--method")
    word = _code(Mandate, mandate, "--mandate") if mandate else None
    undone: dict[str, object] = {}

    def identified(hand: Hand) -> SubjectRequest:
        with telling_undone(hand.store, request) as told:
            moved = move(hand, request, how, mandate=word, child_agrees=child_agrees)
        undone.update(told)
        return moved

    _move(as_, role, identified, more=lambda moved: undone)


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
    from crm_compliance.cli.terminal import arguments
    from jobs.register.transitions import suspend as move

    day = arguments.day(asked_on, "--asked-on")
    _move(as_, role, lambda hand: move(hand, request, reason, day))


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
    from crm_compliance.cli.terminal import arguments
    from jobs.register.transitions import resume as move

    day = arguments.day(answered_on, "--answered-on")
    _move(as_, role, lambda hand: move(hand, request, day, reason=reason))


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
    from crm_compliance.cli.terminal import arguments
    from jobs.register.transitions import extend as move

    moment = arguments.instant(notified_at, "--notified-at", arguments.settings())
    _move(as_, role, lambda hand: move(hand, request, reason, moment))


def override(
    request: str = REQUEST,
    rule: str = typer.Option(..., "--rule", metavar="RULE", help="The rule that is set aside, for example RGT-05 or NO_CONTACT."),
    reason: str = typer.Option(..., "--reason", metavar="CODE", help="A code without spaces and names."),
    as_: str = AS,
    role: str = role_for(Act.SET_RULE_ASIDE, "; one of the two people is the DPO."),
) -> None:
    """Record one of the two approvals needed to override a rule; a second person records the other. Then
    compile again.

    Example: crm-compliance requests override request-0123 --rule RGT-05 --reason CHILD_INTEREST --as dora
        --role dpo
    """
    from jobs.register.overrides import override as move
    from jobs.register.overrides import words_needed

    _move(as_, role, lambda hand: move(hand, request, rule, reason), more=lambda moved: {"rule": rule, "needed": words_needed(moved, rule)})


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
    """Close a request with the code of its outcome; what leads from it to files is removed.

    Example: crm-compliance requests close request-0123 --outcome DELIVERED --as dora --role dpo
    """
    from jobs.register.transitions import close as move

    _move(as_, role, lambda hand: move(hand, request, outcome))


def misdelivered(request: str = REQUEST, as_: str = AS, role: str = ROLE) -> None:
    """Record that an answer reached the wrong person: its link is dead at once, and 72 hours are left to tell
    the authority.

    Example: crm-compliance requests misdelivered request-0123 --as dora --role dpo
    """
    from jobs.register.misdelivery import misdelivered as move
    from jobs.register.misdelivery import notify_by
    from rules.dates.instants import instant

    _move(as_, role, lambda hand: move(hand, request), more=lambda moved: {"notify_by": instant(notify_by(moved))})


def renew(request: str = REQUEST, as_: str = AS, role: str = ROLE) -> None:
    """Let the link of a released answer be used five times more, until the day on which it ends.

    Example: crm-compliance requests renew request-0123 --as dora --role dpo
    """
    from jobs.register.transitions import renew as move

    _move(as_, role, lambda hand: move(hand, request))


def _move(
    who: str, role: str, move: Callable[[Hand], SubjectRequest], *, more: Callable[[SubjectRequest], dict[str, object]] | None = None
) -> None:
    """Take one step as somebody, and answer with the request as it then stands."""
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.reports.requests.review_pages import removing_pages

    settings = arguments.settings()
    with _hand(settings, who, role) as (hand, store):
        with removing_pages(store):
            moved = move(hand)
        _answer(settings, store, moved, more(moved) if more is not None else None, handles=may(hand.who, hand.role, Act.HANDLE_REQUEST))


@contextmanager
def _hand(settings: Settings, who: str, role: str) -> Iterator[tuple[Hand, SqlStore]]:
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import policy_of
    from crm_compliance.wiring.store import store_of
    from jobs.checks.same_zone import refuse_other_zone
    from jobs.register.permissions import Hand

    someone = person(settings, who, role)
    clock = clock_of(settings)
    policy = policy_of(settings)
    with store_of(settings, clock) as store:
        refuse_other_zone(store, policy)
        yield Hand(store, someone.who, someone.role, clock(), register_key(settings).reference, policy.calendar), store


def _answer(
    settings: Settings, store: SqlStore, request: SubjectRequest, more: dict[str, object] | None = None, *, handles: bool = False
) -> None:
    """Answer with a request. How many recipients are to be told says that something of the person is in the
    CRM: that is for the DPO."""
    from crm_compliance.reports.parts.hints import commands_after
    from crm_compliance.reports.requests.register import print_request, request_document
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.register.permissions import next_step
    from jobs.register.release_blockers import blocks_of
    from jobs.requests.decisions.notices import counts_of

    now = clock_of(settings)()
    stopping, notices = blocks_of(store, request), counts_of(store, request) if handles else None
    days = calendar_of(settings, store, output.warn)
    document = request_document(request, now, days, blocks=stopping, notices=notices) | (more or {})
    output.answer(
        document, lambda console: print_request(document, console, commands_after(next_step(request))), ids=("request", request.id)
    )


def _freeze(request: SubjectRequest) -> None:
    """Look up what the request keeps. Where that cannot be done now, every plan and run does it before
    anything else, or does not start."""
    from crm_compliance.cli.terminal import arguments
    from jobs.requests.search.freeze import refreeze
    from rules.holds.of_requests import REASON_OF_RIGHT

    if request.right not in REASON_OF_RIGHT:
        return
    try:
        with arguments.opened() as desk:
            refreeze(desk.context, request)
    except ComplianceError as error:
        output.warn(f"the receipt is registered, and what it keeps is not looked up yet: {error}")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", hint="name a JSON file, or - for standard input") from None


def _code(codes: type[Code], text: str, option: str) -> Code:
    if text not in {code.value for code in codes}:
        raise UsageError(f"{option} is unknown", hint=f"one of: {', '.join(codes)}", where=option)
    return codes(text)


def _show_list(console: Console, documents: Sequence[dict[str, object]]) -> None:
    """The table, then one line for each request that goes on: the days that are left, and the command that
    comes next."""
    console.print(_listed(documents) if documents else "No request.")
    for document in documents:
        if document["next"]:
            console.print(f"{_left(document)}: {document['next']}", soft_wrap=True)


def _left(document: dict[str, object]) -> str:
    from crm_compliance.reports.parts.sentences import counted

    days = document["days_left"]
    if not isinstance(days, int):
        return "the clock stands still" if document["due_on"] is None else "answered"
    return f"{counted(days, 'day')} left" if days >= 0 else f"{counted(-days, 'day')} late"


def _listed(documents: Sequence[dict[str, object]]) -> Table:
    from crm_compliance.cli.terminal.tables import table_of
    from crm_compliance.reports.requests.register import outcome_of

    rows = [
        (
            str(document["request"]),
            str(document["right"]),
            str(document["state"]),
            str(document["due_on"] or "stands still"),
            outcome_of(document) or ("overdue" if document["overdue"] else ""),
        )
        for document in documents
    ]
    return table_of(("Request", "Right", "State", "Due", "Outcome"), rows, wraps=4)
