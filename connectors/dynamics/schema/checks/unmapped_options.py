"""Options that the CRM has and the mapping gives no key, with what that means for the rows that have one, and
how many these are (R-161)."""

from collections.abc import Iterator, Mapping
from typing import Final

from connectors.dynamics.http.query import literal
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import ANSWERS, KEEPING, Column, Table
from connectors.dynamics.mapping.mapping import Mapping as CrmMapping
from connectors.dynamics.schema.conditions import can_be_asked, filter_of
from connectors.dynamics.schema.counts import COUNT_LIMIT, count_where
from connectors.dynamics.schema.metadata import Attribute, Metadata, TableDefinition
from connectors.interface.errors import Finding

_EFFECTS: Final = {
    "categories": "keeps its units as UNCONFIGURED",
    "role": "counts as a child of unknown age",
    "is_active": "counts as open",
    **dict.fromkeys(KEEPING, "counts as yes"),
}


def effect_on(field: str) -> str:
    """Return what a value that no key stands for does to its row."""
    return _EFFECTS.get(field, f"leaves {field} empty")


def told_rows(number: int | None) -> str:
    """Return a count for people; None where the CRM does not say."""
    if number is None:
        return "an unknown number of rows"
    return f"{number}{' or more' if number >= COUNT_LIMIT else ''} {'row' if number == 1 else 'rows'}"


def options_of(attribute: Attribute) -> Mapping[int, str] | None:
    """Return the options of a column with what people see; those of yes and no are the words that a mapping
    has for them. None where the CRM does not tell them, or there are none."""
    return {option: word for word, option in ANSWERS.items()} if attribute.kind == "BooleanType" else attribute.options


def option_filter(attribute: Attribute, option: int | str) -> str:
    """Return the `$filter` that rows with an option meet, by themselves or beside others."""
    if attribute.kind == "MultiSelectPicklistType":
        return f"Microsoft.Dynamics.CRM.ContainValues(PropertyName={literal(attribute.name)},PropertyValues=[{literal(str(option))}])"
    return f"{attribute.name} eq {str(bool(option)).lower() if attribute.kind == 'BooleanType' else option}"


def count_of_kind(transport: Transport, table: Table, definition: TableDefinition, condition: str) -> int | None:
    """Count the rows of a kind that meet a condition, as `count_where` does."""
    among = filter_of(table, definition) if can_be_asked(table, definition) else ""  # else it is told by itself
    told = f"({condition}) and ({among})" if among else condition
    return count_where(transport, definition.set_name, definition.primary_id, definition.name, told)


def options_left_out(mapping: CrmMapping, metadata: Metadata, transport: Transport | None) -> Iterator[Finding]:
    """Yield a warning for each option that has no key; with a `transport`, with how many rows of the kind
    have it. Raises ConnectorError."""
    for table in mapping.tables:
        definition = metadata.table(table.name)
        for column in (*table.columns.values(), *table.personal.values()) if definition is not None else ():
            for name in column.keyed if column.choice is not None else ():
                attribute = definition.attributes.get(name) if definition is not None else None
                if definition is not None and attribute is not None:
                    yield from _of_column(table, column, attribute, definition, transport)


def _of_column(
    table: Table, column: Column, attribute: Attribute, definition: TableDefinition, transport: Transport | None
) -> Iterator[Finding]:
    options, choice = options_of(attribute) or {}, column.choice
    for option in sorted(options.keys() - (choice.keys.keys() if choice is not None else ())):
        label = options[option]
        shown = label if attribute.kind == "BooleanType" else f"{option} ({label})" if label else str(option)
        told = f"{table.name}.{attribute.name} has an option {shown}, for which {table.kind}.{column.field} has no key: "
        told += f"it {effect_on(column.field)}"
        if transport is not None:
            number = count_of_kind(transport, table, definition, option_filter(attribute, option))
            told += f", in {told_rows(number)} of {table.name}"
        yield Finding(False, f"{told}.", column.place(attribute.name), "option_left_out")
