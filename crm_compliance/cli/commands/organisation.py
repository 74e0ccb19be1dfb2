"""organisation: the file in which everything stands that is said in the organisation's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import write_whole

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings

organisation = typer.Typer(help="The organisation file: show, check.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(organisation, name="organisation")


@organisation.command("show")
def show(path: Path | None = typer.Option(None, "--output", metavar="F.yaml", help="Write its text to a new file, to be changed.")) -> None:
    """Show in whose name answers speak, or write the text of the file to one that can be changed and passed
    by CRM_COMPLIANCE_ORGANISATION.

    Example: crm-compliance organisation show --output organisation.yaml
    """
    from crm_compliance.configuration.organisation import organisation_text

    settings = arguments.settings()
    text, source = organisation_text(settings)
    if path is not None:
        with write_whole(arguments.new_file(path)) as out:
            out.write(text.encode())
    _tell(settings, source, path)


@organisation.command("check")
def check(path: Path | None = typer.Argument(None, metavar="[F]", help="An organisation file; without, the one of the settings.")) -> None:
    """Check an organisation file; every error is told with file, line and field (exit 3), and what is yet to
    be filled in under the schedule of the settings.

    Example: crm-compliance organisation check organisation.yaml
    """
    from crm_compliance.configuration.organisation import organisation_text

    settings = arguments.settings()
    if path is not None:
        settings = settings.model_copy(update={"organisation": path})
    _tell(settings, organisation_text(settings)[1], None)


def _tell(settings: Settings, source: str, written: Path | None) -> None:
    from crm_compliance.configuration.organisation import organisation_of
    from crm_compliance.wiring.schedule import policy_of

    policy = policy_of(settings)
    found = organisation_of(settings).under(policy)
    unfilled = found.unfilled(policy)
    document = {
        "ok": True,
        "name": found.controller.name,
        "languages": list(found.languages),
        "source": source,
        "unfilled": list(unfilled),
        "files": [str(written)] if written is not None else [],
    }

    def tell(_: object) -> None:
        print_line(f"{source}: answers speak for {found.controller.name}, in {', '.join(found.languages)}")
        for place in unfilled:
            print_line(f"yet to be filled in by the controller: {place}")
        if written is not None:
            print_line(f"written: {written}")

    output.answer(document, tell)
