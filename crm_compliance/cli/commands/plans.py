"""plan, plans: making a plan, looking at it, approving or rejecting it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.help_list import listing
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.cli.terminal.people import AS, role_for
from crm_compliance.host.files import write_whole
from rules.errors import UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from crm_compliance.configuration.settings import Settings
    from jobs.model.plan import Plan
    from jobs.plans.lines.columns import LineColumns
    from jobs.ports.store.store import Store
    from rules.dates.calendar import Calendar


def _formats() -> Iterator[tuple[str, str]]:
    from crm_compliance.reports.plan.formats import FORMATS

    return ((suffix, each.purpose) for suffix, each in FORMATS.items())


_WITH_FORMATS = listing("Formats of --output", _formats)
plans = typer.Typer(help="Stored plans: list, show, compare, approve, reject.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("plan", cls=_WITH_FORMATS)(plan)
    app.add_typer(plans, name="plans")


def plan(
    kind: str = typer.Option("all", metavar="KIND", help="retention (dossiers, fiches, contacts), recordings, or all."),
    as_of: str | None = typer.Option(None, metavar="DATE", help="Look at another day or instant; such a plan can never be applied."),
    as_: str | None = typer.Option(None, "--as", metavar="WHO", help="Who proposes the plan; that person cannot approve it."),
    outputs: list[Path] = typer.Option([], "--output", metavar="FILE", help="Write the plan as its ending says; repeatable."),
) -> None:
    """Decide on every unit and store the plan; nothing is written to the CRM.

    Example: crm-compliance plan --kind retention --output plan.html
    """
    from crm_compliance.identity.signin import proposer
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.plan.formats import FORMATS
    from jobs.model.plan import Kind
    from jobs.plans.make import make_plan
    from jobs.restores.detect import warning_of_rows_back

    if kind not in {member.value for member in Kind if member not in (Kind.REPLAY, Kind.REQUEST)}:  # made by `replay`, and by a release
        raise UsageError(f"--kind is retention, recordings or all, not {kind[:40]}")
    moment = arguments.instant(as_of, "--as-of", arguments.settings()) if as_of is not None else None
    for path in outputs:
        ending_of(path, FORMATS)
        arguments.target(path)
    who = proposer(arguments.settings(), as_)
    with arguments.opened() as desk:
        warning = warning_of_rows_back(desk.context)
        if warning is not None:
            output.warn(f"{warning}: crm-compliance replay")
        made = make_plan(desk.context, Kind(kind), as_of=moment, proposer=who, warning=warning)
        show(desk.settings, desk.context.store, made, outputs, is_new=True)


@plans.command("list")
def list_(
    limit: int | None = typer.Option(None, "--limit", metavar="N", min=1, help="At most so many, the newest; without, all."),
    since: str | None = typer.Option(None, "--since", metavar="DATE", help="Those that were made on this day or later."),
) -> None:
    """All stored plans, newest first.

    Example: crm-compliance plans list --since 2026-11-01 --json
    """
    from crm_compliance.wiring.schedule import clock_shown
    from jobs.checks.same_zone import zone_of

    settings = arguments.settings()
    with arguments.listed_store(settings) as (store, clock):
        calendar = partial(clock_shown, settings, zone_of(store))
        now, found = clock(), arguments.newest(store.plans.newest(), lambda plan: plan.created_at, limit, since, calendar)
        documents = list(_documents(settings, store, found, now))
    none = "No plan since then." if since else "No plan yet."
    output.answer(documents, lambda console: console.print(_listed(found, documents, calendar()) if found else none))


def _documents(
    settings: Settings, store: Store, found: Sequence[Plan], now: datetime, files: Sequence[str] = ()
) -> Iterator[dict[str, object]]:
    """Yield what is answered of stored plans."""
    from crm_compliance.reports.documents import plan_document
    from crm_compliance.wiring.mapping import rules_in_force
    from jobs.inbox.of_no_use import why_of_no_use

    rules = rules_in_force(settings)
    for plan in found:
        yield plan_document(plan, now, files=files, state=True, of_no_use=why_of_no_use(store, plan, now, rules))


def _listed(found: Sequence[Plan], documents: Sequence[dict[str, object]], calendar: Calendar) -> Table:
    from crm_compliance.cli.terminal.tables import table_of

    rows = [
        (
            plan.id,
            plan.kind.value,
            "of no use" if document["of_no_use"] else str(document["state"]),
            f"{calendar.clock(plan.valid_until):%Y-%m-%d %H:%M}",
            *(str(plan.dispose.get(disposition, 0)) for disposition in ("delete", "anonymise")),
        )
        for plan, document in zip(found, documents, strict=True)
    ]
    return table_of(("Plan", "Kind", "State", "Valid until", "Delete", "Anonym."), rows, numbers=2)


@plans.command("show", cls=_WITH_FORMATS)
def show_(
    plan: str = typer.Argument(..., metavar="PLAN"),
    outputs: list[Path] = typer.Option([], "--output", metavar="FILE", help="Write the plan as its ending says; repeatable."),
) -> None:
    """One stored plan.

    Example: crm-compliance plans show plan-0123 --output plan.html
    """
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.plan.formats import FORMATS

    for path in outputs:
        ending_of(path, FORMATS)
        arguments.target(path)
    settings = arguments.settings()
    with arguments.opened_store(settings) as (store, _):
        show(settings, store, store.plans.get(plan), outputs, state=True)


@plans.command("diff")
def diff(
    before: str = typer.Argument(..., metavar="A", help="The older plan."),
    after: str = typer.Argument(..., metavar="B", help="The newer plan."),
    path: Path | None = typer.Option(None, "--output", metavar="F", help="Write every change as .csv, .xlsx or .html."),
    language: str = typer.Option("", metavar="LANGUAGE", help="Of headings and reasons in the file: nl, fr, de or en."),
) -> None:
    """What two stored plans say differently, unit by unit, and why. A new version of a row or of the schedule
    is no difference as long as nothing else follows from it.

    Example: crm-compliance plans diff plan-0123 plan-0456 --output changes.xlsx --language nl
    """
    from crm_compliance.console.language.line_words import line_words
    from crm_compliance.console.language.own_words import own_words_of
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.plan.changes import FORMATS, Difference, difference_document, print_difference, write_difference
    from crm_compliance.wiring.mapping import app_url_of, link_of
    from jobs.plans.lines.compare import compare
    from jobs.plans.lines.view import LinesView
    from rules.model.languages import UI_LANGUAGES

    spoken = arguments.language(language)
    if path is not None:
        ending_of(path, FORMATS)
        arguments.target(path)
    settings = arguments.settings()
    with arguments.opened_store(settings) as (store, clock):
        found = compare(*(LinesView.of(store, plan) for plan in (before, after)))
    words = line_words(spoken, str, own_words_of(settings)) if spoken is not None and spoken in UI_LANGUAGES else None
    difference = Difference(found, link_of(found.after.plan.crm, app_url_of(settings)), clock(), spoken, words)
    if path is not None:
        with write_whole(path) as out:
            write_difference(path.suffix.lower(), difference, out)

    def tell(console: Console) -> None:
        print_difference(difference, console)
        if path is not None:
            print_line(f"written: {path}")

    document = difference_document(found) if output.json else {}
    output.answer(document | {"files": [str(path)] if path is not None else []}, tell)


@plans.command("approve")
def approve(
    plan: str = typer.Argument(..., metavar="PLAN"),
    as_: str = AS,
    role: str = role_for(Act.APPROVE_PLAN, ": one of each, two people."),
    comment: str = typer.Option("", "--comment", metavar="TEXT", help="No personal data."),
) -> None:
    """Approve a plan that waits for two people.

    Example: crm-compliance plans approve plan-0123 --as anna --role crm_admin
    """
    _say(plan, as_, role, comment, approves=True)


@plans.command("reject")
def reject(
    plan: str = typer.Argument(..., metavar="PLAN"),
    as_: str = AS,
    role: str = role_for(Act.APPROVE_PLAN),
    comment: str = typer.Option(..., "--comment", metavar="TEXT", help="Why; no personal data."),
) -> None:
    """Reject a plan for good.

    Example: crm-compliance plans reject plan-0123 --as ben --role dpo --comment "wrong categories"
    """
    _say(plan, as_, role, comment, approves=False)


def _say(plan: str, who: str, role: str, comment: str, *, approves: bool) -> None:
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.say_on_plan import say_on_plan

    settings = arguments.settings()
    signed_in = person(settings, who, role)
    with arguments.opened_store(settings) as (store, clock):
        after = say_on_plan(settings, store, clock, plan, signed_in.who, signed_in.role, comment, approves=approves)
        now = clock()
        (document,) = _documents(settings, store, [after], now)
    output.answer(
        document,
        lambda console: console.print(f"{after.id} is {after.state(now).value}"),
        ids=("plan", after.id),
    )


def show(settings: Settings, store: Store, plan: Plan, outputs: list[Path], *, state: bool = False, is_new: bool = False) -> None:
    """Write the files and answer with the plan; with a new one also with what it says differently than the
    last of its kind."""
    from crm_compliance.cli.terminal.report_files import labels_of, unit_names, write_files
    from crm_compliance.reports.documents import plan_document
    from crm_compliance.reports.plan.changes import print_since, since_document
    from crm_compliance.reports.plan.formats import Source
    from crm_compliance.reports.plan.terminal import print_plan
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.mapping import app_url_of, link_of
    from crm_compliance.wiring.schedule import calendar_of, policy_of
    from jobs.plans.lines.pages import parts_of
    from jobs.plans.lines.previous_plan import since_previous

    now = clock_of(settings)()
    labels, link = labels_of(policy_of(settings)), link_of(plan.crm, app_url_of(settings))
    names = [str(path) for path in outputs]
    document = next(_documents(settings, store, [plan], now, names)) if state else plan_document(plan, now, files=names)
    changes = since_previous(store, plan) if is_new else None
    if is_new:
        document["since"] = since_document(changes) if changes is not None else None

    def parts() -> Iterable[LineColumns]:
        """Return the lines; where they were compared they are there already."""
        return parts_of(store.plans.pages(plan.id)) if changes is None else [changes.after.columns]

    source = Source(document, plan, parts, now, labels, link, calendar_of(settings, store), unit_names(settings))
    write_files(outputs, source)

    def tell(console: Console) -> None:
        print_plan(source.report(), console)
        if changes is not None:
            print_since(changes, console)
        for path in outputs:
            print_line(f"written: {path}")

    output.answer(document, tell, ids=("plan", plan.id))
