"""apply, verify, run, why: carrying out a plan, reading back, explaining."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal.output import output
from rules.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.model.run import Run

FAILURES = 6  # done with failures


def add_to(app: typer.Typer) -> None:
    app.command("apply")(apply)
    app.command("verify")(verify)
    app.command("run")(run)
    app.command("why")(why)


def apply(plan: str = typer.Argument(..., metavar="PLAN")) -> int:
    """Carry out a stored plan, verify it, and record it; applying again goes on where a run was interrupted.

    Example: crm-compliance apply plan-0123
    """
    from crm_compliance.cli.terminal import arguments
    from jobs.runs.apply import apply_plan

    with arguments.opened(for_a_run=True) as desk:
        before = desk.context.store.run_of(plan)
        done = apply_plan(desk.context, plan)
    code = tell(done)
    if before is None or not before.is_over:
        return code
    output.note("this plan had been carried out before; nothing was written now")
    return 0


def tell(run: Run) -> int:
    """Answer with a run and say how it ended."""
    from crm_compliance.reports.documents import run_document
    from crm_compliance.reports.run import print_run
    from jobs.model.run import RunState

    document = run_document(run)
    output.answer(document, lambda console: print_run(document, console), ids=("run", run.id))
    return FAILURES if run.state is RunState.DONE_WITH_FAILURES else 0


def verify(run: str = typer.Argument(..., metavar="RUN")) -> int:
    """Read back that everything a run disposed of is gone or masked.

    Example: crm-compliance verify run-0123
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.reports.run import print_verify
    from jobs.nightly import verify_run

    with arguments.opened() as desk:
        document = verify_run(desk.context, run)
    output.answer(document, lambda console: print_verify(document, console), ids=("run", run))
    return FAILURES if document["still_there"] else 0


def run(job: str = typer.Argument(..., metavar="JOB", help="retention, recordings, requests or housekeeping.")) -> int:
    """Plan and apply at once, as the scheduler does every night; exit 5 where the plan needs approval first.
    Requests and housekeeping plan nothing.

    Example: crm-compliance run recordings
    """
    from crm_compliance.cli.terminal import arguments
    from jobs.registry import JOBS, ROUNDS

    if job in ROUNDS:
        return _round(job)
    if job not in JOBS:
        raise UsageError(f"there is no job {job[:40]}", hint=f"one of: {', '.join([*JOBS, *ROUNDS])}")
    with arguments.opened(for_a_run=True) as desk:
        done = JOBS[job].function(desk.context)
        warnings = desk.context.store.plan(done.plan).warnings
    for warning in warnings:
        output.warn(warning)
    return tell(done)


def _round(job: str) -> int:
    from connectors.interface import ConnectorError
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.reports.requests.register import print_round
    from crm_compliance.reports.upkeep import print_upkeep
    from crm_compliance.service import rounds
    from jobs.requests_round import RequestsRound

    try:
        with arguments.opened(for_a_run=True) as desk:
            made = rounds.make(desk, job)
    except ConnectorError as error:
        rounds.without_crm(arguments.settings(), job, error)
        raise

    def show(console: Console) -> None:
        if isinstance(made.done, RequestsRound):
            print_round(made.done, console)
        else:
            print_upkeep(made.done, made.document, console)

    output.answer(made.document, show, ids=("run", made.id))
    return FAILURES if made.failed else 0


def why(table: str = typer.Argument(..., metavar="TABLE"), row: str = typer.Argument(..., metavar="ID")) -> None:
    """Say what would become of one unit now, step by step; a fiche of a dossier answers for its dossier.

    Example: crm-compliance why cf_dossier 00000000-0000-0000-0000-000000000001
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.reports.why import print_why
    from jobs.plans.explain import explain_unit
    from jobs.plans.make import public_line

    wanted = arguments.row_id(row)
    with arguments.opened() as desk:
        line, steps = explain_unit(desk.context, table, wanted)
    shown = public_line(line)
    trace = [{"rule": step.rule, "inputs": step.inputs, "result": step.result} for step in steps]
    output.answer(shown | {"trace": trace}, lambda console: print_why(shown, steps, console))
