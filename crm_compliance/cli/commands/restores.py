"""replay, erased: what had been erased and is back, or is about to be imported again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from rules.errors import FAILURES, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from crm_compliance.wiring.desk import Desk
    from jobs.model.run import Run
    from jobs.ports.context import JobContext
    from jobs.restores.lost_places import LostPlaces

REFUSED = 5
SHOWN = 20  # lines that are named one by one; --json has them all

erased = typer.Typer(help="The register of erasures: check a file before it is imported.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("replay")(replay)
    app.command("recover")(recover)
    app.add_typer(erased, name="erased")


def replay(
    dry_run: bool = typer.Option(False, "--dry-run", help="Store the plan of it and say what would go; nothing is written to the CRM."),
) -> int:
    """After a restore of the CRM: erase again what had been erased and is back. Holds win; the schedule is
    not asked again. Where the database was lost, what the register beside it knows as begun is finished
    first, as `recover` does (ERA-13).

    Example: crm-compliance replay --dry-run
    """
    from crm_compliance.keys.store_and_keys import StoreLost
    from jobs.restores.recover import recover as recover_all
    from jobs.restores.replay import replay as replay_all

    try:
        with arguments.opened(for_a_run=True) as desk:
            if dry_run:
                return _plan(desk.context)
            run = replay_all(desk.context)
    except StoreLost as lost:
        if dry_run:
            raise
        output.warn(f"{lost}; it is taken as it is, and the ledger says so")
        with _recovering() as (desk, _):
            places = recover_all(desk.context).places
            run = replay_all(desk.context)
        if places.is_open:
            output.warn("what lost runs left in other places of the CRM is not all cleaned; the next night goes on: crm-compliance recover")
    return _tell(run)


@contextmanager
def _recovering() -> Iterator[tuple[Desk, Path | None]]:
    """Yield the desk with the database as it is, and beside it the place to which the checkpoint log of
    the lost ledger was put aside."""
    from crm_compliance.keys.checkpoint_log import put_aside
    from crm_compliance.wiring.desk import desk

    settings = arguments.settings()
    with output.progress() as progress, desk(settings, progress=progress, warn=output.warn, recovering=True) as opened:
        checkpoints = opened.context.store.checkpoints.all()
        yield opened, put_aside(settings.checkpoint_log_path, checkpoints) if settings.anchor_file is None else None


def recover() -> int:
    """After the database was lost, or put back to an older day: take it as it is, and finish what the
    register of erasures beside it knows as begun. Exit 5 with the plan's id where so much has to go that two
    people approve it first.

    Example: crm-compliance recover
    """
    from msgspec import to_builtins

    from crm_compliance.reports.run import print_run
    from jobs.model.run import RunState, run_document
    from jobs.restores.recover import recover as recover_all

    with _recovering() as (opened, aside):
        recovered = recover_all(opened.context)
    run, places = recovered.run, recovered.places
    document: dict[str, object] = {"recovered": True, "anchor": str(aside) if aside is not None else None, "places": to_builtins(places)}
    document |= {"unfinished": len(recovered.left), "unfinished_units": [{"table": table, "id": row} for table, row in recovered.left]}
    document["run"] = run_document(run) if run is not None else None

    def tell(console: Console) -> None:
        print_line("The database is taken as it is; the ledger says so.")
        if aside is not None:
            print_line(f"the external checkpoint log of the ledger that was lost is now {aside}: keep it for the auditors")
        _tell_places(places)
        if recovered.left:
            print_line(
                f"{len(recovered.left)} units have lost a part, and are changed since or under a hold: the next plan judges what is left of"
            )
            for table, row in recovered.left:
                print_line(f"  {table} {row}")
        if run is None:
            print_line("Nothing that had been begun is left to do.")
        else:
            print_run(run_document(run), console)

    output.answer(document, tell, ids=("run", run.id) if run is not None else None)
    has_failed = run is not None and run.state is RunState.DONE_WITH_FAILURES
    return FAILURES if has_failed or places.is_open or recovered.left else 0


def _tell_places(places: LostPlaces) -> None:
    print_line(
        f"Other places of the CRM: something was left of {places.rows} rows that lost runs had written; {places.cleaned} are cleaned."
    )
    for place, number in places.left.items():
        print_line(f"{place}: of {number} rows something is still there; the next night goes on")
    if places.held:
        print_line(f"{places.held} rows are under a hold, or may be: what is left of them stays until it has ended")
    for place in places.not_reachable:
        print_line(f"{place}: nobody could look there, so that what lost runs left in it, if anything, stays")
    if places.uncertified:
        print_line(f"{places.uncertified} rows were erased of which the database has no journal: no certificate can be had of them")


def _plan(context: JobContext) -> int:
    from crm_compliance.reports.documents import plan_document
    from jobs.restores.replay_plan import plan_replay

    plan = plan_replay(context)
    assert plan is not None
    document = plan_document(plan, context.clock()) | {"replayed": 0}
    again = sum(plan.dispose.values()) + plan.to_trim

    def tell(console: Console) -> None:
        kept = "".join(f", {number} stay ({reason})" for reason, number in plan.retain.items())
        console.print(f"{again} units and people that had been erased are back and would go again{kept}.")
        for warning in plan.warnings:
            console.print(f"Look at this: {warning}.")
        if plan.needed:
            console.print(f"The plan needs approval first: crm-compliance plans show {plan.id}")

    output.answer(document, tell, ids=("plan", plan.id))
    return 0


def _tell(run: Run) -> int:
    from crm_compliance.reports.run import print_run
    from jobs.model.run import RunState, run_document

    document = run_document(run)
    document["replayed"] = sum(number for name in ("deleted", "anonymised", "trimmed") if isinstance(number := document[name], int))

    def tell(console: Console) -> None:
        console.print(f"{document['replayed']} units and people that had been erased were back and are gone again.")
        print_run(document, console)

    output.answer(document, tell, ids=("run", run.id))
    return FAILURES if run.state is RunState.DONE_WITH_FAILURES else 0


@erased.command("check")
def check(file: str = typer.Argument(..., metavar="F", help="JSON Lines or CSV with table and id; - is standard input.")) -> int:
    """Show which lines of a file would bring an erased row back, before it is imported; exit 5 where there
    are some.

    Example: crm-compliance erased check contacts.csv
    """
    from crm_compliance.wiring.store import erased_before
    from jobs.erasures.import_check import incoming_rows, look_through

    with _opened(file) as lines, erased_before(arguments.settings(), output.warn) as (register, references):
        found = look_through(incoming_rows(lines, "-" if file == "-" else Path(file).name), register, references)
    document = {
        "ok": not found.erased,
        "rows": found.rows,
        "erased": [{"line": line, "table": table} for line, table in found.erased],
        "other_tables": found.other_tables,
    }

    def tell(console: Console) -> None:
        if not found.erased:
            console.print(f"None of {found.rows} rows had been erased.")
        else:
            console.print(f"{len(found.erased)} of {found.rows} rows had been erased and must not be imported:")
        for line, table in found.erased[:SHOWN]:
            print_line(f"line {line}: {table}")
        if len(found.erased) > SHOWN:
            print_line(f"and {len(found.erased) - SHOWN} more: --json lists them all")
        for table, number in found.other_tables.items():
            print_line(f"{number} rows of {table}: nothing of this table was ever erased")

    output.answer(document, tell)
    return REFUSED if found.erased else 0


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = Path(file).open("rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", hint="name a file, or - for standard input", where=file) from None
    with opened:
        yield opened
