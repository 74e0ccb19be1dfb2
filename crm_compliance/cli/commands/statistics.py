"""statistics: the figures that outlive the dossiers, for those who may see figures only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import write_whole

if TYPE_CHECKING:
    from rich.console import Console

statistics = typer.Typer(help="Published statistics: export.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(statistics, name="statistics")


@statistics.command("export")
def export(path: Path = typer.Option(..., "--output", metavar="F", help="A .csv, .xlsx or .json file.")) -> None:
    """Write the tables that may be published: no count below 5 can be read or computed, no personal data.

    Example: crm-compliance statistics export --output statistics.xlsx
    """
    import hashlib
    import io

    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.publication import WRITERS, write_publication
    from rules.anonymisation.publication import DIMENSIONS, Shown, publish
    from rules.model.records import Statistic

    suffix = ending_of(path, WRITERS)
    arguments.target(path)
    fields = ("year", "category", *DIMENSIONS, "count")
    with arguments.opened() as desk:
        rows = [row for page in desk.context.connector.read(Statistic, fields) for row in page]
        tables = publish(rows)
        written = io.BytesIO()
        write_publication(suffix, tables, written)
        with write_whole(path) as out:
            out.write(written.getvalue())
        digest = hashlib.sha256(written.getvalue()).hexdigest()
        entry: dict[str, object] = {"rows": len(rows), "tables": len(tables), "sha256": digest}
        desk.context.store.ledger.append([("statistics_export", entry)])
    hidden = [cell for table in tables for cell in table.cells if cell.shown is not Shown.COUNT]
    document = {
        "files": [str(path)],
        "sha256": digest,
        "rows": len(rows),
        "tables": {table.name: len(table.cells) for table in tables},
        "masked": sum(cell.shown is Shown.BELOW for cell in hidden),
        "suppressed": sum(cell.shown is Shown.SUPPRESSED for cell in hidden),
        "withheld": sum(len(table.withheld) for table in tables),
    }

    def tell(console: Console) -> None:
        console.print(
            f"{document['rows']} rows of statistics in {len(tables)} tables: {document['masked']} counts below 5 masked, "
            f"{document['suppressed']} more suppressed, {document['withheld']} lines withheld.",
        )
        print_line(f"written: {path}")

    output.answer(document, tell)
