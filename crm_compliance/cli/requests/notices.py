"""requests, the recipients who are told what was corrected, erased or restricted: notices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.requests.ids import REQUEST
from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output
from crm_compliance.cli.terminal.people import AS, role_for
from crm_compliance.host.files import new_folder, write_together
from rules.errors import UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rich.console import Console

    from crm_compliance.configuration.settings import Settings
    from jobs.register.decision import Notice
    from jobs.register.request_steps import Actor


def add_to(requests: typer.Typer) -> None:
    """Add the command to the group."""
    requests.command("notices")(notices)


def notices(
    request: str = REQUEST,
    folder: Path = typer.Option(None, "--output", metavar="DIR", help="Write a letter for every notice that is due, into a new folder."),
    language: str = typer.Option(
        "", "--language", metavar="LANG", help="The language of these letters, one of the organisation's; else by the recipient's country."
    ),
    told: int = typer.Option(None, "--told", metavar="N", help="The recipient of this notice was told."),
    on: str = typer.Option("", "--on", metavar="DATE", help="The day on which they were told."),
    not_told: int = typer.Option(None, "--not-told", metavar="N", help="The recipient of this notice is not told."),
    reason: str = typer.Option("", "--reason", metavar="WHY", help="impossible or disproportionate: the only two that art. 19 knows."),
    as_: str = AS,
    role: str = role_for(Act.HANDLE_REQUEST),
) -> None:
    """List the recipients who have to be told of what was granted, write their letters, and record how it
    ended with each.

    A notice waits until what it tells of has been done: a restriction at once, all else after the release. It
    is due from then on, until somebody records that the recipient was told, or why not. A letter says which
    data it is about, what was done and what is asked, and nothing about anybody else. It names a child of
    whom a file was passed on; of everybody else it says the number of the fiche.

    Example: crm-compliance requests notices request-0123 --output letters --as dora --role dpo

    and then: crm-compliance requests notices request-0123 --told 1 --on 2026-11-25 --as dora --role dpo
    """
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.register.decision import NotTold
    from jobs.register.request_steps import Actor
    from jobs.requests.decisions import notices as recipients

    _check(folder, told, on, not_told, reason)
    settings = arguments.settings()
    _check_language(settings, folder, language)
    someone = person(settings, as_, role, looks_only=folder is None and told is None and not_told is None)
    files: list[str] = []
    with arguments.opened_store(settings) as (store, clock):
        actor = Actor(store, someone.who, someone.role, clock(), register_key(settings).reference, calendar_of(settings, store))
        if told is not None:
            found = recipients.told(actor, request, told, arguments.day(on, "--on"))
        elif not_told is not None:
            found = recipients.not_told(actor, request, not_told, NotTold(reason.upper()))
        else:
            files = _write(settings, actor, request, folder, language) if folder is not None else []
            decision = recipients.listed(actor, request)[1]
            found = decision.notices if decision is not None else ()
    document = {"request": request, "notices": [_document(number, each) for number, each in enumerate(found, 1)], "files": files}
    output.answer(document, lambda console: _show(console, found, files, is_asked=folder is not None), ids=("request", request))


def _check(folder: Path | None, told: int | None, on: str, not_told: int | None, reason: str) -> None:
    """Refuse options that do not go together, before anybody signs in."""
    from jobs.register.decision import NotTold

    if sum(each is not None for each in (folder, told, not_told)) > 1:
        raise UsageError("letters are written, or one outcome is recorded", hint="--output DIR, or --told N, or --not-told N")
    if (told is not None) != bool(on):
        raise UsageError("--told and --on go together", hint="--told 1 --on 2026-11-25", where="--on")
    reasons = [one.value.lower() for one in NotTold]
    if (not_told is not None) != bool(reason) or (reason and reason not in reasons):
        raise UsageError("--not-told and --reason go together", hint=f"--reason is one of: {', '.join(reasons)}", where="--reason")


def _check_language(settings: Settings, folder: Path | None, language: str) -> None:
    from crm_compliance.configuration.organisation import organisation_of

    if not language:
        return
    if folder is None:
        raise UsageError("--language goes with --output", hint="--output DIR", where="--language")
    written = organisation_of(settings).languages
    if language not in written:
        raise UsageError("the organisation does not write in this language", hint=f"one of: {', '.join(written)}", where="--language")


def _write(settings: Settings, actor: Actor, request_id: str, folder: Path, language: str) -> list[str]:
    """Write the letters that are due; no folder is made where none is."""
    from crm_compliance.answer_package.notice_letters import letters_of
    from crm_compliance.configuration.organisation import organisation_of
    from crm_compliance.wiring.schedule import policy_of
    from jobs.requests.decisions import notices as recipients

    request, decision = recipients.listed(actor, request_id)
    due = recipients.due_in(decision)
    if not due or decision is None:
        return []
    policy = policy_of(settings)
    organisation = organisation_of(settings).under(policy)
    letters = letters_of(request, decision, due, organisation, usual=policy.defaults.language, language=language, at=actor.now)
    new_folder(folder)
    recipients.record_letters(actor, request, due)
    return write_together(folder, letters)


def _document(number: int, notice: Notice) -> dict[str, object]:
    return {
        "notice": number,
        "recipient": notice.recipient,
        "country": notice.country or None,
        "on": notice.on or None,
        "granted": [deed.value for deed in notice.deeds],
        "state": notice.state.value,
        "due_on": notice.due_on.isoformat() if notice.due_on is not None else None,
        "told_on": notice.told_on.isoformat() if notice.told_on is not None else None,
        "reason": notice.not_told.value if notice.not_told is not None else None,
    }


def _show(console: Console, notices: Sequence[Notice], files: Sequence[str], *, is_asked: bool) -> None:
    from crm_compliance.cli.terminal.tables import table_of

    rows = [(str(number), each.recipient, each.country, each.on, _state(each)) for number, each in enumerate(notices, 1)]
    columns = ("No.", "Recipient", "Country", "Last passed on", "State")
    console.print(table_of(columns, rows, wraps=1) if rows else "No recipient has to be told.")
    if is_asked and not files:
        console.print("No letter is written: nothing is due.")
    for file in files:
        console.print(f"Written: {file}", soft_wrap=True)


def _state(notice: Notice) -> str:
    if notice.told_on is not None:
        return f"told {notice.told_on.isoformat()}"
    if notice.not_told is not None:
        return f"not_told {notice.not_told.value}"
    return notice.state.value if notice.due_on is None else f"due since {notice.due_on.isoformat()}"
