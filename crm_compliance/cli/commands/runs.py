"""apply, verify, run, why: carrying out a plan, reading back, explaining."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.help_list import listing
from crm_compliance.cli.terminal.output import output
from rules.errors import FAILURES, ComplianceError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.model.run import Run


def add_to(app: typer.Typer) -> None:
    app.command("apply")(apply)
    app.command("verify")(verify)
    app.command("run", cls=listing("Jobs", _jobs))(run)
    app.command("why")(why)


def apply(plan: str = typer.Argument(..., metavar="PLAN")) -> int:
    """Carry out a stored plan, verify it, and record it; applying again goes on where a run was interrupted.

    Example: crm-compliance apply plan-0123
    """
    from jobs.requests.decisions.carry_out import apply_by_hand

    with arguments.opened(for_a_run=True) as desk:
        before = desk.context.store.runs.of_plan(plan)
        done = apply_by_hand(desk.context, plan)
    code = tell(done)
    if before is None or not before.is_over:
        return code
    output.note("this plan had been carried out before; nothing was written now")
    return 0


def tell(run: Run) -> int:
    """Answer with a run and say how it ended."""
    from crm_compliance.reports.run import print_run
    from jobs.model.run import RunState, run_document

    document = run_document(run)
    output.answer(document, lambda console: print_run(document, console), ids=("run", run.id))
    return FAILURES if run.state is RunState.DONE_WITH_FAILURES else 0


def verify(run: str = typer.Argument(..., metavar="RUN")) -> int:
    """Read back that everything a run disposed of is gone or masked; exit 6 where it is not, or where the run
    has begun what it has not ended.

    Example: crm-compliance verify run-0123
    """
    from crm_compliance.reports.run import print_verify
    from jobs.runs.verify import verify_run

    with arguments.opened() as desk:
        document = verify_run(desk.context, run)
    output.answer(document, lambda console: print_verify(document, console), ids=("run", run))
    return FAILURES if document["still_there"] or document["unsettled"] else 0


def run(job: str = typer.Argument(..., metavar="JOB", help="Its name.")) -> int:
    """Do one job at once, as the scheduler does every night; exit 5 where its plan needs approval first.

    Example: crm-compliance run recordings
    """
    from connectors.interface.errors import ConnectorError
    from crm_compliance.alerts.pings import watched
    from crm_compliance.proof import verify_of_night
    from crm_compliance.reports.jobs import print_job
    from crm_compliance.service.one_job import carry_out, without_crm
    from jobs.registry import JOBS

    if job not in JOBS:
        raise UsageError(f"there is no job {job[:40]}", hint=f"one of: {', '.join(JOBS)}")
    settings = arguments.settings()
    output.log(settings)
    with watched(settings, job) as under_watch:
        try:
            with arguments.opened(for_a_run=True) as desk:
                done = carry_out(desk, JOBS[job], output.warn)
        except ComplianceError as error:
            if isinstance(error, ConnectorError):
                without_crm(settings, JOBS[job], error)
            verify_of_night(settings, JOBS[job])
            raise
        for warning in done.warnings:
            output.warn(warning)
        output.answer(done.document, lambda console: print_job(job, done.document, console), ids=("run", done.id))
        verify_of_night(settings, JOBS[job])
        under_watch.is_good = not done.has_failures
    return FAILURES if done.has_failures else 0


def _jobs() -> Iterator[tuple[str, str]]:
    from jobs.registry import JOBS

    return ((job.name, f"{job.purpose} ({job.hour}, {job.setting.upper()})") for job in JOBS.values())


def why(table: str = typer.Argument(..., metavar="TABLE"), row: str = typer.Argument(..., metavar="ID")) -> None:
    """Show what would become of one unit now, step by step; a fiche of a dossier answers for its dossier.

    Only a plan reads all contacts, so it alone tells POSSIBLE_DUPLICATE where two of them have one register
    number.

    Example: crm-compliance why cf_dossier 00000000-0000-0000-0000-000000000001
    """
    import msgspec

    from jobs.plans.category_names import names_of
    from jobs.plans.questions.explain import explain_unit

    wanted = arguments.row_id(row)
    with arguments.opened() as desk:
        line, steps = explain_unit(desk.context, table, wanted)
        called = names_of(desk.context, line.categories)
    shown = msgspec.to_builtins(line)
    trace = [{"rule": step.rule, "inputs": step.inputs, "result": step.result} for step in steps]
    told = shown | {"trace": trace} | ({"called": called} if called else {})

    def show(console: Console) -> None:
        from crm_compliance.cli.terminal.report_files import unit_names
        from crm_compliance.console.language.own_words import own_words_of
        from crm_compliance.reports.why import print_why

        own = partial(own_words_of(desk.settings).reworded, "en")
        print_why(shown, steps, console, called, named=unit_names(desk.settings), own=own)

    output.answer(told, show)
