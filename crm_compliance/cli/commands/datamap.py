"""datamap: where the CRM can hold something about somebody, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import typer

from crm_compliance.cli.terminal.output import output, print_line

if TYPE_CHECKING:
    from rich.console import Console


LAST = "datamap.json"  # in the data folder: names of tables and columns, for what is new next time
FAILURES = 6


def add_to(app: typer.Typer) -> None:
    app.command("datamap")(datamap)


def datamap(path: Path = typer.Option(None, "--output", metavar="F", help="A .html, .xlsx or .json file.")) -> None:
    """Show every table and column to which the CRM leads from a unit or a person, and its fate; exit 6 where
    something with rows is unaccounted.

    Example: crm-compliance datamap --output map.html
    """
    from crm_compliance.cli.terminal import arguments
    from crm_compliance.files import write_whole
    from crm_compliance.reports.data_map import WRITERS, Survey, print_data_map, write_data_map
    from crm_compliance.reports.parts.endings import ending_of

    suffix = ending_of(path, WRITERS) if path is not None else ""
    if path is not None:
        arguments.target(path)
    remembered = arguments.settings().make_data_dir() / LAST
    with arguments.opened() as desk:
        found = desk.context.connector.data_map(whole=True)
        survey = Survey(found, found.new(_names_of_last_time(remembered, desk.context.crm)))
        if path is not None:
            with write_whole(path) as out:
                write_data_map(suffix, survey, cast(BinaryIO, out))
        with write_whole(remembered, text=True) as kept:
            json.dump({"crm": desk.context.crm, "places": [place.name for place in found.places]}, kept)

    def tell(console: Console) -> None:
        print_data_map(survey, console)
        if path is not None:
            print_line(f"written: {path}")

    output.answer(survey.rows(), tell)
    if found.alarming:
        raise typer.Exit(FAILURES)


def _names_of_last_time(path: Path, crm: str) -> list[str] | None:
    """Return the places that the last map of this CRM had; None where there was none, or it cannot be
    read."""
    try:
        last = json.loads(path.read_text("utf-8"))
        return list(last["places"]) if last["crm"] == crm else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
