"""What the CRM calls values of a field that no key stands for: options by their number, rows of a table of
reference by their id. Nobody knows a row by its id."""

from collections.abc import Collection, Iterator
from typing import Final

from connectors.dynamics.mapping.mapping import Column, Mapping
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.names import Naming

_ID: Final = 36  # signs of an id


def value_names(mapping: Mapping, metadata: Metadata, naming: Naming, field: str, values: Collection[str]) -> dict[str, str]:
    """Return a name for each of these values that has one, of whatever kind the field is. Raises
    ConnectorError."""
    found: dict[str, str] = {}
    for table in mapping.tables:
        columns = [column for columns in (table.columns, table.personal, table.pairs) if (column := columns.get(field)) is not None]
        definition = metadata.table(table.name) if columns else None
        if definition is None:
            continue
        for column in columns:
            if column.reference is not None:
                for target in dict.fromkeys(_targets(definition, column)):
                    found |= naming.names(target, sorted({value for value in values if len(value) == _ID} - found.keys()))
            else:
                options = [definition.attributes[name].options or {} for name in column.keyed if name in definition.attributes]
                found |= {str(value): label for each in options for value, label in each.items() if str(value) in values and label}
    return found


def _targets(definition: TableDefinition, column: Column) -> Iterator[str]:
    """Yield the tables of reference of a column, or of pairs."""
    for name in column.keyed:
        if (attribute := definition.attributes.get(name)) is not None:
            yield from attribute.targets
        elif (link := definition.link(name)) is not None:
            yield link.other(definition.name)
