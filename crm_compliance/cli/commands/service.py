"""doctor, serve, demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import remove_left_aside, write_whole
from rules.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from crm_compliance.doctor.check import Check


def add_to(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
    app.command("serve")(serve)
    app.command("signout")(signout)
    app.command("demo")(demo)


def doctor(
    read: str | None = typer.Option(None, "--read", metavar="SET", help="Page one entity set to its end and count it."),
    role: Path | None = typer.Option(None, "--role", metavar="F.md", help="Write the least-privilege role for this CRM and its mapping."),
) -> int:
    """Check everything that a night depends on: CRM, token, privileges, mapping, policy, clock, store, keys,
    packages.

    Example: crm-compliance doctor
    """
    if read is not None and role is not None:
        raise UsageError("doctor takes --read or --role, not both", hint="crm-compliance doctor --help")
    if read is not None:
        return _read(read)
    if role is not None:
        return _role(role)
    from crm_compliance.doctor.examine import examine

    checks = examine(arguments.settings(), output.warn)
    documents = [{"name": check.name, "ok": check.ok, "message": check.message, "hint": check.hint} for check in checks]
    ok = all(check.ok for check in checks)
    output.answer({"ok": ok, "checks": documents}, lambda console: console.print(_checked(checks)))
    if ok:
        return 0
    return next(check.exit_code for check in checks if not check.ok)


def _checked(checks: Sequence[Check]) -> Table:
    """Return a table of what each check found; below a failed one, what to do."""
    from crm_compliance.cli.terminal.tables import table_of

    rows = [(check.name, "ok" if check.ok else "FAILED", "\n".join(filter(None, (check.message, _advice(check))))) for check in checks]
    return table_of(("Check", "", "Found"), rows, wraps=2)


def _advice(check: Check) -> str:
    return "" if check.ok or not check.hint else f"hint: {check.hint}"


def _role(path: Path) -> int:
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.role import role_page
    from crm_compliance.wiring.crm import connector_of
    from crm_compliance.wiring.schedule import policy_of
    from jobs.model.privileges import needs_under

    settings = arguments.settings()
    ending_of(arguments.target(path), {".md"})
    with connector_of(settings, warn=output.warn) as connector:
        policy = policy_of(settings)
        lines, cleaning = connector.least_role(needs_under(policy), policy.bypasses), connector.cleaning_role()
        answering = connector.answering_role()
    with write_whole(path, text=True) as out:
        out.write(role_page(lines, cleaning, answering))
    parts = {"role": lines, "cleaning": cleaning, "answering": answering}
    document = {name: [asdict(line) for line in part] for name, part in parts.items()} | {"files": [str(path)]}
    output.answer(document, lambda console: print_line(f"written: {path}"))
    return 0


def _read(name: str) -> int:
    from crm_compliance.cli.terminal.tables import facts_of
    from crm_compliance.wiring.crm import connector_of

    with connector_of(arguments.settings(), any_odata=True, warn=output.warn) as connector:
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


def serve(
    port: int = typer.Option(8080, metavar="N", min=0, max=65535, help="Of the console and of downloads; 0 for a free one."),
    host: str = typer.Option(
        "127.0.0.1", "--host", metavar="ADDRESS", help="The address to listen at; TLS is spoken by a proxy before it."
    ),
) -> None:
    """Run the scheduler, the console and the downloads of released packages until interrupted: recordings and
    retention every night, by the clock of the schedule.

    Example: crm-compliance serve --port 8080
    """
    import signal
    import threading

    from crm_compliance.service.alerts import telling
    from crm_compliance.service.scheduler import serve as serve_jobs
    from crm_compliance.service.single_service import alone
    from crm_compliance.service.web.process import serving
    from crm_compliance.service.web.server import listening

    settings = arguments.settings()
    output.log(settings)
    remove_left_aside()
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signum is not signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:  # nohup: no terminal that is closed ends it
            signal.signal(signum, lambda *_: stop.set())
    with listening(port, host) as listener, alone(settings, stop) as since, serving(settings, listener, since) as address:
        print_line(f"downloads: {address}", error=True)
        print_line(f"console: {address}", error=True)
        with telling(settings, stop, since):
            serve_jobs(settings, stop, announce=lambda line: print_line(line, error=True))


def signout(
    console: bool = typer.Option(False, "--console", help="End every session at the console too, whoever works there."),
) -> None:
    """Forget everybody who is signed in at a terminal of this installation; the next command that needs a
    person asks for a code. Sessions at the console go on, but with --console.

    Example: crm-compliance signout
    """
    from crm_compliance.identity.token_cache import sign_out

    settings = arguments.settings()
    logins, sessions = sign_out(settings.make_data_dir()), 0
    if console:
        from crm_compliance.wiring.clock import clock_of
        from crm_compliance.wiring.store import store_of

        with store_of(settings, clock_of(settings)) as store:
            sessions = store.sessions.end_all()

    def tell(_: object) -> None:
        print_line(f"nobody is signed in at a terminal any more; logins that were forgotten: {logins}")
        if console:
            print_line(f"nobody is signed in at the console any more; sessions that were ended: {sessions}")

    output.answer({"logins": logins, "sessions": sessions}, tell)


def demo(
    folder: Path = typer.Option(
        Path("demo-data"), "--folder", metavar="DIR", help="Where everything of the demo lies; made again each time."
    ),
    dossiers: int = typer.Option(200, metavar="N", min=1, help="Dossiers of the fictitious organisation."),
) -> int:
    """One whole night on the emulator with a fictitious organisation: plan, report, approve, apply, verify,
    ledger; then a subject request.

    Example: crm-compliance demo
    """
    from crm_compliance.demo.demo import run_demo

    return run_demo(folder, dossiers)
