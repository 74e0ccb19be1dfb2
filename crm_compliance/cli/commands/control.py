"""stop, resume, quarantine: what a person does to keep the service from acting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.cli.terminal.people import AS, role_for
from rules.model.roles import Act

if TYPE_CHECKING:
    from rules.retention.quarantine import Mark

quarantine = typer.Typer(help="Units that wait between their plan and their disposal: list, undo.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("stop")(stop)
    app.command("resume")(resume)
    app.add_typer(quarantine, name="quarantine")


def stop() -> None:
    """Set the kill switch: every run ends after the current batch, and nothing is applied until it is lifted.
    Planning goes on.

    Example: crm-compliance stop
    """
    from crm_compliance.reports.parts.clock_times import clock_time
    from crm_compliance.wiring.schedule import calendar_of
    from jobs.checks import kill_switch
    from rules.dates.instants import instant

    settings = arguments.settings()
    with arguments.opened_store(settings) as (store, clock):
        since = kill_switch.stop(store, clock())
        at = clock_time(since, calendar_of(settings, store))
    output.answer(
        {"stopped": True, "since": instant(since)},
        lambda console: console.print(f"Stopped since {at}. To go on: crm-compliance resume"),
    )


def resume() -> None:
    """Lift the kill switch. A run that was stopped goes on where it was when its plan is applied again.

    Example: crm-compliance resume
    """
    from jobs.checks import kill_switch

    with arguments.opened_store(arguments.settings()) as (store, _):
        was_set = kill_switch.resume(store)
        unfinished = [run.plan for run in store.runs.unfinished()]
    told = "The kill switch is lifted." if was_set else "The kill switch was not set."
    told += "".join(f"\nInterrupted, to go on: crm-compliance apply {plan}" for plan in unfinished)
    output.answer({"stopped": False, "since": None}, lambda console: console.print(told))


@quarantine.command("list")
def list_() -> None:
    """The units in quarantine: since when, and the last day on which each stays.

    Example: crm-compliance quarantine list --json
    """
    settings = arguments.settings()
    with arguments.listed_store(settings) as (store, _):
        found = store.quarantine.marks()
        if found:  # the schedule is read only where there is something to hold against it
            from crm_compliance.wiring.schedule import policy_of
            from jobs.runs.quarantine import marks_of

            found = marks_of(store, policy_of(settings))
    lines = [f"{mark.table} {mark.id}: {mark.code}, stays until {mark.until.isoformat()}" for mark in found]
    output.answer([_document(mark) for mark in found], lambda _: print_line("\n".join(lines) or "Nothing is in quarantine."))


@quarantine.command("undo")
def undo(
    table: str = typer.Argument(..., metavar="TABLE"),
    row: str = typer.Argument(..., metavar="ID"),
    as_: str = AS,
    role: str = role_for(Act.KEEP_IN_QUARANTINE),
) -> None:
    """Keep a unit in quarantine as many days again; it is marked afresh afterwards. What has to stay for good
    is put under a hold.

    Example: crm-compliance quarantine undo cf_dossier 00000000-0000-0000-0000-000000000001 --as ben --role
    dpo
    """
    from crm_compliance.identity.signin import person
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import policy_of
    from jobs.runs import quarantine as jobs_quarantine

    settings = arguments.settings()
    wanted = arguments.row_id(row)
    someone = person(settings, as_, role)
    reference = register_key(settings).reference
    with arguments.opened_store(settings) as (store, clock):
        kept = jobs_quarantine.undo(store, policy_of(settings), table, wanted, someone.who, someone.role, now=clock(), reference=reference)
    output.answer(_document(kept), lambda console: console.print(f"It stays until {kept.until.isoformat()}, and is marked afresh then."))


def _document(mark: Mark) -> dict[str, object]:
    return {
        "table": mark.table,
        "id": mark.id,
        "state": mark.code,
        "since": mark.since.isoformat(),
        "until": mark.until.isoformat(),
        "told": mark.told,
    }
