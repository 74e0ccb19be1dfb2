"""history, ledger: what was done, and that the record of it is whole."""

from __future__ import annotations

from pathlib import Path

import typer

from crm_compliance.cli.output import output, print_line

BROKEN = 7
history = typer.Typer(help="Runs that were carried out, and the ledger's export.", no_args_is_help=True)
ledger = typer.Typer(help="The tamper-evident history.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(history, name="history")
    app.add_typer(ledger, name="ledger")


@history.command("list")
def list_() -> None:
    """All runs, newest first.

    Example: crm-compliance history list
    """
    from crm_compliance.answers import history_line
    from crm_compliance.cli import given
    from crm_compliance.reports.run import print_history
    from crm_compliance.wiring import clock_of, store_of

    settings = given.settings()
    with store_of(settings, clock_of(settings)) as store:
        documents = [history_line(run) for run in store.runs()]
    output.answer(documents, lambda console: print_history(documents, console))


@history.command("show")
def show(run: str = typer.Argument(..., metavar="RUN")) -> None:
    """One run with its outcomes, which add up to the units read, and the approvals of its plan.

    Example: crm-compliance history show run-0123
    """
    from crm_compliance.answers import history_document
    from crm_compliance.cli import given
    from crm_compliance.reports.run import print_history_run
    from crm_compliance.wiring import clock_of, store_of

    settings = given.settings()
    with store_of(settings, clock_of(settings)) as store:
        found = store.run(run)
        document = history_document(found, store.plan(found.plan), store.journal(run))
    output.answer(document, lambda console: print_history_run(document, console), ids=("run", run))


@history.command("export")
def export(path: Path = typer.Option(..., "--output", metavar="FILE", help="JSON Lines, one ledger entry a line.")) -> None:
    """Write the whole ledger to a file that anybody can verify.

    Example: crm-compliance history export --output ledger.jsonl
    """
    from crm_compliance.cli import given
    from crm_compliance.files import write_whole
    from crm_compliance.wiring import clock_of, store_of
    from jobs.ledger import encode

    settings = given.settings()
    given.target(path)
    entries = 0
    with store_of(settings, clock_of(settings)) as store, write_whole(path) as out:
        for entry in store.ledger():
            out.write(encode(entry))
            entries += 1
    output.answer({"file": str(path), "entries": entries}, lambda _: print_line(f"{entries} entries written to {path}"))


@ledger.command("verify")
def verify(
    path: Path | None = typer.Argument(None, metavar="[FILE]", help="An export; without, the ledger in the store."),
    anchor: str = typer.Option("", "--anchor", metavar="FILE", help="Not there yet in this version."),
) -> int:
    """Recompute the chain from its first entry on; exit 7 and the first broken entry where it does not hold.

    Example: crm-compliance ledger verify ledger.jsonl
    """
    from crm_compliance.cli import given
    from crm_compliance.cli.later import refuse
    from crm_compliance.wiring import clock_of, store_of
    from jobs.ledger import LedgerBroken, decode, verify_chain
    from rules.errors import UsageError

    if anchor:
        raise refuse("ledger verify --anchor")
    if path is None:
        settings = given.settings()
        with store_of(settings, clock_of(settings)) as store:
            verdict = verify_chain(store.ledger())
    else:
        try:
            with path.open("rb") as lines:
                verdict = verify_chain(decode(lines))
        except OSError as error:
            raise UsageError(f"the file cannot be read: {error.strerror or type(error).__name__}", where=str(path)) from None
    document = {"ok": verdict.ok, "entries": verdict.entries, "head": verdict.head, "first_broken": verdict.first_broken}
    sentence = f"{verdict.entries} entries, the chain holds; its head is\n{verdict.head}"
    output.answer(document, lambda _: print_line(sentence if verdict.ok else f"entry {verdict.first_broken} does not fit the chain"))
    if not verdict.ok:
        output.fail(
            LedgerBroken(f"entry {verdict.first_broken} does not follow from the one before it", hint="keep the file and tell the DPO")
        )
        return BROKEN
    return 0
