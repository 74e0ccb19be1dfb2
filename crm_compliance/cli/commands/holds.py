"""holds: what keeps data whatever the schedule says, placed by one person and released by another."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output
from crm_compliance.cli.terminal.people import AS, role_for
from jobs.model.hold_query import HoldList, HoldQuery
from rules.errors import UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rich.table import Table

    from rules.holds.placements import HoldType, PlacedHold

holds = typer.Typer(help="Holds: list, place, release.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(holds, name="holds")


@holds.command("list")
def list_(
    which: HoldList = typer.Option(
        HoldList.ALL, "--list", help="Those in force, past their review, of which nobody has seen the row, or over; else all."
    ),
    limit: int | None = typer.Option(None, "--limit", metavar="N", min=1, help="At most so many of people's, the newest; without, all."),
    as_: str = AS,
    role: str = role_for(Act.SEE_HOLDS_OF_REQUESTS, " sees also what pending subject requests hold; nobody else does."),
) -> None:
    """The holds in the order in which they were placed, released ones too; of all or those in force, then the
    hold flags of the CRM as the last plan saw them.

    Example: crm-compliance holds list --list in_force --limit 50 --json
    """
    from crm_compliance.identity.signin import person as signed_in
    from crm_compliance.reports.holds import held_by_flags, held_by_requests, hold_document
    from crm_compliance.wiring.mapping import mapped_tables
    from crm_compliance.wiring.schedule import clock_shown
    from jobs.checks.same_zone import zone_of

    settings = arguments.settings()
    sees_requests = bool(as_ or role) and signed_in(settings, as_, role).may(Act.SEE_HOLDS_OF_REQUESTS)
    with arguments.listed_store(settings) as (store, clock):
        day = clock_shown(settings, zone_of(store)).day(clock()) if store.holds.number(HoldQuery(date.max)) else date.max
        holds = store.holds.page(HoldQuery(day, which), limit=limit if limit is None else min(limit, sys.maxsize)).holds
        documents = [hold_document(hold, day) for hold in (holds if which is HoldList.REVIEW else reversed(holds))]
        if which in (HoldList.ALL, HoldList.IN_FORCE):
            documents += held_by_flags(store.plans.newest(), settings.crm_url).documents()
            documents += held_by_requests(store, mapped_tables(settings)).documents() if sees_requests else ()
    output.answer(documents, lambda console: console.print(_listed(documents) if documents else "No hold."))


def _listed(documents: Sequence[dict[str, object]]) -> Table:
    from crm_compliance.cli.terminal.tables import table_of

    rows = []
    for document in documents:
        state = str(document["state"])
        if document["review_overdue"]:
            state += ", review overdue"
        if not document["seen_in_crm"]:
            state += ", not in the CRM" if document["looked_up_at"] else ", not seen in the CRM"
        on = "person" if document["person"] else str(document["table"])
        hold = "flag of the CRM" if document["source"] == "crm" else str(document["hold"])
        rows.append((hold, str(document["type"]), on, state, str(document["ends_on"] or "none"), str(document["review_on"] or "")))
    return table_of(("Hold", "Type", "On", "State", "Last day", "Review on"), rows, wraps=3)


@holds.command("place")
def place(
    table: str = typer.Option("", "--table", metavar="T", help="The table of the row, by its logical name, e.g. cf_dossier."),
    row: str = typer.Option("", "--id", metavar="ID", help="The row in that table."),
    person: str = typer.Option("", "--person", metavar="CONTACT", help="Everything of this person, instead of --table and --id."),
    where: list[str] = typer.Option(
        [],
        "--where",
        metavar="FIELD=VALUE",
        help="Instead of --id: whatever meets this, now and later. A field named again takes any of its values; fields have to fit all.",
    ),
    type_: str = typer.Option(..., "--type", metavar="TYPE", help="legal, judicial, complaint, restriction or objection."),
    reason: str = typer.Option(
        ..., "--reason", metavar="CODE", help="A code without spaces and names; ERASURE_REFUSED for a complaint about just that."
    ),
    basis: str = typer.Option(..., "--basis", metavar="TEXT", help="The legal basis; no personal data."),
    obtained_by: list[str] = typer.Option(
        [],
        "--obtained-by",
        metavar="CONTACT",
        help="Who obtained a restriction, or objects, contact by contact. Their own granted erasure passes the hold.",
    ),
    ends_on: str = typer.Option("", "--ends-on", metavar="DATE", help="The last day; without it the hold lasts until it is released."),
    review_on: str = typer.Option(..., "--review-on", metavar="DATE", help="When a person looks again, within 12 months."),
    unseen: bool = typer.Option(
        False, "--unseen", help="Place it even if the CRM does not answer; nobody has then seen the row, and a mistyped id keeps nothing."
    ),
    as_: str = AS,
    role: str = role_for(Act.PLACE_HOLD),
) -> None:
    """Place a hold; it takes effect at once, also on a run that is under way.

    Example: crm-compliance holds place --table cf_dossier --id 00000000-0000-0000-0000-000000000001 --type
    judicial --reason REQ-1
    --basis "letter of the prosecutor" --review-on 2026-11-25 --as dora --role dpo
    """
    from connectors.interface.errors import ConnectorError
    from crm_compliance.identity.signin import person as signed_in
    from jobs.holds.place import Wanted, place_hold, without_categories

    wanted = Wanted(
        type=_type(type_),
        table=table,
        row=arguments.row_id(row) if row else "",
        person=arguments.row_id(person) if person else "",
        where=tuple(where),
        reason_code=reason,
        basis=basis,
        obtained_by=tuple(arguments.row_id(contact) for contact in obtained_by),
        ends_on=_day(ends_on, "--ends-on"),
        review_on=arguments.day(review_on, "--review-on"),
        even_unseen=unseen,
    )
    someone = signed_in(arguments.settings(), as_, role)
    try:
        with arguments.opened(asks_crm=not unseen) as desk:
            placed = place_hold(desk.context, wanted, someone.who, someone.role)
            silent = without_categories(desk.context.connector, placed)
            day = desk.context.today
    except ConnectorError:
        if not unseen:
            output.note("nothing was placed; with --unseen it is placed at once, and its row is looked up when the CRM answers again")
        raise
    if placed.is_unseen:
        output.warn(f"{placed.id} was not seen in the CRM, which does not answer: the next plan looks its id up")
    if silent:
        told = "rows have no category of their own: each is held by those of its dossier, and where nothing says any in doubt"
        output.warn(f"{', '.join(silent)}: {told}")
    _answer(placed, day)


@holds.command("release")
def release(
    hold: str = typer.Argument(..., metavar="HOLD"),
    asked_by: str = typer.Option(..., "--asked-by", metavar="WHO", help="Who asks for the release; an account name."),
    reason: str = typer.Option(..., "--reason", metavar="TEXT", help="Why; no personal data."),
    notified_on: str = typer.Option("", "--notified-on", metavar="DATE", help="When the person was told that a restriction is lifted."),
    as_: str = AS,
    role: str = role_for(Act.RELEASE_HOLD, ", neither the one who placed it nor the one who asks."),
) -> None:
    """Release a hold; what has expired meanwhile goes in the next run.

    Example: crm-compliance holds release hold-0123 --asked-by carl --as erik --role approver --reason "case
    closed"
    """
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.holds.release import release_hold

    settings = arguments.settings()
    told_on = _day(notified_on, "--notified-on")
    someone = person(settings, as_, role)
    with arguments.opened_store(settings) as (store, clock):
        now, calendar = clock(), calendar_of(settings, store)
        released = release_hold(
            store,
            hold,
            who=someone.who,
            role=someone.role,
            asked_by=someone.who if someone.is_called(asked_by) else asked_by,
            reason=reason,
            notified_on=told_on,
            now=now,
            calendar=calendar,
            reference=register_key(settings).reference,
        )
    _answer(released, calendar.day(now))


def _answer(hold: PlacedHold, day: date) -> None:
    from crm_compliance.reports.holds import hold_document

    document = hold_document(hold, day)
    output.answer(
        document,
        lambda console: console.print(f"{hold.id} is {document['state']}; review on {hold.review_on.isoformat()}"),
        ids=("hold", hold.id),
    )


def _type(text: str) -> HoldType:
    from rules.holds.placements import PLACEABLE, HoldType

    if text not in {kind.value for kind in HoldType}:
        raise UsageError(f"there is no hold of type {text[:40]}", hint=f"one of: {', '.join(PLACEABLE)}", where="--type")
    return HoldType(text)


def _day(text: str, option: str) -> date | None:

    return arguments.day(text, option) if text else None
