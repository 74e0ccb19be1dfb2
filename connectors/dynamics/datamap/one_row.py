"""One row with the columns that fill a field and those that fill none: what it holds, as the CRM has it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.dynamics.datamap.survey import CONDITIONS
from connectors.dynamics.mapping.mapping import Table, field_type
from connectors.dynamics.schema.columns_about_nobody import is_about_nobody
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, TableDefinition
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered, type_of
from connectors.interface.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class OneRow:
    """The values of a row by column, None where there is nothing; True where something is there that was not
    fetched (a file). `targets` are the tables to which its lookups point, `unfilled` the columns with a value
    from which no field is filled."""

    values: dict[str, Any] = field(repr=False)
    targets: dict[str, str]
    unfilled: tuple[str, ...]


def one_row(directory: Directory, table: Table, definition: TableDefinition, row: str, roles: Collection[str] = ()) -> OneRow | None:
    """Return a row; None if there is no such row. `roles` are columns that tell of roles beside what the row
    is. Raises ConnectorError: it cannot be determined; NotOffered: the CRM does not let us look."""
    known = KnownTable.of(definition)
    if not directory.existing(known, [row]):
        return None
    mapped = {name: column for column in (*table.columns.values(), *table.personal.values()) for name in column.names}
    contents = {name for name, column in mapped.items() if field_type(table.full, column.field) is bytes}
    others = [
        each
        for each in definition.attributes.values()
        if each.is_filled and each.name not in mapped and each.name not in roles and not is_about_nobody(each, definition)
    ]
    wanted = [definition.attributes[name] for name in (*mapped, *roles) if name in definition.attributes and name not in contents] + others
    values: dict[str, Any] = {}
    targets: dict[str, str] = {}
    for attribute, raw in _values(directory, known, wanted, row):
        values[attribute.name] = raw.get(attribute.queried)
        if attribute.kind in LOOKUP_TYPES:
            targets[attribute.name] = type_of(raw, attribute.name)
    values |= {name: _is_there(directory, known, name, row) for name in contents}
    return OneRow(values, targets, tuple(sorted(each.name for each in others if values.get(each.name) is not None)))


def _values(directory: Directory, table: KnownTable, wanted: list[Attribute], row: str) -> Iterator[tuple[Attribute, dict[str, Any]]]:
    """Yield each column with the row that has it, halving the question where one of them cannot be asked
    for: that one is left out."""
    if not wanted:
        return
    some, rest = wanted[:CONDITIONS], wanted[CONDITIONS:]
    try:
        for raw in directory.rows(table, table.primary_id, [row], ",".join(each.queried for each in some)):
            yield from ((attribute, raw) for attribute in some)
    except ConnectorError as failure:
        if failure.status != 400:
            raise
        if len(some) > 1:
            yield from _values(directory, table, some[: len(some) // 2], row)
            yield from _values(directory, table, some[len(some) // 2 :], row)
    yield from _values(directory, table, rest, row)


def _is_there(directory: Directory, table: KnownTable, column: str, row: str) -> bool | None:
    """Return whether content that is not fetched is there; None where the CRM does not say."""
    try:
        return True if not directory.is_empty(table, f"{table.primary_id} eq {row} and {column} ne null") else None
    except (NotOffered, ConnectorError):
        return None
