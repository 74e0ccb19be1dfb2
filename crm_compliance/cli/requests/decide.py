"""requests, rights other than access: decide."""

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

    from jobs.requests.decisions.decide import Decided


def add_to(requests: typer.Typer) -> None:
    """Add the commands to the group."""
    requests.command("decide")(decide)


def decide(
    request: str = REQUEST,
    items: list[str] = typer.Argument(None, metavar="[ITEM]...", help="Items to grant; none named means all that the answer proposes."),
    grant: bool = typer.Option(False, "--grant", help="Grant these items; those that are not named are not granted."),
    refuse: str = typer.Option("", "--refuse", metavar="RF-nn", help="Refuse it all, with the text of this code."),
    as_: str = AS,
    role: str = role_for(Act.HANDLE_REQUEST),
) -> None:
    """Decide on a request for another right than access, item by item as `requests review` lists them.

    A restriction, the end of direct marketing and a withdrawn consent take effect at once. Corrections, notes
    and erasures are carried out when the answer has been approved and a second person has released it.

    Example: crm-compliance requests decide request-0123 --grant item-1 item-3 --as dora --role dpo
    """
    from crm_compliance.identity.signin import person
    from jobs.register.request_steps import actor_of
    from jobs.requests.decisions import decide as deciding

    if grant == bool(refuse):
        raise UsageError("a request is granted or refused", hint="--grant [ITEM…], or --refuse RF-nn")
    if refuse and items:
        raise UsageError("a refusal is of the whole request", hint="to refuse a part, grant the other items", where="--refuse")
    settings = arguments.settings()
    someone = person(settings, as_, role)
    with arguments.opened() as desk:
        actor = actor_of(desk.context, someone.who, someone.role)
        if grant:
            decided = deciding.grant(desk.context, actor, request, items or [])
        else:
            decided = deciding.refuse(desk.context, actor, request, refuse)
    output.answer(_document(decided), lambda console: _show(console, decided), ids=("request", request))


def _document(decided: Decided) -> dict[str, object]:
    """Return the decision with the same keys for every answer: a neutral one has nothing in them."""
    return {
        "request": decided.request.id,
        "right": decided.request.right.value,
        "state": decided.request.state.value,
        "granted": list(decided.granted),
        "refusal": decided.refusal or None,
        "done": list(decided.done),
        "waiting": decided.waiting,
        "notices": [{"recipient": one.recipient, "on": one.on or None, "country": one.country or None} for one in decided.notices],
    }


def _show(console: Console, decided: Decided) -> None:
    from crm_compliance.reports.requests.review_page import lines_of

    if decided.refusal:
        console.print(f"Refused with {decided.refusal}.")
    else:
        console.print(f"Granted: {', '.join(decided.granted) or 'nothing to carry out'}.")
    for item, what, _, proposal in lines_of(decided.items):  # numbers may be those of an earlier compilation
        console.print(f"{item} is {what}: {proposal}.", markup=False, soft_wrap=True)
    for item, code in decided.waiting.items():
        console.print(f"{item} waits: {code}.")
    for notice in decided.notices:
        console.print(f"To be told (art. 19): {notice.recipient}.")
    console.print("Next: crm-compliance requests approve, then release.")
