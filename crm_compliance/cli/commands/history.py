"""history, ledger: what was done, and that the record of it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import write_whole
from rules.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.ledger.verification import Audit
    from rules.dates.calendar import Calendar

BROKEN = 7
LOOKED_AT = 10  # lines of a file in which an entry has to be
history = typer.Typer(help="Runs that were carried out, and the ledger's export.", no_args_is_help=True)
ledger = typer.Typer(help="The tamper-evident history.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(history, name="history")
    app.add_typer(ledger, name="ledger")


@history.command("list")
def list_(
    limit: int | None = typer.Option(None, "--limit", metavar="N", min=1, help="At most so many, the newest; without, all."),
    since: str | None = typer.Option(None, "--since", metavar="DATE", help="Those that were started on this day or later."),
) -> None:
    """All runs, newest first; one that was killed or cut off, and that nobody works on, is `interrupted`.

    Example: crm-compliance history list --limit 10
    """
    from crm_compliance.reports.documents import history_line, maintenance_line, newest_first
    from crm_compliance.wiring.schedule import clock_shown
    from jobs.checks.same_zone import zone_of
    from jobs.ledger.maintenance_runs import MaintenanceRun
    from jobs.runs.run_states import maintenance_and_state, run_and_state

    settings = arguments.settings()
    with arguments.listed_store(settings) as (store, _):
        calendar = partial(clock_shown, settings, zone_of(store))
        made = newest_first(store.runs.newest(), store.runs.newest_maintenance())
        found = arguments.newest(made, lambda run: run.started_at, limit, since, calendar)
        documents = [
            maintenance_line(*maintenance_and_state(store, run))
            if isinstance(run, MaintenanceRun)
            else history_line(*run_and_state(store, run))
            for run in found
        ]
    output.answer(
        documents,
        lambda console: console.print("No run since then.") if since and not documents else _print(documents, console, calendar()),
    )


def _print(documents: Sequence[dict[str, object]], console: Console, calendar: Calendar) -> None:
    from crm_compliance.reports.run import print_history

    print_history(documents, console, calendar)


@history.command("show")
def show(run: str = typer.Argument(..., metavar="RUN")) -> None:
    """One run with its outcomes, which add up to the units read, and the approvals of its plan.

    Example: crm-compliance history show run-0123
    """
    from crm_compliance.reports.documents import history_document, maintenance_line
    from crm_compliance.reports.run import print_history_run
    from crm_compliance.wiring.schedule import clock_shown
    from jobs.checks.same_zone import zone_of
    from jobs.runs.run_states import maintenance_and_state, run_and_state

    settings = arguments.settings()
    with arguments.opened_store(settings) as (store, _):
        calendar = partial(clock_shown, settings, zone_of(store))
        made = next((one for one in store.runs.maintenance() if one.id == run), None)
        if made is not None:
            document = maintenance_line(*maintenance_and_state(store, made)) | {"outcomes": {}, "approvals": []}
        else:
            found, state = run_and_state(store, store.runs.get(run))
            store.journal.check()
            document = history_document(found, state, store.plans.get(found.plan), store.journal.of_run(run))
    output.answer(document, lambda console: print_history_run(document, console, calendar()), ids=("run", run))


@history.command("export")
def export(path: Path = typer.Option(..., "--output", metavar="FILE", help="JSON Lines, one ledger entry a line.")) -> None:
    """Write the whole ledger to a file that anybody can verify.

    Example: crm-compliance history export --output ledger.jsonl
    """
    from crm_compliance.wiring.store import refuse_older
    from jobs.ledger.entries import StoreAltered, encode

    arguments.target(path, ".jsonl", ".json")
    settings, entries = arguments.settings(), 0
    with arguments.opened_store(settings) as (store, _), write_whole(path) as out:
        try:
            refuse_older(settings, store)
        except StoreAltered as altered:  # whoever looks for what happened needs it all the same
            output.warn(str(altered))
        for entry in store.ledger.entries():
            out.write(encode(entry))
            entries += 1
    output.answer({"file": str(path), "entries": entries}, lambda _: print_line(f"entries written to {path}: {entries}"))


@ledger.command("verify")
def verify(
    path: Path | None = typer.Argument(None, metavar="[F.jsonl]", help="An export; without, the ledger in the store."),
    anchor: Path | None = typer.Option(None, "--anchor", metavar="F", help="Checkpoints kept elsewhere; without, those of ANCHOR_FILE."),
    pem: Path | None = typer.Option(None, "--keys", metavar="PEM", help="Public keys; without, those of this installation."),
) -> int:
    """Recompute the chain from its first entry on, and hold it against checkpoints; exit 7 and what does not
    hold.

    Example: crm-compliance ledger verify ledger.jsonl --anchor anchor.jsonl --keys keys.pem
    """
    from crm_compliance.proof import audit_document
    from jobs.ledger.entries import LedgerBroken

    audit, signatures = _audit_store(anchor, pem) if path is None else _audit_file(path, anchor, pem)
    document = audit_document(audit, signatures)
    lines = [f"checkpoints that fit: {audit.checkpoints}; signatures: {signatures}"]
    lines += [f"entries: {audit.verdict.entries}, the chain holds; its head is", audit.verdict.head]
    output.answer(document, lambda _: print_line("\n".join(lines if audit.ok else map(str, audit.problems))))
    if audit.ok:
        return 0
    first = audit.problems[0]
    output.fail(LedgerBroken(str(first), hint=first.hint or "keep the files and tell the DPO", code=first.code))
    return BROKEN


def _audit_store(anchor: Path | None, pem: Path | None) -> tuple[Audit, str]:
    from crm_compliance.proof import verify_ledger
    from jobs.model.last_verification import Verifier

    settings = arguments.settings()
    keys = arguments.public_keys(pem) if pem is not None else None
    with arguments.opened_store(settings) as (store, clock):
        return verify_ledger(settings, store, clock, by=Verifier.COMMAND, anchor=anchor, keys=keys)


def _audit_file(path: Path, anchor: Path | None, pem: Path | None) -> tuple[Audit, str]:
    from crm_compliance.keys.checkpoint_log import read_checkpoint_log
    from jobs.ledger.entries import decode, looks_like_one
    from jobs.ledger.verification import audit_ledger

    keys = arguments.public_keys(pem) if anchor is not None else None
    points = read_checkpoint_log(anchor) if anchor is not None else []
    if anchor is not None and not points:
        told = "the external checkpoint log holds no checkpoint: there is nothing to hold the ledger against"
        raise UsageError(told, hint="name a copy that was kept, or leave --anchor out", where=str(anchor))
    if anchor is not None and keys is None:
        output.warn("there are no public keys here: what the checkpoints say is compared, who signed them is not")
    try:
        with path.open("rb") as lines:
            if (first := list(islice(lines, LOOKED_AT))) and not any(map(looks_like_one, first)):
                raise UsageError("this is not a ledger: its first lines are not entries", hint="history export writes one", where=str(path))
            audit = audit_ledger(decode(chain(first, lines)), points, check=keys.check if keys is not None else None)
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror or type(error).__name__}", where=str(path)) from None
    return audit, "checked" if keys is not None else "not checked" if points else "none to check"
