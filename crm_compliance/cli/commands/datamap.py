"""datamap: where the CRM can hold something about somebody, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import write_whole
from rules.errors import FAILURES

if TYPE_CHECKING:
    from rich.console import Console


def add_to(app: typer.Typer) -> None:
    app.command("datamap")(datamap)


def datamap(path: Path = typer.Option(None, "--output", metavar="F", help="A .html, .xlsx or .json file.")) -> None:
    """Show every table and column to which the CRM leads from a unit or a person, and its fate; exit 6 where
    something with rows is unaccounted.

    Example: crm-compliance datamap --output map.html
    """
    from crm_compliance.reports.data_map import WRITERS, Survey, print_data_map, write_data_map
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.store.files.data_map_file import keep_map

    suffix = ending_of(path, WRITERS) if path is not None else ""
    if path is not None:
        arguments.target(path)
    with arguments.opened() as desk:
        found = desk.context.connector.data_map(whole=True)
        survey = Survey(found, keep_map(arguments.settings().make_data_dir(), desk.context.crm, found, desk.context.clock()))
        if path is not None:
            with write_whole(path) as out:
                write_data_map(suffix, survey, out)

    def tell(console: Console) -> None:
        print_data_map(survey, console)
        if path is not None:
            print_line(f"written: {path}")

    output.answer(survey.rows(), tell)
    if found.alarming:
        raise typer.Exit(FAILURES)
