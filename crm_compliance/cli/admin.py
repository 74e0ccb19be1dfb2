"""doctor, policy, serve, demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crm_compliance.cli.later import ANYTHING, not_yet
from crm_compliance.cli.output import output, print_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from crm_compliance.doctor import Check

policy = typer.Typer(help="The retention schedule: show, check.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
    app.add_typer(policy, name="policy")
    app.command("serve")(serve)
    app.command("demo")(demo)
    for name in ("diff", "simulate", "review"):
        policy.command(name, hidden=True, context_settings=ANYTHING)(not_yet(f"policy {name}"))


def doctor(
    read: str = typer.Option("", "--read", metavar="SET", help="Page one entity set to its end and count it."),
    role: Path | None = typer.Option(None, "--role", metavar="F.md", help="Write the least-privilege role for this CRM and its mapping."),
) -> int:
    """Check everything that a night depends on: CRM, token, privileges, mapping, policy, clock, store, keys, packages.

    Example: crm-compliance doctor
    """
    from crm_compliance.cli import given

    if read:
        return _read(read)
    if role is not None:
        return _role(role)
    from crm_compliance.doctor import examine

    checks = examine(given.settings())
    documents = [{"name": check.name, "ok": check.ok, "message": check.message, "hint": check.hint} for check in checks]
    ok = all(check.ok for check in checks)
    output.answer({"ok": ok, "checks": documents}, lambda console: console.print(_checked(checks)))
    if ok:
        return 0
    return next(check.exit_code for check in checks if not check.ok)


def _checked(checks: Sequence[Check]) -> Table:
    """What each check found; below a failed one, what to do."""
    from crm_compliance.cli.tables import table_of

    rows = [(check.name, "well" if check.ok else "FAILED", "\n".join(filter(None, (check.message, _advice(check))))) for check in checks]
    return table_of(("Check", "", "Found"), rows, wraps=2)


def _advice(check: Check) -> str:
    return "" if check.ok or not check.hint else f"hint: {check.hint}"


def _role(path: Path) -> int:
    from crm_compliance.cli import given
    from crm_compliance.files import write_whole
    from crm_compliance.reports.role import role_page
    from crm_compliance.wiring import connector_of
    from jobs.needs import NEEDS

    with connector_of(given.settings()) as connector:
        lines = connector.least_role(NEEDS)
    with write_whole(path, text=True) as out:
        out.write(role_page(lines))
    output.answer({"role": [asdict(line) for line in lines], "files": [str(path)]}, lambda console: print_line(f"written: {path}"))
    return 0


def _read(name: str) -> int:
    from crm_compliance.cli import given
    from crm_compliance.cli.tables import facts_of
    from crm_compliance.wiring import connector_of

    with connector_of(given.settings(), any_odata=True) as connector:
        found = connector.read_set(name)
    document = {
        "set": name,
        "rows": found.rows,
        "ids_sha256": found.ids_sha256,
        "pages": found.pages,
        "requests": found.requests,
        "retries": found.retries,
        "throttled": found.throttled,
    }
    output.answer(document, lambda console: console.print(facts_of(document)))
    return 0


@policy.command("show")
def show(path: Path | None = typer.Option(None, "--output", metavar="F.yaml", help="Write the policy's text to a file.")) -> None:
    """Show the retention schedule in force, or write its text to a file that can be changed and passed by CRM_COMPLIANCE_POLICY.

    Example: crm-compliance policy show --output policy.yaml
    """
    from crm_compliance.cli import given
    from crm_compliance.files import write_whole
    from crm_compliance.wiring import policy_text
    from rules.loader import load_policy
    from rules.policy_docs import describe

    text, source = policy_text(given.settings())
    found = load_policy(text, source=source)
    if path is not None:
        given.target(path)
        with write_whole(path) as out:
            out.write(text.encode())
    rows = [asdict(row) for row in describe(found)]
    document = {
        "name": found.name,
        "version": found.version,
        "valid_from": found.valid_from.isoformat(),
        "digest": found.digest,
        "source": source,
        "categories": rows,
        "files": [str(path)] if path is not None else [],
    }

    def tell(console: Console) -> None:
        console.print(f"{found.name} {found.version}, valid from {found.valid_from} on; {source}", markup=False)
        _schedule(console, "In force", [row for row in rows if row["enabled"]])
        _schedule(console, "Off: units are kept until the controller has decided", [row for row in rows if not row["enabled"]])
        if path is not None:
            print_line(f"written: {path}")

    output.answer(document, tell)


def _schedule(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """One row of the schedule in two lines: what people call it and what a file calls it; how long, from when; what happens then."""
    from crm_compliance.cli.tables import table_of
    from crm_compliance.reports.sentences import anchor_name

    if not rows:
        return
    console.print(f"\n{title}", style="bold", markup=False)
    cells = []
    for row in rows:
        anchors = ", else ".join(map(anchor_name, row["anchor"].split(", else ")))
        period = f"{row['period']}\nfrom {anchors}" if anchors else row["period"]
        cells.append((f"{row['label']}\n{row['key']}", period, row["disposition"]))
    console.print(table_of(("Category", "Period", "Then"), cells, wraps=1))


@policy.command("check")
def check(path: Path | None = typer.Argument(None, metavar="[F]", help="A policy file; without, the one in force.")) -> None:
    """Check a retention schedule; every error is told with file and line (exit 3).

    Example: crm-compliance policy check policy.yaml
    """
    from crm_compliance.cli import given
    from crm_compliance.wiring import policy_text, text_of
    from rules.loader import load_policy

    text, source = (text_of(path, "policy"), str(path)) if path is not None else policy_text(given.settings())
    found = load_policy(text, source=source)
    enabled = sum(1 for category in found.categories.values() if category.enabled)
    document = {
        "ok": True,
        "name": found.name,
        "version": found.version,
        "digest": found.digest,
        "categories": len(found.categories),
        "enabled": enabled,
    }
    output.answer(
        document,
        lambda console: console.print(
            f"{source} is in order: {enabled} categories in force, {len(found.categories) - enabled} off", markup=False
        ),
    )


def serve(port: int = typer.Option(8080, min=0, max=65535, help="For the console, which this version does not have yet.")) -> None:
    """Run the scheduler until interrupted: recordings and retention every night, Brussels time.

    Example: crm-compliance serve
    """
    import signal
    import sys
    import threading

    from crm_compliance.cli import given
    from crm_compliance.logs import configure
    from crm_compliance.scheduler import serve as serve_jobs

    settings = given.settings()
    configure(sys.stderr, level=settings.log_level, terminal=sys.stderr.isatty())
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    serve_jobs(settings, stop, announce=lambda line: print_line(line, error=True))


def demo(
    folder: Path = typer.Option(
        Path("demo-data"), "--folder", metavar="DIR", help="Where everything of the demo lies; made anew each time."
    ),
    dossiers: int = typer.Option(200, min=1, help="Dossiers of the fictitious organisation."),
) -> int:
    """One whole night on the emulator with a fictitious organisation: plan, report, approve, apply, verify, ledger.

    Example: crm-compliance demo
    """
    from crm_compliance.demo import run_demo

    return run_demo(folder, dossiers)
