"""requests, the answer: compile, review, approve, release."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crm_compliance.cli.requests.ids import REQUEST
from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output
from crm_compliance.cli.terminal.people import AS, role_for
from rules.errors import Refused, UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rich.console import Console

    from crm_compliance.identity.signin import Person
    from jobs.model.answer import Compilation, Item
    from jobs.ports.context import JobContext
    from jobs.register.request_steps import Actor

RELEASED = "the answer is released and its files are written: do not give this command again; `run requests` carries out what remains"
NOT_REACHABLE = (
    "the link leads to this machine, and nobody else can open it: set PUBLIC_URL to the address under which people reach this service, and "
    "put that address in the place of the one in the link"
)


def add_to(requests: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (compile_, review, approve, release):
        requests.command(command.__name__.rstrip("_"))(command)


def compile_(
    request: str = REQUEST,
    plain_folder: Path = typer.Option(
        None, "--plain-folder", metavar="DIR", help="Also write a working copy of what may be told, not encrypted, into a new folder."
    ),
    as_: str = AS,
    role: str = role_for(Act.HANDLE_REQUEST),
) -> None:
    """Read everything about the person again, and compile the answer; what was decided on items that are
    still the same stands. What was granted or refused of another right than access is undone, which is told.

    An answer is a package, neutral, or waits for the DPO (dpo_review). What stops its release later is shown
    by `requests show`.

    Example: crm-compliance requests compile request-0123 --as dora --role dpo
    """
    from crm_compliance.cli.requests.discarded_decisions import telling_undone
    from crm_compliance.host.files import vacant
    from crm_compliance.identity.signin import person
    from jobs.requests.answer.compile import compile_request

    if plain_folder is not None:
        vacant(plain_folder)  # now: a compilation undoes what was decided
        arguments.target(plain_folder.absolute() / "letter.pdf" if plain_folder.is_dir() else plain_folder.absolute())
    someone = person(arguments.settings(), as_, role)
    with arguments.opened() as desk:
        with telling_undone(desk.context.store, request) as told:
            compilation = compile_request(desk.context, request, someone.who, someone.role)
        files = _working_copy(desk.context, compilation, plain_folder) if plain_folder is not None else []
    document = {
        "request": request,
        "answer": compilation.answer,
        "scope": compilation.scope,
        "items": len(compilation.items),
        "pending": compilation.pending,
        "refusal": compilation.refusal or None,
        "blocks": list(compilation.blocks),
        "files": files,
        **told,
    }
    output.answer(document, lambda console: console.print(_told(compilation)), ids=("request", request))


def _working_copy(context: JobContext, compilation: Compilation, folder: Path) -> list[str]:
    from crm_compliance.answer_package.package import write_plain
    from crm_compliance.reports.requests.written_files import seal_end
    from jobs.model.request import PLAIN_COPY
    from jobs.requests.answer.attachments import attachments_of

    attachments = attachments_of(context, compilation, working_copy=True)
    note = partial(seal_end, context.store, context.store.requests.get(compilation.request), PLAIN_COPY)
    names = write_plain(compilation, context.organisation, attachments, folder, note)
    return [str(folder / name) for name in names]


def _told(compilation: Compilation) -> str:
    from crm_compliance.reports.parts.sentences import counted

    stopped = f"; stopped by {', '.join(compilation.blocks)}" if compilation.blocks else ""
    return f"{compilation.answer}, {counted(len(compilation.items), 'item')}, {compilation.pending} to review{stopped}"


def review(
    request: str = REQUEST,
    decisions: Path = typer.Option(
        None,
        "--decisions",
        metavar="F.jsonl",
        allow_dash=True,
        help="One JSON object a line, or - for standard input: item, status, and code where it is withheld or text where it is rewritten.",
    ),
    page: Path = typer.Option(
        None, "--output", metavar="F.html", help="Instead: write a page for reviewing, to be opened in a browser on this machine."
    ),
    completeness: bool = typer.Option(
        False, "--completeness", help="Instead: how many rows are included, withheld and excluded, counted now and stored nowhere."
    ),
    as_: str = AS,
    role: str = role_for(Act.HANDLE_REQUEST, "; to look only, also approver."),
) -> None:
    """Show the items of the answer with what would be released of each, or take decisions on them, all of
    them or none.

    APPROVED releases an item as it is proposed, which is never more than the CRM has and has labels instead
    of other people. APPROVED_REDACTED releases the text of the line instead. WITHHELD leaves the item out and
    needs a code, such as RF-03. There is no word for all items at once.

    With --output F.html the items stand on a local page, the CRM's text beside the proposal; what is decided
    there is saved as a file for --decisions. The page goes with the working copies of the request.

    Example: crm-compliance requests review request-0123 --decisions decisions.jsonl --as dora --role dpo
    """
    from crm_compliance.identity.signin import person
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.requests.review_page import item_document
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.register.request_steps import Actor
    from jobs.requests.answer import review as reviewing_items

    settings = arguments.settings()
    if [decisions is not None, page is not None, completeness].count(True) > 1:
        raise UsageError("--decisions, --output and --completeness are three commands", hint="give one of them")
    if page is not None:
        ending_of(arguments.target(page), {".html", ".htm"})
    text = _lines(decisions) if decisions is not None else None
    someone = person(settings, as_, role, looks_only=text is None and page is None and not completeness)
    if completeness:
        _count_rows(request, someone)
        return
    reference = register_key(settings).reference
    with arguments.opened_store(settings) as (store, clock):
        actor = Actor(store, someone.who, someone.role, clock(), reference, calendar_of(settings, store))
        if page is not None:
            _write_page(actor, request, page)
            return
        if text is None:
            items = reviewing_items.items_of(actor, request)
        else:
            with _in_file(decisions):
                items = reviewing_items.decide_items(actor, request, text)
    output.answer([item_document(item) for item in items], lambda console: _show(console, items), ids=("request", request))


def _count_rows(request: str, someone: Person) -> None:
    from jobs.register.request_steps import actor_of
    from jobs.requests.answer.review import completeness

    with arguments.opened() as desk:
        counts = completeness(desk.context, actor_of(desk.context, someone.who, someone.role), request)
    output.answer(counts, lambda console: console.print(_counted(counts)))


def _write_page(actor: Actor, request: str, page: Path) -> None:
    from crm_compliance.reports.requests import written_files

    number = written_files.write_page(actor, request, page)
    document = {"request": request, "file": str(page), "items": number}
    output.answer(document, lambda console: console.print(f"{number} items: {page}", soft_wrap=True), ids=("request", request))


def _lines(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", hint="name a file, or - for standard input", where="--decisions"
        ) from None
    except UnicodeDecodeError:
        raise UsageError("the decisions are not UTF-8", hint="write them as JSON lines in UTF-8", where="--decisions") from None


@contextmanager
def _in_file(file: Path) -> Iterator[None]:
    """Let an error about a line say of which file."""
    try:
        yield
    except UsageError as error:
        if error.where.startswith("line "):
            error.where = f"{file}:{error.where.removeprefix('line ')}"
        raise


def _counted(counts: dict[str, Any]) -> str:
    from crm_compliance.reports.parts.sentences import counted

    parts = ", ".join(f"{counts[name]} {name}" for name in ("included", "withheld", "excluded"))
    told = f"{counted(counts['candidates'], 'row')}: {parts}; {'complete' if counts['complete'] else 'NOT COMPLETE'}"
    if counts["not_searched"]:
        told += f"\nNot mapped, and so not searched: {', '.join(counts['not_searched'])}"
    if counts["unread"]:
        told += f"\nWhat is in these of others is not searched: {', '.join(counts['unread'])}"
    files = counts["files_of_others"]
    if any(files.values()):
        told += f"\nFiles in dossiers of others that speak of the person: {files['read']} searched, {files['not_read']} not"
        told += f"; {counted(files['dossiers_left_out'], 'further dossier')} not looked into" if files["dossiers_left_out"] else ""
    return told


def _show(console: Console, items: Sequence[Item]) -> None:
    from crm_compliance.cli.terminal.tables import table_of
    from crm_compliance.reports.requests.review_page import lines_of

    rows = lines_of(items)
    console.print(table_of(("Item", "What", "Status", "Proposal"), rows, wraps=3) if rows else "No item.")


def approve(request: str = REQUEST, as_: str = AS, role: str = role_for(Act.APPROVE_ANSWER)) -> None:
    """Approve the content of an answer of which nothing waits for a review any more; a second person then
    releases it.

    Example: crm-compliance requests approve request-0123 --as dora --role dpo
    """
    from crm_compliance.hints import commands_after
    from crm_compliance.identity.signin import person
    from crm_compliance.reports.requests.register import request_document
    from jobs.register.request_steps import next_step
    from jobs.requests.answer.release import approve_content

    someone = person(arguments.settings(), as_, role)
    with arguments.opened() as desk:
        approved = approve_content(desk.context, request, someone.who, someone.role)
        document = request_document(approved, desk.context.clock(), desk.context.policy.calendar)
    told = f"the content of {request} is approved\nNext: {commands_after(next_step(approved))}"
    output.answer(document, lambda console: console.print(told, soft_wrap=True), ids=("request", request))


def release(
    request: str = REQUEST,
    file: Path = typer.Option(..., "--output", metavar="F.zip", help="Where the encrypted archive goes."),
    passphrase_file: Path = typer.Option(
        ..., "--passphrase-file", metavar="P", help="A new file for the passphrase (mode 0600): it goes another way than the archive."
    ),
    as_: str = AS,
    role: str = role_for(Act.RELEASE_ANSWER, ", and not the one who approved the content."),
) -> None:
    """Release an approved answer: an AES-256 archive, its passphrase apart, and a link for 14 days and 5
    downloads.

    Whether the person may still be told all this is looked at once more, and every file is searched for what
    must not be in it. What was granted of another right than access is then carried out.

    Example: crm-compliance requests release request-0123 --output answer.zip --passphrase-file answer.txt
    --as erik --role approver
    """
    from crm_compliance.answer_package.outbox import FileOutbox
    from crm_compliance.identity.signin import person
    from crm_compliance.reports.parts.clock_times import clock_time
    from jobs.requests.answer.release import release_answer
    from jobs.requests.decisions.carry_out import fulfil_later

    settings = arguments.settings()
    someone = person(settings, as_, role)
    with arguments.opened() as desk:
        outbox = FileOutbox(
            desk.context.organisation,
            archive=arguments.target(file, ".zip"),
            passphrase_file=arguments.target(passphrase_file),
            public_url=settings.public_url,
        )
        try:
            done = release_answer(desk.context, request, someone.who, someone.role, outbox)
        except Refused as refused:
            if refused.code == "state":  # it is released, perhaps by a command that was killed
                outbox.clear()
            raise
        try:
            waiting = fulfil_later(desk.context, request)
        except KeyboardInterrupt:
            output.warn(RELEASED)
            raise
        until = clock_time(done.link.until, desk.context.policy.calendar)
    warnings = [NOT_REACHABLE] if settings.links_stay_here else []
    for warning in warnings:
        output.warn(warning)
    document = {
        "request": request,
        "file": str(outbox.archive),
        "sha256": done.sha256,
        "link": outbox.address(done.link.token),
        "expires_at": done.link.until.isoformat(),
        "message": str(outbox.note),
        "waiting": waiting or None,
        "warnings": warnings,
    }
    for_people = document | {"expires_at": until}
    output.answer(document, lambda console: _show_release(console, for_people, passphrase_file), ids=("request", request))


def _show_release(console: Console, document: Mapping[str, object], passphrase_file: Path) -> None:
    from crm_compliance.cli.terminal.tables import facts_of

    console.print(facts_of({key: value for key, value in document.items() if value is not None and key != "warnings"}))
    console.print(f"Send the text in {document['message']} to the person: it has the link, and says how the archive is opened.")
    console.print(f"The passphrase is in {passphrase_file}. Tell it by another channel than the link, and then remove the file.")
