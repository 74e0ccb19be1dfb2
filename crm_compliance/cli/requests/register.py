"""requests, the register: open, list, show, calendar."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.requests.ids import REQUEST
from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output
from crm_compliance.cli.terminal.people import AS, role_for
from crm_compliance.host.files import write_whole
from rules.errors import ComplianceError, UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.model.request import SubjectRequest


def add_to(requests: typer.Typer) -> None:
    """Add the commands to the group, in the order in which a request meets them."""
    requests.command("open")(open_)
    requests.command("list")(list_)
    for command in (show, calendar):
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
    from crm_compliance.wiring.schedule import calendar_of
    from crm_compliance.wiring.software import new_id
    from jobs.register.intake import open_request, read_form

    settings = arguments.settings()
    text = _read(file)
    with arguments.opened_store(settings) as (store, clock):
        days = calendar_of(settings, store)
        request = open_request(store, read_form(text, clock(), days), calendar=days, new_id=new_id)
    _preserve(request)
    with arguments.opened_store(settings) as (store, clock):
        answer_with(settings, store, store.requests.get(request.id))


def list_() -> None:
    """The register: what is due first comes first, with the days that are left and the command that comes
    next; closed requests last.

    Example: crm-compliance requests list --json
    """
    from crm_compliance.reports.requests.register import by_urgency, request_document
    from crm_compliance.wiring.schedule import calendar_of

    settings = arguments.settings()
    with arguments.listed_store(settings) as (store, clock):
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
    from crm_compliance.identity.signin import person

    settings = arguments.settings()
    handles = bool(as_ or role) and person(settings, as_, role).may(Act.HANDLE_REQUEST)
    with arguments.listed_store(settings) as (store, _):
        answer_with(settings, store, store.requests.get(request), handles=handles)


def calendar(path: Path = typer.Option(..., "--output", metavar="F.ics")) -> None:
    """Write due dates, alarms and internal targets as a calendar file: request ids, and nothing about
    anybody.

    Example: crm-compliance requests calendar --output requests.ics
    """
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.parts.sentences import counted
    from crm_compliance.reports.requests.calendar import dates_of
    from crm_compliance.wiring.schedule import calendar_of

    settings = arguments.settings()
    file = arguments.target(path)
    ending_of(file, {".ics"})
    with arguments.listed_store(settings) as (store, clock):
        days = calendar_of(settings, store, output.warn)
        pending = [request for request in store.requests.all() if not request.is_answered]
    with write_whole(file, text=True) as out:
        out.write(dates_of(pending, clock(), days))
    document = {"requests": len(pending), "files": [str(file)]}
    output.answer(document, lambda console: console.print(f"{counted(len(pending), 'request')} in {file}"))


def answer_with(
    settings: Settings, store: SqlStore, request: SubjectRequest, more: dict[str, object] | None = None, *, handles: bool = False
) -> None:
    """Answer with a request. How many recipients are to be told says that something of the person is in the
    CRM: that is for the DPO."""
    from crm_compliance.hints import commands_after
    from crm_compliance.reports.requests.register import print_request, request_document
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.register.answer_blocks import blocks_of
    from jobs.register.decision import waits_for
    from jobs.register.request_steps import next_step
    from jobs.requests.decisions.notices import counts_of

    now = clock_of(settings)()
    notices, waiting = (counts_of(store, request), waits_for(store, request)) if handles else (None, "")
    days = calendar_of(settings, store, output.warn)
    document = request_document(request, now, days, blocks=blocks_of(store, request), notices=notices, waits_for=waiting) | (more or {})
    if handles and (text := _to_write(settings, store, request)):
        document["to_write"] = text
    output.answer(
        document,
        lambda console: print_request(document, console, days, commands_after(next_step(request)), days.day(now)),
        ids=("request", request.id),
    )


def _to_write(settings: Settings, store: SqlStore, request: SubjectRequest) -> str:
    """Return what the person has to be written, as long as it is known to whom."""
    from crm_compliance.answer_package.content.refusal import refusal_to_write
    from crm_compliance.configuration.organisation import organisation_of
    from crm_compliance.wiring.schedule import policy_of
    from jobs.model.request import GIVEN

    if not request.refusal or not store.requests.has_part(request.id, GIVEN):
        return ""
    try:
        return refusal_to_write(request, organisation_of(settings).under(policy_of(settings)))
    except ComplianceError as error:
        output.warn(f"the person has to be written to, and the text cannot be given: {error}")
        return ""


def _preserve(request: SubjectRequest) -> None:
    """Look up what the request keeps. Where that cannot be done now, every plan and run does it before
    anything else, or does not start."""
    from jobs.requests.search.preserve import preserve
    from rules.holds.of_requests import REASON_OF_RIGHT

    if request.right not in REASON_OF_RIGHT:
        return
    try:
        with arguments.opened() as desk:
            preserve(desk.context, request)
    except ComplianceError as error:
        output.warn(f"the receipt is registered, and what it keeps is not looked up yet: {error}")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        hint = "name a JSON file, or - for standard input"
        raise UsageError(f"the file cannot be read: {error.strerror}", hint=hint, where=file) from None


def _show_list(console: Console, documents: Sequence[dict[str, object]]) -> None:
    """Print the table, then one line for each request that goes on: the days that are left, and the command
    that comes next."""
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
