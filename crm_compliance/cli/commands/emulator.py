"""emulator serve: a Dataverse of one's own, for trying out and for tests."""

from pathlib import Path

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import print_line
from rules.errors import UsageError

FIRST_YEAR, LAST_YEAR = 1_900, 9_000
_FORM = "docs/environment-file.md has its form; without --environment the shipped organisation is served"

emulator = typer.Typer(help="The embedded Dataverse emulator.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(emulator, name="emulator")


@emulator.callback()
def group() -> None:
    """The embedded Dataverse emulator."""


@emulator.command("serve")
def serve(
    port: int = typer.Option(8765, metavar="N", min=0, max=65535, help="0 picks a free one."),
    host: str = typer.Option("127.0.0.1", metavar="ADDRESS", help="The address to listen at."),
    empty: bool = typer.Option(False, "--empty", help="The tables and no rows but the platform's own."),
    dossiers: int | None = typer.Option(None, metavar="N", min=0, help="Dossiers of the fictitious organisation; default 200."),
    seed: int | None = typer.Option(None, metavar="N", help="The same seed makes the same organisation; default 1."),
    as_of: str | None = typer.Option(None, metavar="DATE", help="The day around which seeded dates lie; default today."),
    token: str = typer.Option("", metavar="T", help="Accept only this token and those of the emulator's own endpoint."),
    limits: str = typer.Option("on", metavar="on|off", help="Service protection limits."),
    state: Path | None = typer.Option(None, metavar="FILE", help="Keep the rows over a restart."),
    environment: Path | None = typer.Option(None, metavar="FILE", help="Other tables than the reference environment's."),
    tls: Path | None = typer.Option(None, metavar="CA.pem", help="https; the certificate to trust is written to this file."),
    profile: str = typer.Option("online", metavar="online|onprem", help="Which kind of Dynamics it plays."),
) -> None:
    """Serve the Web API on this machine until interrupted; one line on stdout once it accepts requests.

    Example: crm-compliance emulator serve --port 0 --dossiers 200 --seed 1
    """
    from connectors.emulator.schema.environment_file import EnvironmentProblem
    from connectors.emulator.serving.certificates import CertificateProblem
    from connectors.emulator.serving.server import SeedSpec
    from connectors.emulator.serving.server import serve as serve_emulator
    from connectors.emulator.storage.database import StateProblem
    from crm_compliance.wiring.clock import today

    if profile not in ("online", "onprem"):
        raise UsageError("--profile is online or onprem")
    if limits not in ("on", "off"):
        raise UsageError("--limits is on or off")
    for written in (state, tls):
        if written is not None:
            arguments.target(written)
    if environment is not None and not environment.is_file():
        raise UsageError("there is no such file", hint=_FORM, where=str(environment))
    if not host:  # as an unset variable of a shell is: it would listen at every address of the machine
        raise UsageError("--host is empty", hint="--host 127.0.0.1")
    for option, given in (("--dossiers", dossiers), ("--seed", seed), ("--as-of", as_of)):
        if empty and given is not None:
            raise UsageError(f"{option} is of the fictitious organisation, and --empty has none of its rows", hint="leave one of them out")
    day = arguments.day(as_of, "--as-of") if as_of is not None else today()
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(f"--as-of is a day of the years {FIRST_YEAR} to {LAST_YEAR}, around which dates can lie")
    try:
        serve_emulator(
            host=host,
            port=port,
            environment=environment,
            seed=None if empty else SeedSpec(200 if dossiers is None else dossiers, 1 if seed is None else seed, day),
            token=token or None,
            limits=limits == "on",
            state=state,
            announce=print_line,
            tls=tls,
            profile=profile,
        )
    except (EnvironmentProblem, StateProblem) as problem:
        is_form = isinstance(problem, EnvironmentProblem)
        hint, file = (_FORM, environment) if is_form else ("", state)
        raise UsageError(f"the emulator cannot serve this file: {problem}", hint=hint, where=str(file)) from None
    except CertificateProblem as problem:
        raise UsageError(f"the certificate cannot be written: {problem}", where=str(tls)) from None
    except OSError as error:
        raise UsageError(f"the emulator cannot listen there: {error.strerror or type(error).__name__}", where=f"{host}:{port}") from None
