"""mapping: whether the file that says which table and column is what is right, and what it makes of a row."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import text_of, write_whole
from rules.errors import MappingError

if TYPE_CHECKING:
    from rich.console import Console

    from connectors.dynamics.draft.statistics_table import StatisticColumn
    from crm_compliance.mapping.check import Finding
    from crm_compliance.mapping.explain import FieldTold

mapping = typer.Typer(help="The mapping to the organisation's tables: draft, check, explain.", no_args_is_help=True)
REFUSED = 3


def add_to(app: typer.Typer) -> None:
    app.add_typer(mapping, name="mapping")


@mapping.command("check")
def check(
    path: Path | None = typer.Argument(None, metavar="[F]", help="A mapping file; without, the one of the settings."),
    offline: bool = typer.Option(False, "--offline", help="Ask no CRM: look at the file alone."),
) -> None:
    """Name everything that is wrong with a mapping, with file, line and what was probably meant (exit 3).

    Example: crm-compliance mapping check mapping.yaml --offline
    """
    from crm_compliance.mapping.check import check_mapping_file
    from crm_compliance.wiring.mapping import mapping_text

    settings = arguments.settings()
    text, source = (text_of(path, "mapping"), str(path)) if path is not None else mapping_text(settings)
    found = check_mapping_file(text, source, settings, offline=offline, on_wait=output.warn)

    def tell(console: Console) -> None:
        compared = "" if offline else " and fits the CRM"
        print_line(f"{source}: {len(found.problems)} to correct" if found.problems else f"{source} is in order{compared}")
        _table(console, found.problems)
        if found.warnings:
            print_line(f"\nWarnings: {len(found.warnings)}")
            _table(console, found.warnings)

    output.answer(found.document(), tell)
    if found.problems:
        first = found.problems[0]
        meant = f"meant, probably: {first.suggestion}" if first.suggestion else "correct the file"
        raise MappingError(f"{first.message} ({len(found.problems)} to correct)", hint=meant, where=first.where)


def _table(console: Console, told: list[Finding]) -> None:
    from crm_compliance.cli.terminal.tables import table_of

    if told:
        rows = [(each.where.rpartition(":")[2], each.message, each.suggestion) for each in told]
        console.print(table_of(("Line", "What is wrong", "Meant, probably"), rows, wraps=1))


@mapping.command("explain")
def explain(table: str = typer.Argument(..., metavar="TABLE"), row: str = typer.Argument(..., metavar="ID")) -> None:
    """Show one row as the product understands it: its kind, its fields, what it belongs to, and the columns
    that fill no field. Of what tells who somebody is, only that it is there and how long it is.

    Example: crm-compliance mapping explain cf_dossier 00000000-0000-0000-0000-000000000001
    """
    from crm_compliance.cli.terminal.tables import facts_of, table_of
    from crm_compliance.mapping.explain import explain_row
    from crm_compliance.wiring.crm import connector_of

    wanted = arguments.row_id(row)
    with connector_of(arguments.settings(), warn=output.warn) as connector:
        told = explain_row(connector, table, wanted)

    def tell(console: Console) -> None:
        unit = f"{told.unit['table']} {told.unit['id']}" if told.unit is not None else "none"
        console.print(facts_of({"kind": told.kind, "table": told.table, "id": told.id, "unit": unit}))
        if told.remark:
            print_line(told.remark)
        console.print(table_of(("Field", "Column", "Value"), [(each.field, each.column, _value(each)) for each in told.fields], wraps=2))
        if told.unfilled:
            print_line("\nWith a value, and no field is filled from them:")
            for name in told.unfilled:
                print_line(f"  {name}")

    output.answer(told.document(), tell)


def _value(told: FieldTold) -> str:
    if not told.filled:
        return "" if told.filled is False else "not known"
    if told.unknown is not None:
        known = (told.called or {}).get(str(told.unknown).lower())
        return f"{f'{known} ({told.unknown})' if known else f'option {told.unknown}'}, which stands for no key"
    if told.value is None:
        return f"there, {told.length} characters" if told.length is not None else "there"
    if isinstance(told.value, bool):
        return "yes" if told.value else "no"
    if isinstance(told.value, dict):
        return f"{told.value['table']} {told.value['id']}"
    called = told.called or {}
    return (
        ", ".join(f"{called[one]} ({one})" if one in called else one for one in told.value)
        if isinstance(told.value, list)
        else str(told.value)
    )


@mapping.command("draft")
def draft(
    path: Path = typer.Option(..., "--output", metavar="F.yaml", help="The file to write; one that is there is not replaced."),
) -> None:
    """Write a mapping to begin with, derived from the CRM's own definitions and counts; what is open stands
    there as `# choose:` with candidates.

    Example: crm-compliance mapping draft --output mapping.yaml
    """
    from crm_compliance.mapping.draft import draft_mapping

    arguments.new_file(path)
    found = draft_mapping(arguments.settings(), output.warn)
    with write_whole(path, text=True) as file:
        file.write(found.text)
    document = {"file": str(path), "tables": found.tables, "fields": found.fields, "open": found.open}

    def tell(_: Console) -> None:
        print_line(f"written: {path}, {len(found.tables)} kinds of rows, {found.fields} fields")
        print_line(f"needed and yet to be chosen: {', '.join(found.open) or 'nothing'}")
        print_line(f"then: crm-compliance mapping check {shlex.quote(str(path))}")

    output.answer(document, tell)


@mapping.command("statistics-table")
def statistics(
    create: bool = typer.Option(False, "--create", help="Make it in the CRM, or what it lacks; needs the right to customise."),
    path: Path | None = typer.Option(None, "--output", metavar="F", help="Write the specification: a .md or .json file."),
) -> None:
    """Show the table of statistics that the mapping needs, write its specification, or make it in the CRM;
    made again, it adds what is missing and says what is there.

    Example: crm-compliance mapping statistics-table --output statistics.md
    """
    from crm_compliance.cli.terminal.tables import table_of
    from crm_compliance.mapping.statistics_table import WRITERS, create_in, mapped_columns, wanted_table
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.wiring.crm import connector_of

    suffix = ending_of(path, WRITERS) if path is not None else ""
    if path is not None:
        arguments.target(path)
    settings = arguments.settings()
    mapped, wanted = wanted_table(settings)
    document = wanted.document() | {"file": str(path) if path is not None else None}
    if path is not None:
        with write_whole(path, text=True) as file:
            file.write(WRITERS[suffix](wanted))
    if create:
        with connector_of(settings, mapping=mapped, warn=output.warn) as connector:
            made = create_in(connector, mapped, wanted)
        unmapped = {each.field: each.name for each in wanted.columns if each.name not in mapped_columns(mapped)}
        document |= {"created": made.created, "existing": made.existing, "other": made.other, "unmapped": unmapped}

    def tell(console: Console) -> None:
        print_line(f"table {wanted.table}")
        console.print(table_of(("Field", "Column", "Type"), [(each.field, each.name, _type(each)) for each in wanted.columns], wraps=2))
        if path is not None:
            print_line(f"written: {path}")
        if create:
            print_line(f"made: {', '.join(made.created) or 'nothing'}; there already: {len(made.existing)}")
        if create and unmapped:
            print_line("the mapping does not name these columns yet, and nothing would be written to them; under statistic, columns:")
            for field, name in unmapped.items():
                print_line(f"      {field}: {name}")
        if create and made.other:
            print_line(f"of another type: {', '.join(made.other)}")

    output.answer(document, tell)
    if create and made.other:
        raise typer.Exit(REFUSED)


def _type(column: StatisticColumn) -> str:
    if column.options:
        return ", ".join(f"{value} {key}" for value, key in column.options)
    return "whole number" if column.length is None else f"text of {column.length}"
